import type { Frame } from "./outbox.js";
import type { Annotation, Draft, Effect, Op, Shape, Since } from "./protocol.js";
import { patched, same as equal } from "./rebase.js";

/** What became different in a view. */
export interface Change {
  upserted: Annotation[];
  removed: string[];
}

/** An image's annotations at one version, as a program may keep them. */
export interface Kept {
  since: Since;
  annotations: Annotation[];
}

/**
 * One image's annotations: what the server has confirmed up to a version, and
 * over it what this client has said and not yet seen come back. It is plain
 * state: whoever changes it asks `refresh` what that changed in the view.
 */
export class Replica {
  /** What the confirmed part shows, or null before the first snapshot. */
  since: Since | null = null;
  private confirmed = new Map<string, Annotation>();
  private shown = new Map<string, Annotation>();

  constructor(
    private readonly image: string,
    private readonly user: string,
  ) {}

  /** The annotations as they are to be drawn. */
  get view(): ReadonlyMap<string, Annotation> {
    return this.shown;
  }

  /** Replaces the confirmed part; returns the ids that may look different. */
  reset(since: Since, annotations: Annotation[]): Set<string> {
    const touched = new Set(this.confirmed.keys());
    this.confirmed = new Map(annotations.map((a) => [a.id, a]));
    for (const a of annotations) {
      touched.add(a.id);
    }
    this.since = since;
    return touched;
  }

  /** What is confirmed, in order to go on from it later; null before the first snapshot. */
  get kept(): Kept | null {
    return this.since && { since: this.since, annotations: [...this.confirmed.values()] };
  }

  /** Applies one version; returns the ids that may look different. */
  apply(ver: number, effects: Effect[]): Set<string> {
    for (const e of effects) {
      if (e.k === "del" || !e.annotation) {
        this.confirmed.delete(e.id);
      } else {
        this.confirmed.set(e.id, e.annotation);
      }
    }
    if (this.since) {
      this.since = { epoch: this.since.epoch, ver };
    }
    return new Set(effects.map((e) => e.id));
  }

  /** Looks at ids again with the overlay on top. */
  refresh(ids: Iterable<string>, overlay: readonly Frame[]): Change {
    const change: Change = { upserted: [], removed: [] };
    for (const id of ids) {
      const before = this.shown.get(id);
      const after = this.effective(id, overlay);
      if (!after) {
        if (before) {
          this.shown.delete(id);
          change.removed.push(id);
        }
      } else if (!before || !same(before, after)) {
        this.shown.set(id, after);
        change.upserted.push(after);
      }
    }
    return change;
  }

  /** What an annotation is with overlay on top of what is confirmed. */
  effective(id: string, overlay: readonly Frame[]): Annotation | undefined {
    let a = this.confirmed.get(id);
    for (const frame of overlay) {
      for (const op of frame.ops) {
        if (op.id === id) {
          a = this.effect(a, op);
        }
      }
    }
    return a;
  }

  private effect(a: Annotation | undefined, op: Op): Annotation | undefined {
    switch (op.k) {
      case "del":
        return undefined;
      case "patch":
        return a && { ...patched(a, op.set), confidence: op.set.confidence === undefined ? a.confidence : op.set.confidence };
      case "put": {
        // A put that came back already is in the confirmed part, perhaps changed since.
        const now = new Date().toISOString();
        return (
          a ?? {
            ...plain(op.annotation),
            id: op.id,
            image_id: this.image,
            confidence: op.annotation.confidence ?? null,
            created_by: this.user,
            created_at: now,
            updated_by: this.user,
            updated_at: now,
            rev: 0,
          }
        );
      }
    }
  }
}

/** A draft as an annotation shows it: a plain box has no shape. */
function plain({ shape, ...draft }: Draft): Omit<Draft, "shape"> & { shape?: Shape } {
  return shape ? { ...draft, shape } : draft;
}

function same(a: Annotation, b: Annotation): boolean {
  return (
    a.rev === b.rev &&
    a.label === b.label &&
    a.x === b.x &&
    a.y === b.y &&
    a.width === b.width &&
    a.height === b.height &&
    a.confidence === b.confidence &&
    a.source === b.source &&
    equal(a.shape, b.shape) &&
    equal(a.attributes, b.attributes) &&
    a.updated_by === b.updated_by
  );
}

/** The ids that a frame's ops name. */
export function idsOf(frames: Iterable<Frame>): Set<string> {
  const ids = new Set<string>();
  for (const f of frames) {
    for (const op of f.ops) {
      ids.add(op.id);
    }
  }
  return ids;
}
