import { showHelp } from "../dialog";
import { h, icon, iconButton } from "../dom";
import { toggleTheme } from "../theme";

/** What the editor's page is made of. */
export interface Parts {
  /** Beside the way back: name, badge, state. */
  head: readonly HTMLElement[];
  people: HTMLElement;
  /** Buttons of what can be opened. */
  chores: readonly HTMLElement[];
  step: (by: number) => void;
  /** The picture, and what lies over it. */
  stage: readonly HTMLElement[];
  side: readonly HTMLElement[];
}

/** Puts the parts of the editor where they belong. */
export function layOut({ head, people, chores, step, stage, side }: Parts): HTMLElement {
  return h(
    "main",
    { class: "editor" },
    h(
      "header",
      { class: "bar" },
      h("a", { class: "icon-button", href: "#/", "aria-label": "All images", title: "All images" }, icon("back")),
      ...head,
      h("span", { class: "grow" }),
      people,
      h(
        "span",
        { class: "group" },
        ...chores,
        iconButton("theme", "Light or dark", toggleTheme),
        iconButton("help", "Keyboard help (?)", showHelp),
        iconButton("left", "Previous image (←)", () => step(-1)),
        iconButton("right", "Next image (→)", () => step(1)),
      ),
    ),
    h("div", { class: "workspace" }, h("section", { class: "stage-frame" }, ...stage), h("div", { class: "side" }, ...side)),
  );
}
