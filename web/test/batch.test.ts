import { beforeEach, describe, expect, it } from "vitest";
import type { Annotation, Change } from "@easelhq/client";
import { Batch } from "../src/editor/batch";

const box = (id: string, rev = 1) => ({ id, rev }) as Annotation;

let waiting: Map<number, () => void>;
let applied: Change[];
let batch: Batch;
beforeEach(() => {
  waiting = new Map();
  applied = [];
  let last = 0;
  batch = new Batch((change) => applied.push(change), {
    request: (fn) => (waiting.set(++last, fn), last),
    cancel: (frame) => waiting.delete(frame),
  });
});

function frame(): void {
  const due = [...waiting.values()];
  waiting.clear();
  due.forEach((fn) => fn());
}

describe("a batch", () => {
  it("applies what came within a frame at once", () => {
    for (let i = 0; i < 500; i++) {
      batch.add({ upserted: [box(`b${i}`)], removed: [] });
    }
    expect([applied.length, waiting.size]).toEqual([0, 1]);
    frame();
    expect(applied.map((c) => c.upserted.length)).toEqual([500]);
    frame();
    expect(applied.length).toBe(1);
  });

  it.each([
    ["updated twice", [{ upserted: [box("a", 1)], removed: [] }, { upserted: [box("a", 2)], removed: [] }], { upserted: [box("a", 2)], removed: [] }],
    ["made and removed", [{ upserted: [box("a")], removed: [] }, { upserted: [], removed: ["a"] }], { upserted: [], removed: ["a"] }],
    ["removed and taken back", [{ upserted: [], removed: ["a"] }, { upserted: [box("a", 3)], removed: [] }], { upserted: [box("a", 3)], removed: [] }],
  ])("keeps the last word on a box that was %s", (_, changes, want) => {
    changes.forEach((change) => batch.add(change));
    frame();
    expect(applied).toEqual([want]);
  });

  it("applies early when it is asked to, and then not again", () => {
    batch.add({ upserted: [box("a")], removed: [] });
    batch.flush();
    expect([applied.length, waiting.size]).toEqual([1, 0]);
    batch.flush();
    expect(applied.length).toBe(1);
  });

  it("gathers anew what is added while it applies", () => {
    const again = new Batch(
      (change) => {
        applied.push(change);
        if (applied.length === 1) {
          again.add({ upserted: [], removed: ["a"] });
        }
      },
      { request: (fn) => (waiting.set(1, fn), 1), cancel: () => waiting.clear() },
    );
    again.add({ upserted: [box("a")], removed: [] });
    frame();
    frame();
    expect(applied).toEqual([
      { upserted: [box("a")], removed: [] },
      { upserted: [], removed: ["a"] },
    ]);
  });

  it("applies nothing once it is closed", () => {
    batch.add({ upserted: [box("a")], removed: [] });
    batch.close();
    frame();
    expect(applied).toEqual([]);
  });
});
