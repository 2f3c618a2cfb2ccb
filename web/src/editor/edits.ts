import type { App } from "../app";
import type { Value } from "../attributes";
import { draftOf, newID, type Annotation, type History, type Op, type Phase, type Rejection, type Session } from "@easelhq/client";
import { askText } from "../dialog";
import { toast } from "../dom";
import { cut, shift, type Place } from "./shapes";

const LAST_LABEL = "easel:label";

/** Ops of one transaction; each fits in a frame. */
const MOST_OPS = 200;

const MOST_LABEL = 100; // code points

/** What edits need of the page around them. */
export interface EditEvents {
  editable: () => boolean;
  selection: () => string[];
  /** The size of a pixel of the screen in fractions of the image; undefined while there is no picture. */
  pixel: () => { x: number; y: number } | undefined;
  /** Ops were sent: brings them onto the picture. */
  sent: () => void;
  /** Anything has changed that a page may show. */
  changed: () => void;
  select: (ids: string[]) => void;
  name: (user: string) => string;
}

/** What this person does to an image's annotations, and how it is taken back. */
export class Edits {
  /** An undo that waits for its edit to be confirmed. */
  private waiting: (() => void) | null = null;

  constructor(
    private readonly app: App,
    private readonly image: string,
    private readonly session: Session,
    private readonly history: History,
    private readonly events: EditEvents,
  ) {}

  get canUndo(): boolean {
    return this.history.canUndo;
  }

  get canRedo(): boolean {
    return this.history.canRedo;
  }

  /** Adds what was drawn, under the label used last; returns its id, which before is told first. */
  draw(at: Place, before: (id: string) => void): string {
    const id = newID();
    before(id);
    this.commit([{ k: "put", id, annotation: { label: localStorage.getItem(LAST_LABEL) || "object", ...at } }]);
    return id;
  }

  /** Says something of the image as a whole. */
  async addTag(): Promise<void> {
    const label = this.events.editable() && (await askText("Tag the image", "Tag", ""));
    if (label && this.events.editable()) {
      const annotation = { label: [...label].slice(0, MOST_LABEL).join(""), x: 0, y: 0, width: 1, height: 1, shape: { type: "tag" as const } };
      this.commit([{ k: "put", id: newID(), annotation }]);
    }
  }

  /** Cuts a ring out of the smallest polygon around it; returns its id, or null if there is none. */
  cutHole({ shape }: Place): string | null {
    const ring = shape?.type === "polygon" ? shape.points : [];
    const around = [...this.session.annotations.values()]
      .map((a) => ({ a, set: this.events.editable() && a.width * a.height > 0 ? cut(a, ring as [number, number][]) : null }))
      .filter(({ set }) => set !== null)
      .sort((p, q) => p.a.width * p.a.height - q.a.width * q.a.height)[0];
    if (!around) {
      toast("A hole has to lie inside of a polygon or a box, and beside its other holes.", "error");
      return null;
    }
    this.commit([{ k: "patch", id: around.a.id, set: around.set! }]);
    return around.a.id;
  }

  fillHoles(id: string): void {
    const a = this.session.annotations.get(id);
    if (this.events.editable() && a?.shape?.type === "polygon") {
      const { x, y, width, height } = a;
      this.commit([{ k: "patch", id, set: { x, y, width, height, shape: { type: "polygon", points: a.shape.points } } }]);
    }
  }

  /** Sets one attribute of one annotation; null removes it. */
  attribute(id: string, name: string, value: Value | null): void {
    if (this.events.editable() && this.session.annotations.has(id)) {
      this.commit([{ k: "patch", id, set: { attributes: { [name]: value } } }]);
    }
  }

  label(id: string, label: string): void {
    localStorage.setItem(LAST_LABEL, label);
    if (this.events.editable() && this.session.annotations.has(id)) {
      this.commit([{ k: "patch", id, set: { label } }]);
    }
  }

  /** Gives everything that is selected a label; false if nothing is. */
  labelSelected(label: string): boolean {
    const { selected } = this;
    if (!this.events.editable() || selected.length === 0) {
      return false;
    }
    localStorage.setItem(LAST_LABEL, label);
    const other = selected.filter((a) => a.label !== label);
    if (other.length > 0) {
      this.commit(other.map((a) => ({ k: "patch", id: a.id, set: { label } })));
    }
    return true;
  }

