import type { Annotation, Change } from "@easelhq/client";
import type { Place } from "./shapes";

/** What the hand has left behind when it lets go. */
export interface Release {
  /** Where what was moved is now. */
  places: Map<string, Place>;
  /** What happened meanwhile to what was in hand: the last of it. */
  late: Change;
}

/**
 * What a person has hold of on the picture, from the press to its end. Whatever comes
 * from elsewhere meanwhile, an answer of the server, another's edit, a filter, is put
 * aside: taking the shape away under a pointer that is down would end the drag, and
 * nobody could tell why. Plain state, without a page.
 */
export class Grip {
  private pointer: number | null = null;
  private pressed: readonly string[] = [];
  private readonly moved = new Map<string, Place>();
  private readonly aside = new Map<string, Annotation | null>(); // null: gone

  /** Whether a pointer is down on something. */
  get down(): boolean {
    return this.pointer !== null;
  }

  /** Whether that pointer is the one that is down. */
  by(pointer: number): boolean {
    return this.pointer === pointer;
  }

  has(id: string): boolean {
    return this.moved.has(id) || this.pressed.includes(id);
  }

  press(pointer: number, ids: readonly string[]): void {
    [this.pointer, this.pressed] = [pointer, ids];
  }

  move(id: string, at: Place): void {
    this.moved.set(id, at);
  }

  /** Takes out of a change what is in hand. */
  sift({ upserted, removed }: Change): Change {
    const free: Change = { upserted: [], removed: [] };
    for (const a of upserted) {
      this.has(a.id) ? this.aside.set(a.id, a) : free.upserted.push(a);
    }
    for (const id of removed) {
      this.has(id) ? this.aside.set(id, null) : free.removed.push(id);
    }
    return free;
  }

  release(): Release {
    const places = new Map(this.moved);
    const late: Change = { upserted: [], removed: [] };
    for (const [id, a] of this.aside) {
      a ? late.upserted.push(a) : late.removed.push(id);
    }
    [this.pointer, this.pressed] = [null, []];
    this.moved.clear();
    this.aside.clear();
    return { places, late };
  }
}
