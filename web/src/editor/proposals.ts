import type { Annotation } from "@easelhq/client";
import { h, iconButton } from "../dom";
import { proposed, type Paint } from "./paint";
import { VirtualList } from "./virtual-list";

export interface ProposalEvents {
  select: (id: string) => void;
  /** Judges these; resolves once the server has answered. */
  judge: (accept: boolean, ids: string[]) => Promise<void>;
  /** Accepts all that are at least so sure. */
  acceptFrom: (confidence: number) => Promise<void>;
  /** Shows or hides the layer; returns whether it is shown now. */
  toggle: () => boolean;
}

/** What a threshold parts: those at least so sure, and those that are less. */
export function part(all: Iterable<Annotation>, threshold: number): { sure: Annotation[]; unsure: Annotation[] } {
  const said = [...all].filter((a) => a.confidence !== null);
  return { sure: said.filter((a) => a.confidence! >= threshold), unsure: said.filter((a) => a.confidence! < threshold) };
}

/** The surest first; what says no confidence comes last. */
export function surestFirst(all: Iterable<Annotation>): Annotation[] {
  return [...all].sort((a, b) => (b.confidence ?? -1) - (a.confidence ?? -1) || (a.id < b.id ? 1 : -1));
}

/** What models propose for this image, until a reviewer has judged it. */
export class Proposals {
  readonly element: HTMLElement;
  private readonly counter = h("span", { class: "pill" }, "0");
  private readonly list = h("ul", { class: "boxes proposals-list" });
  private readonly inSight = new VirtualList<Annotation>(this.list, (a) => this.row(a));
  private readonly threshold: HTMLInputElement;
  private readonly percent = h("output", { class: "muted" }, "50 %");
  private readonly accept = button("Accept", () => this.busily(() => this.events.acceptFrom(this.least)));
  private readonly reject = button("Reject", () => this.busily(() => this.events.judge(false, part(this.all, this.least).unsure.map((a) => a.id))));
  private readonly eye: HTMLButtonElement;
  private readonly judging: HTMLElement;
  private readonly note = h("p", { class: "muted small-text" }, "A reviewer accepts or rejects them.");
  private readonly rows = new Map<string, HTMLElement>();
  private all: Annotation[] = [];
  private selected: readonly string[] = [];
  private mayJudge = false;
  private busy = false;

  constructor(
    private readonly paint: Paint,
    private readonly events: ProposalEvents,
  ) {
    this.eye = iconButton("eye", "Show predictions (M)", () => this.toggle(), { "aria-pressed": "true" });
    this.threshold = h("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      value: 50,
      "aria-label": "Threshold of confidence in percent",
      oninput: () => this.count(),
    });
    this.judging = h("div", { class: "proposals-judge" }, h("span", { class: "filter-range" }, this.threshold, this.percent), h("footer", {}, this.accept, this.reject));
    this.element = h(
      "section",
      { class: "proposals", hidden: true, "aria-label": "Predictions" },
      h("header", {}, h("b", {}, "Predictions"), this.counter, h("span", { class: "grow" }), this.eye),
      this.judging,
      this.note,
      this.list,
    );
  }

  /** Shows the proposals among annotations. */
  show(annotations: ReadonlyMap<string, Annotation>, selected: readonly string[], mayJudge: boolean): void {
    this.all = surestFirst([...annotations.values()].filter(proposed));
    this.selected = selected;
    this.mayJudge = mayJudge;
    this.element.hidden = this.all.length === 0;
    this.counter.textContent = String(this.all.length);
    this.judging.hidden = !mayJudge;
    this.note.hidden = mayJudge;
    this.count();
    this.inSight.show(this.all);
    for (const [id, row] of this.rows) {
      if (!annotations.has(id) || !row.isConnected) {
        this.rows.delete(id);
      }
    }
  }

  /** The proposal after one in the list, or before it; null if there is no other. */
  next(id: string, by = 1): string | null {
    const at = this.all.findIndex((a) => a.id === id);
    const other = this.all[at < 0 ? 0 : (at + by + this.all.length) % this.all.length];
    return other && other.id !== id ? other.id : null;
  }

  toggle(): void {
    const shown = this.events.toggle();
    this.eye.setAttribute("aria-pressed", String(shown));
    this.element.classList.toggle("off", !shown);
  }

  close(): void {
    this.inSight.close();
  }

  private get least(): number {
    return Number(this.threshold.value) / 100;
  }

  private count(): void {
    const { sure, unsure } = part(this.all, this.least);
    const percent = `${this.threshold.value} %`;
    this.percent.textContent = percent;
    this.threshold.setAttribute("aria-valuetext", `${percent}: ${sure.length} at or above, ${unsure.length} below`);
    this.accept.textContent = `Accept ${sure.length} above`;
    this.reject.textContent = `Reject ${unsure.length} below`;
    this.accept.disabled = this.busy || sure.length === 0;
    this.reject.disabled = this.busy || unsure.length === 0;
  }

  /** One judgement at a time. */
  private async busily(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.count();
    await act();
    this.busy = false;
    this.count();
  }

  private row(a: Annotation): HTMLElement {
    const tint = this.paint.color(a);
    const key = [tint, a.label, a.model, a.confidence, this.mayJudge].join("\n");
    let row = this.rows.get(a.id);
    if (!row || row.dataset.key !== key) {
      const judge = (accept: boolean) => void this.events.judge(accept, [a.id]);
      row = h(
        "li",
        { "data-id": a.id, "data-key": key },
        h(
          "button",
          { class: "row", type: "button", onclick: () => this.events.select(a.id) },
          h("span", { class: "dot dashed", style: `--tint: ${tint}` }),
          h("span", { class: "row-label", title: a.label }, a.label),
          a.confidence !== null && h("span", { class: "pill" }, `${Math.round(a.confidence * 100)} %`),
          h("small", { title: a.model ?? "" }, a.model || "a model"),
        ),
        this.mayJudge && iconButton("check", `Accept ${a.label}`, () => judge(true)),
        this.mayJudge && iconButton("close", `Reject ${a.label}`, () => judge(false)),
      );
      this.rows.set(a.id, row);
    }
    row.classList.toggle("selected", this.selected.includes(a.id));
    return row;
  }
}

function button(text: string, onclick: () => Promise<void>): HTMLButtonElement {
  return h("button", { class: "button small", type: "button", onclick: () => void onclick() }, text);
}
