import { describe, expect, it } from "vitest";
import type { Annotation, Draft, Op } from "../src/index.js";
import { outdated } from "../src/rebase.js";

const draft: Draft = { label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2, confidence: null };
const there = (over: Partial<Annotation> = {}) => ({ ...draft, id: "a", rev: 3, updated_by: "bob", ...over }) as Annotation;
const place = { x: 0.5, y: 0.1, width: 0.2, height: 0.2 };
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
    ["draws", { k: "put", id: "a", annotation: draft }, null, undefined, null],
    ["names its base", { ...move, base: 2 }, draft, there({ y: 0.7 }), null],
    ["comes from a page that remembered nothing", move, null, there({ y: 0.7 }), null],
  ])("that %s", (_, op, was, now, want) => {
    expect(outdated(op, was, now)).toBe(want);
  });
});
