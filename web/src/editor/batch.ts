import type { Annotation, Change } from "@easelhq/client";

/** When frames come; tests say so themselves. */
export interface Frames {
  request: (fn: () => void) => number;
  cancel: (frame: number) => void;
}

/**
 * Gathers changes until the next frame, so that a burst of versions costs one
 * drawing. The last word on an id counts. A page that nobody sees gets no
 * frames: what is gathered then is at most one entry for each id.
 */
export class Batch {
  private readonly upserted = new Map<string, Annotation>();
  private readonly removed = new Set<string>();
  private frame = 0;

  constructor(
    private readonly apply: (change: Change) => void,
    private readonly frames: Frames = { request: (fn) => requestAnimationFrame(fn), cancel: (frame) => cancelAnimationFrame(frame) },
  ) {}

  add(change: Change): void {
    for (const a of change.upserted) {
      this.removed.delete(a.id);
      this.upserted.set(a.id, a);
    }
    for (const id of change.removed) {
      this.upserted.delete(id);
      this.removed.add(id);
    }
    this.frame ||= this.frames.request(() => this.flush());
  }

  /** Applies now what was gathered, because somebody is about to rely on it. */
  flush(): void {
    this.close();
    if (this.upserted.size + this.removed.size === 0) {
      return;
    }
    const change = { upserted: [...this.upserted.values()], removed: [...this.removed] };
    this.upserted.clear();
    this.removed.clear();
    this.apply(change);
  }

  /** Waits for no frame any more. */
  close(): void {
    this.frames.cancel(this.frame);
    this.frame = 0;
  }
}
