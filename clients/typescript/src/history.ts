import { newID } from "./id.js";
import type { Annotation, Draft, Op, Patch } from "./protocol.js";
import { draftOf, registers, same } from "./rebase.js";

/** One annotation's registers before and after an edit; null: it was not there. */
interface Step {
  id: string;
  before: Patch | null;
  after: Patch | null;
}

/** What to send in order to undo or redo, and what was left alone. */
export interface Plan {
  ops: Op[];
  /** What somebody has changed or deleted since. */
  kept: { id: string; by: string | null }[];
}

const MOST = 200;

/** A history as a browser keeps it over a reload. */
export interface SavedHistory {
  done: Step[][];
  undone: Step[][];
}

/**
 * What one person did on one image, to be taken back and done again by ordinary
 * ops. A step is only reversed while its registers still show what it made:
 * later work of others is left alone. Each op names the rev that it was decided
 * on (`base`), so that work that is still on its way here is left alone, too.
 * Deletes are final, so what comes back has another id.
 */
export class History {
  private done: Step[][];
  private undone: Step[][];

  constructor(saved?: SavedHistory) {
    this.done = saved?.done ?? [];
    this.undone = saved?.undone ?? [];
  }

  /** What a later page needs in order to go on. */
  get saved(): SavedHistory {
    return { done: this.done, undone: this.undone };
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** Remembers ops that are about to be committed over what view shows. */
  record(view: ReadonlyMap<string, Annotation>, ops: readonly Op[]): void {
    const entry = ops.map((op) => stepOf(view, op)).filter((step) => step !== null);
    if (entry.length === 0) {
      return;
    }
    this.undone = [];
    const [last, only] = [this.done.at(-1), entry[0]!];
    const naming = entry.length === 1 && only.before && only.after && Object.keys(only.after).join() === "label";
    if (naming && last?.length === 1 && last[0]!.id === only.id && !last[0]!.before) {
      last[0]!.after = { ...last[0]!.after, ...only.after }; // drawing and naming are one deed
      return;
    }
    this.done.push(entry);
    this.done = this.done.slice(-MOST);
  }

  /** The ids that the next undo (or redo) would touch. */
  touches(back: boolean): string[] {
    return ((back ? this.done : this.undone).at(-1) ?? []).map((step) => step.id);
  }

  undo(view: ReadonlyMap<string, Annotation>): Plan | null {
    return this.reverse(view, this.done, this.undone);
  }

  redo(view: ReadonlyMap<string, Annotation>): Plan | null {
    return this.reverse(view, this.undone, this.done);
  }

  /** Drops what concerns ids, because the server refused an edit of them. */
  forget(ids: ReadonlySet<string>): void {
    const without = (stack: Step[][]) => stack.map((e) => e.filter((s) => !ids.has(s.id))).filter((e) => e.length > 0);
    this.done = without(this.done);
    this.undone = without(this.undone);
  }

  private reverse(view: ReadonlyMap<string, Annotation>, from: Step[][], to: Step[][]): Plan | null {
    const entry = from.pop();
    if (!entry) {
      return null;
    }
    const plan: Plan = { ops: [], kept: [] };
    const reversed: Step[] = [];
    for (const step of [...entry].reverse()) {
      const now = view.get(step.id);
      if (step.after ? !now || !shows(now, step) : now) {
        plan.kept.push({ id: step.id, by: now?.updated_by ?? null });
        continue;
      }
      let { id } = step;
      const base = now && now.rev > 0 ? { base: now.rev } : {};
      if (!step.after) {
        id = newID();
        this.rename(step.id, id);
        plan.ops.push({ k: "put", id, annotation: step.before as Draft });
      } else if (!step.before) {
        plan.ops.push({ k: "del", id, ...base });
      } else {
        plan.ops.push({ k: "patch", id, set: step.before, ...base });
      }
      reversed.push({ id, before: step.after, after: step.before });
    }
    if (reversed.length > 0) {
      to.push(reversed);
    }
    return plan;
  }

  private rename(old: string, id: string): void {
    for (const step of [...this.done, ...this.undone].flat()) {
      if (step.id === old) {
        step.id = id;
      }
    }
  }
}

function stepOf(view: ReadonlyMap<string, Annotation>, op: Op): Step | null {
  const now = view.get(op.id);
  if (op.k === "put") {
    return now ? null : { id: op.id, before: null, after: { ...op.annotation } };
  }
  if (!now) {
    return null;
  }
  const all = draftOf(now);
  if (op.k === "del") {
    return { id: op.id, before: all, after: null };
  }
  return { id: op.id, before: registers(all, op.set), after: { ...op.set } };
}

/** Whether an annotation still shows what a step made of it. */
function shows(now: Annotation, { before, after }: Step): boolean {
  const made = after ?? {};
  // What was drawn is only taken away as a whole, with no attribute of somebody else's.
  const others = before === null && Object.keys(now.attributes ?? {}).some((name) => made.attributes?.[name] === undefined);
  return !others && same(registers(draftOf(now), made), registers(made, made));
}
