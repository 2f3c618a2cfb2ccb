import type { Annotation } from "@easelhq/client";
import { h, iconButton } from "../dom";
import type { Labels } from "../labels";
import { proposed } from "./paint";
import type { Stage } from "./stage";

const MAX_LABEL = 100; // code points
const SUGGESTIONS = 12;

export interface PopoverEvents {
  label: (id: string, label: string) => void;
  remove: (id: string) => void;
  judge: (accept: boolean, id: string) => void;
  done: () => void;
}

/** Names the selected box, next to it. */
export class Popover {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly suggestions = h("div", { class: "suggestions" });
  private readonly model = h("span", { class: "muted" });
  private readonly judging: HTMLElement;
  private box: Annotation | null = null;
  private dirty = false;
  /** What is offered for this box: an order that changed with every edit of somebody's would move chips away under a pointer. */
  private offered: readonly string[] = [];
  private suggested = "";

  constructor(
    private readonly stage: Stage,
    private readonly events: PopoverEvents,
    private readonly labels: Labels,
  ) {
    this.input = h("input", {
      class: "field",
      "aria-label": "Label",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => (this.dirty = true),
      onblur: () => this.save(),
    });
    const judge = (text: string, accept: boolean) =>
      h("button", { class: "button small", type: "button", onclick: () => this.box && this.events.judge(accept, this.box.id) }, text);
    this.judging = h("div", { class: "popover-judge", hidden: true }, this.model, judge("Accept", true), judge("Reject", false));
    this.element = h(
      "form",
      {
        class: "popover card",
        hidden: true,
        onsubmit: (e: Event) => {
          e.preventDefault();
          this.save();
          this.events.done();
        },
        onkeydown: (e: KeyboardEvent) => {
          if (e.key === "Escape") {
            this.dirty = false;
            this.events.done();
          }
          e.stopPropagation(); // Delete in here means a letter
        },
        onpointerdown: (e: Event) => e.stopPropagation(),
      },
      h(
        "div",
        { class: "popover-line" },
        this.input,
        iconButton("trash", "Delete box", () => this.box && this.events.remove(this.box.id)),
      ),
      this.judging,
      this.suggestions,
    );
  }

  /** Opens at a box, or closes. Typing that nobody has saved yet is kept. */
  show(box: Annotation | null, labels: string[], focus: boolean, mayJudge = false): void {
    if (this.box && this.box.id !== box?.id) {
      this.save();
    }
    const other = this.box?.id !== box?.id;
    this.box = box;
    this.element.hidden = !box;
    if (!box) {
      return;
    }
    if (other || (!this.dirty && this.input.value !== box.label)) {
      this.input.value = box.label;
      this.dirty = false;
    }
    this.judging.hidden = !proposed(box);
    this.model.textContent = [box.model || "a model", box.confidence === null ? "" : `${Math.round(box.confidence * 100)} %`].filter(Boolean).join(" · ");
    this.judging.querySelectorAll("button").forEach((button) => (button.hidden = !mayJudge));
    if (other) {
      this.offered = labels.slice(0, SUGGESTIONS + 1);
    }
    this.suggest(this.offered.filter((label) => label !== box.label).slice(0, SUGGESTIONS));
    this.place();
    if (focus) {
      this.input.focus();
      this.input.select();
    }
  }

  /** Puts in what was typed before the field was there. */
  type(text: string): void {
    if (text) {
      this.input.value = text;
      this.dirty = true;
    }
  }

  private suggest(labels: readonly string[]): void {
    const key = JSON.stringify(labels.map((label) => [label, this.labels.color(label), this.labels.keyOf(label)]));
    if (key === this.suggested) {
      return; // a chip that is replaced loses a click in progress
    }
    this.suggested = key;
    const chips = labels.map((label) => {
      const onclick = () => {
        this.input.value = label;
        this.dirty = true;
        this.save();
        this.events.done();
      };
      const shortcut = this.labels.keyOf(label);
      return h("button", { type: "button", class: "chip", style: `--tint: ${this.labels.color(label)}`, onclick }, label, shortcut && h("kbd", {}, shortcut));
    });
    this.suggestions.replaceChildren(...chips);
  }

  /** Follows the box over the screen, and stays inside the stage. */
  place(): void {
    if (!this.box) {
      return;
    }
    const at = this.stage.place(this.box);
    const { clientWidth, clientHeight } = this.stage.element;
    const { offsetWidth: w, offsetHeight: hgt } = this.element;
    const gap = 12;
    let top = at.top + at.height + gap;
    if (top + hgt > clientHeight) {
      top = at.top - hgt - gap - 20;
    }
    const inside = (v: number, most: number) => Math.max(gap, Math.min(v, most - gap));
    this.element.style.transform = `translate(${inside(at.left, clientWidth - w)}px, ${inside(top, clientHeight - hgt)}px)`;
  }

  private save(): void {
    const label = this.labels.meant([...this.input.value.trim()].slice(0, MAX_LABEL).join(""));
    if (this.box && this.dirty && label && label !== this.box.label) {
      this.events.label(this.box.id, label);
    }
    this.dirty = false;
  }
}
