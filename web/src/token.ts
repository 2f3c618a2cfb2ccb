import type { Me } from "@easelhq/client";

const KEY = "easel:token";
const ME = "easel:me";

/**
 * Returns this tab's token. One in the address (`#token=`) wins, and is taken
 * out of the address bar and the history.
 */
export function takeToken(): string {
  const params = new URLSearchParams(location.hash.slice(1));
  const given = params.get("token");
  if (given) {
    keepToken(given);
    params.delete("token");
    const rest = params.toString();
    history.replaceState(null, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  }
  return sessionStorage.getItem(KEY) ?? "";
}

export function keepToken(token: string): void {
  if (token !== sessionStorage.getItem(KEY)) {
    sessionStorage.removeItem(ME);
    sessionStorage.setItem(KEY, token);
  }
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(ME);
}

/** Remembers, as long as the token, whose it is: a reload may find no server to ask. */
export function keepMe(me: Me): void {
  sessionStorage.setItem(ME, JSON.stringify(me));
}

/** Whose this tab's token is, as the server has said; null before. */
export function keptMe(): Me | null {
  return JSON.parse(sessionStorage.getItem(ME) ?? "null") as Me | null;
}
