import { describe, expect, it } from "vitest";
import type { Annotation, Draft, Op } from "../src/index.js";
import { merged, outdated, patched } from "../src/rebase.js";

const draft: Draft = { label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2, confidence: null };
const there = (over: Partial<Annotation> = {}) => ({ ...draft, id: "a", rev: 3, updated_by: "bob", ...over }) as Annotation;
const place = { x: 0.5, y: 0.1, width: 0.2, height: 0.2 };
const aged: Draft = { ...draft, attributes: { age: 3, fur: "short" } };
const grow: Op = { k: "patch", id: "a", set: { attributes: { age: 4 } } };
const move: Op = { k: "patch", id: "a", set: place };

describe("an edit that waited", () => {
  it.each<[string, Op, Draft | null, Annotation | undefined, string | null]>([
    ["moves what nobody touched", move, draft, there(), null],
    ["moves what was only renamed", move, draft, there({ label: "mug" }), null],
    ["moves what was moved", move, draft, there({ y: 0.7 }), "conflict"],
    ["moves what was moved to the same place", move, draft, there(place), null],
    ["moves what was deleted", move, draft, undefined, "gone"],
    ["deletes what nobody touched", { k: "del", id: "a" }, draft, there(), null],
    ["deletes what was renamed", { k: "del", id: "a" }, draft, there({ label: "mug" }), "conflict"],
    ["deletes what was deleted", { k: "del", id: "a" }, draft, undefined, null],
    ["sets an attribute that nobody touched", grow, aged, there({ attributes: { age: 3, fur: "long" } }), null],
    ["sets an attribute that was set", grow, aged, there({ attributes: { age: 5, fur: "short" } }), "conflict"],
    ["sets an attribute that was removed", grow, aged, there({ attributes: { fur: "short" } }), "conflict"],
    ["sets an attribute that was set to the same", grow, aged, there({ attributes: { age: 4 } }), null],
    ["removes an attribute that was removed", { k: "patch", id: "a", set: { attributes: { age: null } } }, aged, there(), null],
    ["deletes what lost an attribute", { k: "del", id: "a" }, aged, there({ attributes: { age: 3 } }), "conflict"],
    ["deletes what has the same attributes", { k: "del", id: "a" }, aged, there({ attributes: { age: 3, fur: "short" } }), null],
    ["draws", { k: "put", id: "a", annotation: draft }, null, undefined, null],
    ["names its base", { ...move, base: 2 }, draft, there({ y: 0.7 }), null],
    ["comes from a page that remembered nothing", move, null, there({ y: 0.7 }), null],
  ])("that %s", (_, op, was, now, want) => {
    expect(outdated(op, was, now)).toBe(want);
  });
});

describe("a patch", () => {
  it("sets and removes attributes one by one", () => {
    expect(patched(aged, { label: "cat", attributes: { age: null, coat: true } })).toEqual({ ...aged, label: "cat", attributes: { coat: true, fur: "short" } });
    expect(patched(aged, { attributes: { age: null, fur: null } }).attributes).toBeUndefined();
    expect(patched(aged, { label: "cat" }).attributes).toEqual(aged.attributes);
  });

  it("joins a later one", () => {
    expect(merged({ label: "cat", attributes: { age: 1 } }, { attributes: { fur: null } })).toEqual({ label: "cat", attributes: { age: 1, fur: null } });
    expect(merged({ label: "cat" }, { label: "dog" })).toEqual({ label: "dog" });
  });
});
