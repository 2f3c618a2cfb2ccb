import type { Annotation, Change } from "@easelhq/client";
import { Batch, type Frames } from "./batch";
import { Visible, type Wanted } from "./filter";

type Annotations = ReadonlyMap<string, Annotation>;

export interface SceneEvents {
  /** The image's annotations at present. */
  now: () => Annotations;
  /** What this changes on the picture. */
  draw: (change: Change) => void;
  /** Something has changed that a page may show. */
  changed: () => void;
}

/**
 * Which annotations are shown: those of now, as they come, or those of an earlier
 * version; and of these the ones that are wanted.
 */
export class Scene {
  private then: Annotations | null = null;
  private readonly visible = new Visible();
  private readonly changes: Batch;

  constructor(
    private readonly events: SceneEvents,
    frames?: Frames,
  ) {
    this.changes = new Batch((change) => {
      if (!this.then) {
        events.draw(this.visible.take(change));
      }
      events.changed();
    }, frames);
  }

  /** All there is now, or was then, whether it is wanted or not. */
  get all(): Annotations {
    return this.then ?? this.events.now();
  }

  /** What is shown of it. */
  get shown(): Annotations {
    return this.visible.of(this.all);
  }

  /** Whether an earlier version is looked at. */
  get past(): boolean {
    return this.then !== null;
  }

  /** Takes a change of what there is now; it is drawn with the next frame. */
  add(change: Change): void {
    this.changes.add(change);
  }

  /** Draws what has been added, because somebody is about to rely on it. */
  flush(): void {
    this.changes.flush();
  }

  /** Shows an annotation whatever is wanted. */
  pin(id: string): void {
    this.visible.pin(id);
  }

  want(wanted: Wanted): void {
    this.events.draw(this.visible.want(wanted, this.all));
    this.events.changed();
  }

  /** Draws all of it, on a picture that has nothing yet. */
  begin(): void {
    this.visible.reset(this.all);
    this.events.draw({ upserted: [...this.shown.values()], removed: [] });
  }

  /** Whether that version, or with null the present one, is what is shown. */
  at(then: Annotations | null): boolean {
    return then === this.then;
  }

  /** Shows another version, or with null the present one. */
  travel(then: Annotations | null): void {
    const before = new Map(this.shown);
    this.then = then;
    this.visible.reset(this.all);
    const after = this.shown;
    this.events.draw({ upserted: [...after.values()], removed: [...before.keys()].filter((id) => !after.has(id)) });
  }

  close(): void {
    this.changes.close();
  }
}
