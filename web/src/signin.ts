import type { View } from "./app";
import { h, icon, logo } from "./dom";

/** Asks for a token. */
export function openSignIn(problem: string, done: (token: string) => void): View {
  const input = h("input", {
    id: "token",
    class: "field",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "eyJhbGciOi…",
    required: true,
  });
  const form = h(
    "form",
    {
      class: "card signin",
      onsubmit: (e: Event) => {
        e.preventDefault();
        const token = input.value.trim().replace(/^.*#token=/, "");
        if (token) {
          done(token);
        }
      },
    },
    logo(),
    h("h1", {}, "Draw on images, together"),
    h("p", { class: "muted" }, "Paste the token you were given, or the whole link that carries it."),
    problem && h("p", { class: "alert", role: "alert" }, problem),
    h("label", { for: "token" }, "Access token"),
    h("div", { class: "with-icon" }, icon("key"), input),
    h("button", { class: "button primary", type: "submit" }, "Sign in"),
    h("p", { class: "hint" }, "Your own node? ", h("code", {}, "easel token --tenant team --user you"), " prints one."),
  );
  queueMicrotask(() => input.focus());
  return { element: h("main", { class: "signin-page" }, form), close: () => {} };
}
