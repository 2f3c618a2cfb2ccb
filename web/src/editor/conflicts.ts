import { insist, type Conflict, type Conflicts } from "../conflicts";
import type { Annotation, Op } from "@easelhq/client";
import { h } from "../dom";

export interface ConflictEvents {
  commit: (ops: Op[]) => void;
  look: (id: string) => void;
  annotation: (id: string) => Annotation | undefined;
  name: (user: string) => string;
}

/** The edits on this image that did not come through, until their author decides. */
export class ConflictList {
  private drawn = "";
  readonly element = h("section", { class: "conflicts", hidden: true, "aria-label": "Not saved", "aria-live": "polite" });

  constructor(
    private readonly image: string,
    private readonly conflicts: Conflicts,
    private readonly events: ConflictEvents,
  ) {}

  draw(): void {
    const open = this.conflicts.of(this.image);
    const key = JSON.stringify(open.map((c) => [c, this.events.annotation(c.id)?.label, this.events.annotation(c.id)?.updated_by]));
    if (key === this.drawn) {
      return; // a button that is replaced loses a click in progress
    }
    this.drawn = key;
    this.element.hidden = open.length === 0;
    this.element.replaceChildren(
      h("header", {}, h("b", {}, "Not saved"), h("span", { class: "pill" }, String(open.length))),
      h("ul", {}, ...open.map((conflict) => this.line(conflict))),
    );
  }

  private line(conflict: Conflict): HTMLElement {
    const now = this.events.annotation(conflict.id);
    const settle = (ops: Op[]) => {
      this.conflicts.settle(conflict);
      if (ops.length > 0) {
        this.events.commit(ops);
      }
    };
    const arguable = conflict.code === "conflict" || conflict.code === "gone";
    const mine = arguable ? insist(conflict, now) : [];
    const button = (text: string, onclick: () => void) => h("button", { class: "button small", type: "button", onclick }, text);
    return h(
      "li",
      { "data-id": conflict.id },
      h("p", {}, this.tell(conflict, now)),
      h(
        "footer",
        {},
        mine.length > 0 && button(now ? "Use mine" : "Put it back", () => settle(mine)),
        button(arguable && now ? "Keep theirs" : "Dismiss", () => settle([])),
        now && button("Show", () => this.events.look(conflict.id)),
      ),
    );
  }

  private tell({ code, message, set, mine }: Conflict, now: Annotation | undefined): string {
    const label = now?.label ?? mine?.label;
    const what = label ? `“${label}”` : "a box";
    const deed = set === null ? `You deleted ${what}` : "x" in set ? `You moved ${what}` : `You changed ${what}`;
    if (code === "gone") {
      return `${deed}, and somebody deleted it meanwhile.`;
    }
    if (code === "conflict") {
      return `${deed}, and ${now ? this.events.name(now.updated_by) : "somebody"} changed it meanwhile.`;
    }
    return `${deed}, and that was refused: ${message}`;
  }
}
