/** Builds an element: attributes, `on…` listeners, and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, unknown> = {},
  ...children: (Node | string | null | undefined | false)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (name === "style") {
      element.style.cssText = String(value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
  return element;
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  upload: "M12 16V5m0 0L7 10m5-5l5 5M5 19h14",
  select: "M6 4l12 7-5.2 1.4L10 18z",
  box: "M5 5h14v14H5z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10 11v5M14 11v5",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M11 5a6 6 0 100 12 6 6 0 000-12zM20 20l-4.5-4.5",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
  key: "M15 7a4 4 0 11-3.5 6H9v3H6v3H3v-3l6.2-6.2A4 4 0 0115 7z",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 010 10h-2",
  redo: "M15 7l5 5-5 5M20 12H10a5 5 0 000 10h2",
  polygon: "M12 4l8 6-3 9H7l-3-9z",
  ellipse: "M12 6c5 0 9 2.700 9 6s-4 6-9 6-9-2.700-9-6 4-6 9-6z",
  path: "M4 18l5-9 5 6 6-10",
  point: "M12 9a3 3 0 100 6 3 3 0 000-6zM12 3v3M12 18v3M3 12h3M18 12h3",
  hole: "M12 3l9 7-3.500 10h-11L3 10zM12 10l3 2.500-1 3.500h-4l-1-3.500z",
  eye: "M2.500 12S6 6 12 6s9.500 6 9.500 6-3.500 6-9.500 6-9.500-6-9.500-6zM12 9.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z",
  tag: "M4 4h8l8 8-8 8-8-8zM8.500 8.500h.01",
  history: "M12 7v5l3 2M4 12a8 8 0 108-8 8.6 8.6 0 00-6 2.6M6 3v4h4",
  chat: "M4 5h16v11H9l-5 4z",
  help: "M9.2 9.2a2.8 2.8 0 115 1.8c-1 1-2.2 1.4-2.2 3M12 17.5h.01",
  theme: "M12 3a9 9 0 100 18zM12 3a9 9 0 010 18",
  pencil: "M5 19l1-4L16 5l3 3L9 18z",
  out: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
} as const;

export type Icon = keyof typeof ICONS;

/** A line icon of 20 pixels in the text's colour. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** The mark of the product. */
export function logo(): HTMLElement {
  const mark = h("span", { class: "logo-mark", "aria-hidden": "true" }, h("span", {}), h("span", {}));
  return h("span", { class: "logo" }, mark, "Easel");
}

/** A button that shows only an icon, with a name for everyone else. */
export function iconButton(name: Icon, label: string, onclick: () => void, attributes: Record<string, unknown> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** How long ago a time was, in words. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, "second"],
    [3600, "minute"],
    [86_400, "hour"],
    [2_592_000, "day"],
    [31_536_000, "month"],
    [Infinity, "year"],
  ];
  const sizes = [1, 60, 3600, 86_400, 2_592_000, 31_536_000];
  if (seconds < 45) {
    return "just now";
  }
  const i = steps.findIndex(([limit]) => seconds < limit);
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(seconds / sizes[i]!), steps[i]![1]);
}

/** Says something for a few seconds at the bottom of the page. */
export function toast(text: string, kind: "info" | "error" = "info", action?: { label: string; run: () => void }): void {
  let tray = document.querySelector<HTMLElement>(".toasts");
  if (!tray) {
    tray = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(tray);
  }
  const line = h("div", { class: `toast toast-${kind}` }, text);
  if (action) {
    const run = () => (line.remove(), action.run());
    line.append(h("button", { class: "toast-action", type: "button", onclick: run }, action.label));
  }
  tray.append(line);
  if (tray.childElementCount > 4) {
    tray.firstElementChild?.remove();
  }
  setTimeout(() => line.remove(), action ? 12_000 : kind === "error" ? 7000 : 4000);
}
