import { type Annotation, type Draft, Emitter, merged, newID, type Op, type Patch, patched, type Rejection } from "@easelhq/client";
import type { LocalStore } from "./local-store";

/** An edit that did not come through, kept until its author has decided. */
export interface Conflict {
  image: string;
  /** The annotation it is about. */
  id: string;
  at: string;
  code: string;
  message: string;
  /** The registers that were to change; null where it was to be deleted. */
  set: Patch | null;
  /** The whole annotation as it was wanted, for one that is gone; null if that is not known. */
  mine: Draft | null;
}

/** What a person's edits ran into, on all images, in this browser. */
export class Conflicts extends Emitter<{ change: string }> {
  private constructor(
    private readonly store: LocalStore,
    private readonly person: string,
    private readonly all: Map<string, Conflict>,
  ) {
    super();
  }

  static async open(store: LocalStore, person: string): Promise<Conflicts> {
    const kept = await store.values<Conflict>("conflicts", [person]);
    return new Conflicts(store, person, new Map(kept.map((c) => [c.id, c])));
  }

  /** What is open on an image, oldest first. */
  of(image: string): Conflict[] {
    return [...this.all.values()].filter((c) => c.image === image);
  }

  /** Keeps what was rejected; returns how many conflicts there are now to decide. */
  add(image: string, { ops, was, code, message }: Rejection): number {
    let added = 0;
    for (const op of ops) {
      if (code === "gone" && op.k === "del") {
        continue; // two people deleted the same
      }
      const earlier = this.all.get(op.id);
      const conflict: Conflict = {
        image,
        id: op.id,
        at: new Date().toISOString(),
        code,
        message,
        set: op.k === "del" ? null : op.k === "put" ? op.annotation : merged(earlier?.set ?? {}, op.set),
        mine: wanted(op, earlier?.mine ?? was[op.id] ?? null),
      };
      this.all.set(op.id, conflict);
      this.store.write("conflicts", [[[this.person, image, op.id], conflict]]);
      added++;
    }
    if (added > 0) {
      this.emit("change", image);
    }
    return added;
  }

  /** The author has decided. */
  settle({ image, id }: Conflict): void {
    this.all.delete(id);
    this.store.write("conflicts", [], [[this.person, image, id]]);
    this.emit("change", image);
  }
}

function wanted(op: Op, was: Draft | null): Draft | null {
  switch (op.k) {
    case "del":
      return null;
    case "put":
      return op.annotation;
    case "patch":
      return was ? patched(was, op.set) : null;
  }
}

/** The ops that carry out what a conflict's author wanted, over what is there now. */
export function insist({ id, set, mine }: Conflict, now: Annotation | undefined): Op[] {
  if (now) {
    return [set ? { k: "patch", id, set } : { k: "del", id }];
  }
  return set && mine ? [{ k: "put", id: newID(), annotation: mine }] : []; // a delete is final
}
