import type { App } from "../app";
import { RestError } from "@easelhq/client";
import { h, icon, toast } from "../dom";

const reopen = () => dispatchEvent(new HashChangeEvent("hashchange"));

/** What stands where the picture would be, and what can be done about it. */
export function blank(app: App, image: string, err: unknown): HTMLElement {
  const missing = err instanceof RestError && (err.status === 404 || err.status === 410);
  const text = missing ? "This image does not exist, or was deleted." : err instanceof Error ? err.message : "Something went wrong.";
  return h(
    "div",
    { class: "blank", role: "alert" },
    icon("image"),
    h("h2", {}, missing ? "No such image" : "The picture did not come"),
    h("p", { class: "muted" }, text),
    missing
      ? h("span", { class: "group" }, h("a", { class: "button", href: "#/" }, "All images"), err.status === 410 && restoreButton(app, image))
      : h("button", { class: "button", type: "button", onclick: reopen }, "Try again"),
  );
}

export function restoreButton(app: App, image: string): HTMLElement {
  const restore = () => void app.rest.restore(image).then(reopen, (err: Error) => toast(err.message, "error"));
  return h("button", { class: "button", type: "button", onclick: restore }, "Restore");
}
