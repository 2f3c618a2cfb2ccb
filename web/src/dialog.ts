import { h, iconButton } from "./dom";

const KEYS: [string, string][] = [
  ["B", "Draw boxes"],
  ["P  E  L  O", "Polygons, ellipses, lines, points"],
  ["Shift + P", "Cut a hole out of a polygon or a box"],
  ["T", "Tag the image as a whole"],
  ["V", "Select and pan"],
  ["Space + drag", "Pan while drawing"],
  ["Click", "Select; again for the box below"],
  ["Enter", "Save the label"],
  ["A label's key", "Give the selected boxes that label"],
  ["Delete", "Delete the selected boxes, or corners"],
  ["J  Shift + J", "Next, previous prediction"],
  ["A  X", "Accept, reject the selected predictions"],
  ["M", "Show or hide predictions"],
  ["Ctrl + D", "Duplicate the selected boxes"],
  ["Ctrl + arrows", "Move them by a pixel; with Shift by ten"],
  ["Esc", "Let go"],
  ["Ctrl + Z", "Undo what you did"],
  ["Ctrl + Shift + Z", "Redo"],
  ["+  −  0", "Zoom in, out, fit"],
  ["←  →", "Previous, next image"],
  ["N", "Next image that is not done"],
  ["C", "Chat"],
  ["H", "History"],
  ["?", "This sheet"],
];

/** Opens a dialog over the page, instead of one that is open; it is gone once closed. */
export function openDialog(dialog: HTMLDialogElement): void {
  document.querySelector("dialog")?.remove();
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

/** Shows what the keys do. */
export function showHelp(): void {
  const rows = KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)));
  const dialog = h(
    "dialog",
    { class: "card dialog help", "aria-labelledby": "help-title" },
    h("header", {}, h("h2", { id: "help-title" }, "Keyboard"), iconButton("close", "Close", () => dialog.close())),
    h("dl", {}, ...rows),
  );
  openDialog(dialog);
}

/** Asks for an image's new name; resolves to null if there is none. */
export async function askName(name: string): Promise<string | null> {
  const answer = await askText("Rename image", "Name", name, "Rename");
  return answer === name ? null : answer;
}

/** Asks for a line of text; resolves to null if there is none. */
export function askText(title: string, field: string, name: string, action = "Add"): Promise<string | null> {
  return new Promise((resolve) => {
    const input = h("input", { class: "field", id: "new-name", value: name, maxlength: 255, required: true, autocomplete: "off" });
    let answer: string | null = null;
    const dialog = h(
      "dialog",
      { class: "card dialog", "aria-labelledby": "rename-title" },
      h(
        "form",
        {
          onsubmit: (e: Event) => {
            e.preventDefault();
            answer = input.value.trim();
            dialog.close();
          },
        },
        h("h2", { id: "rename-title" }, title),
        h("label", { for: "new-name" }, field),
        input,
        h(
          "footer",
          {},
          h("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel"),
          h("button", { class: "button primary", type: "submit" }, action),
        ),
      ),
    );
    dialog.addEventListener("close", () => resolve(answer || null));
    openDialog(dialog);
    input.setSelectionRange(0, name.includes(".") ? name.lastIndexOf(".") : name.length);
  });
}
