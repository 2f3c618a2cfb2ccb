import type { Annotation, Change } from "@easelhq/client";
import { h } from "../dom";
import { TOLD, type Paint, type Told } from "./paint";

/** What is shown of an image's annotations; empty fields leave nothing out. */
export interface Wanted {
  /** Letters of the label or of the person, in any case. */
  text: string;
  label: string;
  person: string;
  /** What is less sure, from 0 to 1, is left out, and what says no confidence too; 0: all. */
  confidence: number;
  /** Whether proposals of models are shown. */
  proposals: boolean;
}

export const ALL: Wanted = { text: "", label: "", person: "", confidence: 0, proposals: true };

/** Whether an annotation is to be shown. */
export function wants(w: Wanted, a: Pick<Annotation, "label" | "created_by" | "confidence" | "source">): boolean {
  return (
    (w.proposals || a.source !== "model") &&
    (!w.label || a.label === w.label) &&
    (!w.person || a.created_by === w.person) &&
    (w.confidence <= 0 || (a.confidence !== null && a.confidence >= w.confidence)) &&
    (!w.text || `${a.label} ${a.created_by}`.toLowerCase().includes(w.text))
  );
}

/** Of all annotations those that are wanted, kept up to date by what changes. */
export class Visible {
  private wanted = ALL;
  private readonly kept = new Map<string, Annotation>();
  /** Shown whatever is wanted: what was just drawn must not vanish. */
  private readonly pinned = new Set<string>();

  get filtering(): boolean {
    return JSON.stringify(this.wanted) !== JSON.stringify(ALL);
  }

  /** What is shown of all. */
  of(all: ReadonlyMap<string, Annotation>): ReadonlyMap<string, Annotation> {
    return this.filtering ? this.kept : all;
  }

  pin(id: string): void {
    this.pinned.add(id);
  }

  /** What a change of all is to who sees the wanted ones only. */
  take({ upserted, removed }: Change): Change {
    if (!this.filtering) {
      return { upserted, removed };
    }
    const shown = upserted.filter((a) => this.shows(a));
    const hidden = [...upserted.filter((a) => !this.shows(a)).map((a) => a.id), ...removed];
    shown.forEach((a) => this.kept.set(a.id, a));
    return { upserted: shown, removed: hidden.filter((id) => this.kept.delete(id) || removed.includes(id)) };
  }

  /** Wants something else of all; returns what that changes. */
  want(wanted: Wanted, all: ReadonlyMap<string, Annotation>): Change {
    const before = new Map(this.of(all));
    this.wanted = wanted;
    this.pinned.clear();
    this.reset(all);
    const after = this.of(all);
    return {
      upserted: [...after.values()].filter((a) => !before.has(a.id)),
      removed: [...before.keys()].filter((id) => !after.has(id)),
    };
  }

  /** All annotations are others now. */
  reset(all: ReadonlyMap<string, Annotation>): void {
    this.kept.clear();
    if (this.filtering) {
      for (const a of all.values()) {
        if (this.shows(a)) {
          this.kept.set(a.id, a);
        }
      }
    }
  }

  private shows(a: Annotation): boolean {
    return this.pinned.has(a.id) || wants(this.wanted, a);
  }
}

export interface FilterEvents {
  changed: (wanted: Wanted) => void;
  name: (user: string) => string;
}

/** The fields that say what is shown, and what its colours tell. */
export class Filter {
  readonly element: HTMLElement;
  readonly text: HTMLInputElement;
  private readonly label = select("Only this label", () => this.change({ label: this.label.value }));
  private readonly person = select("Only this person’s", () => this.change({ person: this.person.value }));
  private readonly confidence: HTMLInputElement;
  private readonly least = h("output", { class: "muted" }, "any");
  private readonly by: HTMLSelectElement;
  private readonly clear: HTMLButtonElement;
  private readonly summary = h("summary", {}, "Filter and colour");
  private wanted = ALL;

  constructor(
    paint: Paint,
    private readonly events: FilterEvents,
  ) {
    this.text = h("input", {
      class: "field",
      type: "search",
      placeholder: "Filter by label or person",
      "aria-label": "Filter annotations",
      oninput: () => this.change({ text: this.text.value.trim().toLowerCase() }),
    });
    this.confidence = h("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      value: 0,
      "aria-label": "Least confidence in percent",
      oninput: () => this.change({ confidence: Number(this.confidence.value) / 100 }),
    });
    this.by = select("Colours tell", () => paint.tell(this.by.value as Told));
    this.by.append(...Object.entries(TOLD).map(([value, text]) => h("option", { value }, text)));
    this.by.value = paint.by;
    this.clear = h("button", { class: "button small", type: "button", hidden: true, onclick: () => this.reset() }, "Show all");
    this.element = h(
      "div",
      { class: "filter" },
      this.text,
      h(
        "details",
        {},
        this.summary,
        h(
          "div",
          { class: "filter-fields" },
          line("Label", this.label),
          line("Person", this.person),
          line("Confidence", h("span", { class: "filter-range" }, this.confidence, this.least)),
          line("Colour by", this.by),
          this.clear,
        ),
      ),
    );
  }

  /** Shows or hides what models propose; returns whether it is shown now. */
  toggleProposals(): boolean {
    this.change({ proposals: !this.wanted.proposals });
    return this.wanted.proposals;
  }

  /** What there is to choose from. */
  offer(annotations: ReadonlyMap<string, Annotation>): void {
    if (!this.element.querySelector("details")!.open) {
      return; // nobody sees it
    }
    const [labels, people] = [new Set<string>(), new Set<string>()];
    for (const a of annotations.values()) {
      labels.add(a.label);
      people.add(a.created_by);
    }
    options(this.label, "All labels", [...labels].sort().map((label) => [label, label]));
    options(this.person, "Everybody", [...people].sort().map((user) => [user, this.events.name(user)]));
  }

  /** Calls fn when the fields come into sight. */
  onOpen(fn: () => void): void {
    this.element.querySelector("details")!.addEventListener("toggle", fn);
  }

  private reset(): void {
    this.text.value = this.label.value = this.person.value = "";
    this.confidence.value = "0";
    this.change({ ...ALL, proposals: this.wanted.proposals });
    this.summary.focus();
  }

  private change(some: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...some };
    const { text, label, person, confidence } = this.wanted;
    const narrowed = [text, label, person, confidence > 0].filter(Boolean).length;
    this.least.textContent = confidence > 0 ? `≥ ${Math.round(confidence * 100)} %` : "any";
    this.summary.textContent = narrowed > 0 ? `Filter and colour (${narrowed})` : "Filter and colour";
    this.clear.hidden = narrowed === 0;
    this.events.changed(this.wanted);
  }
}

function select(label: string, onchange: () => void): HTMLSelectElement {
  return h("select", { class: "field", "aria-label": label, onchange });
}

function line(text: string, field: HTMLElement): HTMLElement {
  return h("div", { class: "filter-line" }, h("span", { "aria-hidden": "true" }, text), field);
}

/** Offers these, and keeps what is chosen, even if nothing has it any more. */
function options(field: HTMLSelectElement, all: string, values: [string, string][]): void {
  const chosen = field.value;
  const list: [string, string][] = [["", all], ...values];
  if (chosen && !values.some(([value]) => value === chosen)) {
    list.push([chosen, chosen]);
  }
  const key = JSON.stringify(list);
  if (field.dataset.key !== key) {
    field.dataset.key = key;
    field.replaceChildren(...list.map(([value, text]) => h("option", { value }, text)));
    field.value = chosen;
  }
}
