import type { App } from "./app";
import type { Image } from "@easelhq/client";
import { h } from "./dom";
import type { ImageQuery } from "./image-list";
import { STATES } from "./states";

/** How many images there are of each state. */
export interface Counts {
  new: number;
  in_progress: number;
  done: number;
  /** There are more than were counted. */
  more: boolean;
}

/** The row above the grid: which states, labels and uploaders are listed. */
export class Narrowing {
  readonly element: HTMLElement;
  private readonly chips = new Map<string, HTMLButtonElement>();
  private readonly label: HTMLInputElement;
  private readonly by: HTMLInputElement;
  private readonly labels = h("datalist", { id: "narrow-labels" });
  private readonly people = h("datalist", { id: "narrow-people" });
  private state = "";
  private typing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly app: App,
    private readonly changed: () => void,
  ) {
    for (const [state, text] of [["", "All"], ...Object.entries(STATES)] as [string, string][]) {
      const chip = h("button", { class: "chip state-chip", type: "button", "aria-pressed": String(state === app.list.wanted.state), "data-state": state, onclick: () => this.choose(state) }, h("span", {}, text), h("b", {}));
      this.chips.set(state, chip);
    }
    const { state, label, uploaded_by } = app.list.wanted;
    this.label = this.field("Label", "narrow-labels");
    this.by = this.field("Uploaded by", "narrow-people");
    [this.state, this.label.value, this.by.value] = [state, label, uploaded_by];
    const clear = h("button", { class: "link", type: "button", onclick: () => this.clear() }, "Clear");
    this.element = h(
      "div",
      { class: "narrowing" },
      h("div", { class: "state-chips", role: "group", "aria-label": "State" }, ...this.chips.values()),
      this.label,
      this.by,
      clear,
      this.labels,
      this.people,
    );
    clear.hidden = !label && !uploaded_by;
    this.element.addEventListener("input", () => (clear.hidden = !this.label.value && !this.by.value));
  }

  get query(): Omit<ImageQuery, "filename"> {
    return { state: this.state, label: this.label.value.trim(), uploaded_by: this.by.value.trim() };
  }

  get narrows(): boolean {
    return Object.values(this.query).some(Boolean);
  }

  /** Shows how many images there are of each state. */
  count(counts: Counts): void {
    const all = counts.new + counts.in_progress + counts.done;
    for (const [state, chip] of this.chips) {
      const n = state === "" ? all : counts[state as Exclude<keyof Counts, "more">];
      chip.querySelector("b")!.textContent = `${n}${counts.more ? "+" : ""}`;
    }
  }

  /** Offers what is in sight to choose from. */
  offer(images: readonly Image[]): void {
    const list = (into: HTMLElement, values: Iterable<string>) => {
      const known = [...new Set(values)].sort();
      if (into.dataset.key !== known.join("\n")) {
        into.dataset.key = known.join("\n");
        into.replaceChildren(...known.map((value) => h("option", { value })));
      }
    };
    list(this.people, [this.app.me.user_id, ...images.map((image) => image.uploaded_by)]);
    list(this.labels, this.app.labels.offer([]));
  }

  /** Lists everything again. */
  clear(): void {
    this.label.value = this.by.value = "";
    this.element.dispatchEvent(new Event("input"));
    this.choose("");
  }

  close(): void {
    clearTimeout(this.typing);
  }

  private choose(state: string): void {
    this.state = state;
    for (const [other, chip] of this.chips) {
      chip.setAttribute("aria-pressed", String(other === state));
    }
    this.changed();
  }

  private field(text: string, list: string): HTMLInputElement {
    const oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(this.changed, 250);
    };
    return h("input", { class: "field", placeholder: text, "aria-label": text, list, autocomplete: "off", spellcheck: "false", oninput });
  }
}
