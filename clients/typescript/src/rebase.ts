import type { Annotation, Draft, Op } from "./protocol.js";

/** What an op's annotation showed when the op was decided on; null: it was not there. */
export type Was = Record<string, Draft | null>;

/** The registers that an author sets, without what the server adds. */
export function draftOf({ label, x, y, width, height, confidence, shape, attributes, source, model }: Annotation): Draft {
  const more = Object.entries({ shape, attributes, source, model }).filter(([, value]) => value !== undefined && value !== null);
  return { label, x, y, width, height, confidence, ...Object.fromEntries(more) };
}

/** Remembers what ops were decided on. */
export function basisOf(view: ReadonlyMap<string, Annotation>, ops: readonly Op[]): Was {
  const was: Was = {};
  for (const op of ops) {
    const now = view.get(op.id);
    was[op.id] = now ? draftOf(now) : null;
  }
  return was;
}

/**
 * Whether an edit that no server has seen yet was decided on something that
 * others have changed since: `conflict` when the registers it sets (all, for a
 * delete) show something else, `gone` when the annotation was deleted. An op that
 * names its base is judged by the server.
 */
export function outdated(op: Op, was: Draft | null | undefined, now: Annotation | undefined): "conflict" | "gone" | null {
  if (op.k === "put" || op.base !== undefined || !was) {
    return null;
  }
  if (!now) {
    return op.k === "patch" ? "gone" : null; // two deleted it
  }
  const current = draftOf(now);
  const registers = (op.k === "del" ? Object.keys(current) : Object.keys(op.set)) as (keyof Draft)[];
  const differs = registers.some((r) => !same(was[r], current[r]));
  const wanted = op.k === "patch" && registers.every((r) => same(op.set[r], current[r]));
  return differs && !wanted ? "conflict" : null;
}

/** Whether two registers show the same. */
export function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
