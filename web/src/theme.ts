export type Theme = "light" | "dark";

const KEY = "easel:theme";

/** The theme to show: what the person chose, or else what the system prefers. */
export function resolveTheme(chosen: string | null, systemIsDark: boolean): Theme {
  return chosen === "light" || chosen === "dark" ? chosen : systemIsDark ? "dark" : "light";
}

const system = () => matchMedia("(prefers-color-scheme: dark)");

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is forbidden: the system decides
  }
}

/** Shows the theme, and follows the system and the person's other tabs. */
export function followTheme(): void {
  const show = () => (document.documentElement.dataset.theme = resolveTheme(chosen(), system().matches));
  show();
  system().addEventListener("change", show);
  addEventListener("storage", (e) => e.key === KEY && show());
}

/** Changes to the other theme. Choosing what the system prefers follows it again. */
export function toggleTheme(): void {
  const next: Theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    if (next === resolveTheme(null, system().matches)) {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, next);
    }
  } catch {
    // It holds for this page.
  }
}
