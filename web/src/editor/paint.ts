import { type Annotation, Emitter } from "@easelhq/client";
import { colorOf } from "../colors";
import type { Labels } from "../labels";

/** What an annotation's colour tells. */
export const TOLD = { label: "Label", person: "Person", confidence: "Confidence" } as const;

export type Told = keyof typeof TOLD;

const KEY = "easel:colour-by";

/** From unsure to sure; told apart without red and green, too. */
const STEPS = ["#b3213a", "#c2410c", "#8f5f00", "#0b7490", "#2563eb"] as const;

const UNSAID = "#4f6078";

/** How annotations are drawn: the one place that says so, for picture, labels and list. */
export class Paint extends Emitter<{ change: null }> {
  private told = kept();
  /** Listens to the schema no more. */
  readonly close: () => void;

  constructor(private readonly labels: Labels) {
    super();
    this.close = labels.on("change", () => this.emit("change", null));
  }

  get by(): Told {
    return this.told;
  }

  /** Lets colours tell something else, from now on and in later pages. */
  tell(by: Told): void {
    if (this.told !== by) {
      this.told = by;
      try {
        localStorage.setItem(KEY, by);
      } catch {
        // It holds for this page.
      }
      this.emit("change", null);
    }
  }

  color(a: Pick<Annotation, "label" | "created_by" | "confidence">): string {
    switch (this.told) {
      case "label":
        return this.labels.color(a.label);
      case "person":
        return colorOf(a.created_by);
      case "confidence":
        return sureness(a.confidence);
    }
  }
}

/** Whether an annotation is what a model proposes, and nobody has judged yet. */
export function proposed(a: Pick<Annotation, "source">): boolean {
  return a.source === "model";
}

/** The colour of a confidence from 0 to 1; null is told by a grey of its own. */
export function sureness(confidence: number | null): string {
  return confidence === null ? UNSAID : STEPS[Math.min(STEPS.length - 1, Math.floor(confidence * STEPS.length))]!;
}

function kept(): Told {
  try {
    const by = localStorage.getItem(KEY) ?? "";
    return Object.hasOwn(TOLD, by) ? (by as Told) : "label";
  } catch {
    return "label";
  }
}