  /** Saves where things were moved to. Who lets go last counts, whatever it has become meanwhile. */
  move(places: Map<string, Place>): void {
    const ops: Op[] = [];
    for (const [id, at] of places) {
      const now = this.session.annotations.get(id);
      if (now) {
        ops.push({ k: "patch", id, set: now.shape && !at.shape ? { ...at, shape: null } : at });
      }
    }
    if (ops.length < places.size) {
      toast("What you moved was deleted in the meantime.", "error");
    }
    if (ops.length > 0) {
      this.commit(ops);
    }
  }

  /** Moves what is selected by so many pixels of the screen. */
  nudge(dx: number, dy: number): void {
    const pixel = this.events.pixel();
    const { selected } = this;
    if (this.events.editable() && pixel && selected.length > 0) {
      this.commit(selected.map((a) => ({ k: "patch", id: a.id, set: shift(a, dx * pixel.x, dy * pixel.y) })));
    }
  }

  /** Puts a copy beside what is selected, and selects it. */
  duplicate(): void {
    const pixel = this.events.pixel();
    const { selected } = this;
    if (!this.events.editable() || !pixel || selected.length === 0) {
      return;
    }
    const copies = selected.map((a) => ({ ...draftOf(a), ...shift(a, 12 * pixel.x, 12 * pixel.y) }));
    const ops = copies.map((annotation): Op => ({ k: "put", id: newID(), annotation }));
    this.commit(ops);
    this.events.select(ops.map((op) => op.id));
  }

  remove(ids: string[]): void {
    const known = ids.filter((id) => this.session.annotations.has(id));
    if (this.events.editable() && known.length > 0) {
      this.commit(known.map((id) => ({ k: "del", id })));
    }
  }

  commit(ops: Op[]): void {
    this.history.record(this.session.annotations, ops);
    this.keep();
    this.send(ops);
    this.events.changed();
  }

  /** Undoes (or does again) this person's last deed, as far as nobody has changed it since. */
  takeBack(back: boolean): void {
    const { session, history } = this;
    if (!session.loaded || !this.events.editable()) {
      return;
    }
    if (session.unsettled(history.touches(back))) {
      // Only a confirmed edit has the rev that protects the work of others.
      if (session.status.phase === "live") {
        this.waiting = () => this.takeBack(back);
      } else {
        toast("This edit has not reached the server yet. It can be undone when you are online again.");
      }
      return;
    }
    this.waiting = null;
    const plan = back ? history.undo(session.annotations) : history.redo(session.annotations);
    if (!plan) {
      toast(back ? "There is nothing to undo." : "There is nothing to redo.");
      return;
    }
    this.keep();
    if (plan.ops.length > 0) {
      this.send(plan.ops);
    }
    if (plan.kept.length > 0) {
      const people = [...new Set(plan.kept.map((k) => k.by ?? "somebody"))].map((user) => this.events.name(user)).join(", ");
      toast(`Left alone, because it was changed since: ${plan.kept.length === 1 ? "1 box" : `${plan.kept.length} boxes`} (${people}).`, "error");
    }
    this.events.changed();
  }

  /** An undo that waits is tried after each news of a live session, and given up without one. */
  settle(phase: Phase): void {
    if (phase !== "live") {
      this.waiting = null;
    } else if (this.waiting) {
      queueMicrotask(() => this.waiting?.());
    }
  }

  /** What was refused cannot be undone. The list beside the picture lets its author decide. */
  rejected({ ops }: Rejection): void {
    this.history.forget(new Set(ops.map((op) => op.id)));
    this.keep();
    this.events.changed();
  }

  private get selected(): Annotation[] {
    return this.events
      .selection()
      .map((id) => this.session.annotations.get(id))
      .filter((a) => a !== undefined);
  }

  private keep(): void {
    this.app.histories.save(this.image, this.session.client, this.history);
  }

  /** A large selection is several transactions. */
  private send(ops: Op[]): void {
    for (let i = 0; i < ops.length; i += MOST_OPS) {
      this.session.commit(ops.slice(i, i + MOST_OPS));
    }
    this.events.sent();
  }
}
