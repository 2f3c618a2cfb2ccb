import { describe, expect, it } from "vitest";
import type { Annotation, Draft, Op } from "@easelhq/client";
import { insist, type Conflict } from "../src/conflicts";
import { difference } from "../src/outbox-storage";

const draft: Draft = { label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2, confidence: null };
const there = (over: Partial<Annotation> = {}) => ({ ...draft, id: "a", rev: 3, updated_by: "bob", ...over }) as Annotation;
const place = { x: 0.5, y: 0.1, width: 0.2, height: 0.2 };
const move: Op = { k: "patch", id: "a", set: place };

describe("insisting", () => {
  const conflict = (over: Partial<Conflict>): Conflict => ({ image: "i", id: "a", at: "", code: "conflict", message: "", set: place, mine: { ...draft, ...place }, ...over });

  it("sets again only what the author had changed", () => {
    expect(insist(conflict({}), there({ label: "mug" }))).toEqual([{ k: "patch", id: "a", set: place }]);
  });

  it("brings back what was deleted, under another id", () => {
    const [op] = insist(conflict({ code: "gone" }), undefined);
    expect(op).toMatchObject({ k: "put", annotation: { ...draft, ...place } });
    expect(op!.id).not.toBe("a");
  });

  it("deletes what the author had deleted", () => {
    expect(insist(conflict({ set: null, mine: null }), there())).toEqual([{ k: "del", id: "a" }]);
    expect(insist(conflict({ set: null, mine: null }), undefined)).toEqual([]);
  });
});

describe("what is written to the browser's storage", () => {
  const frame = (seq: number, ops: Op[], sent = false) => ({ seq, ops, sent });
  const ops: Op[] = [move];

  it("is only what changed", () => {
    const before = new Map([1, 2, 3].map((seq) => [seq, frame(seq, ops)]));
    expect(difference(before, [frame(2, ops), frame(3, ops, true), frame(4, ops)])).toEqual({
      puts: [frame(3, ops, true), frame(4, ops)],
      deletes: [1],
    });
  });
});
