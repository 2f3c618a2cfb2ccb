import type { Annotation, Attributes, Draft, Op, Patch } from "./protocol.js";

/** What an op's annotation showed when the op was decided on; null: it was not there. */
export type Was = Record<string, Draft | null>;

/** The registers that an author sets, without what the server adds. */
export function draftOf({ label, x, y, width, height, confidence, shape, attributes, source, model }: Annotation): Draft {
  const more = Object.entries({ shape, attributes, source, model }).filter(([, value]) => value !== undefined && value !== null);
  return { label, x, y, width, height, confidence, ...Object.fromEntries(more) };
}

/** What registers show after a patch. Attributes that are not named stay. */
export function patched<T extends Pick<Draft, "attributes">>(now: T, { attributes, ...set }: Patch): T {
  if (!attributes) {
    return { ...now, ...set };
  }
  const all = Object.entries({ ...now.attributes, ...attributes }).filter((entry): entry is [string, Attributes[string]] => entry[1] !== null);
  all.sort(([a], [b]) => (a < b ? -1 : 1)); // as the server shows them, near enough
  return { ...now, ...set, attributes: all.length > 0 ? Object.fromEntries(all) : undefined };
}

/** Both patches as one; what the later one sets counts. */
export function merged(earlier: Patch, later: Patch): Patch {
  const attributes = { ...earlier.attributes, ...later.attributes };
  return { ...earlier, ...later, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) };
}

/** Of what an annotation shows, the registers that a patch names. */
export function registers(now: Patch, set: Patch): Patch {
  const { attributes, ...others } = set;
  const shown: Patch = Object.fromEntries((Object.keys(others) as (keyof typeof others)[]).map((k) => [k, now[k] ?? null]));
  if (attributes) {
    shown.attributes = Object.fromEntries(Object.keys(attributes).map((name) => [name, now.attributes?.[name] ?? null]));
  }
  return shown;
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
  const set = op.k === "del" ? merged(was, current) : op.set; // a delete is of all that there was or is
  const differs = !same(registers(was, set), registers(current, set));
  const wanted = op.k === "patch" && same(registers(set, set), registers(current, set));
  return differs && !wanted ? "conflict" : null;
}

/** Whether two registers show the same. */
export function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
