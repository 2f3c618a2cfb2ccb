import type { Annotation } from "@easelhq/client";
import { describe, expect, it } from "vitest";
import { Grip } from "../src/editor/grip";

const box = (id: string, x = 0): Annotation => ({ id, x, y: 0, width: 0.1, height: 0.1, label: "cup" }) as Annotation;
const place = { x: 0.5, y: 0.5, width: 0.1, height: 0.1 };
const none = { upserted: [], removed: [] };

describe("what is in hand", () => {
  it("is left alone until it is let go, and then the last word of others is told", () => {
    const grip = new Grip();
    grip.press(1, ["a"]);
    expect(grip.sift({ upserted: [box("a", 0.1), box("b")], removed: ["c"] })).toEqual({ upserted: [box("b")], removed: ["c"] });
    expect(grip.sift({ upserted: [box("a", 0.2)], removed: [] })).toEqual(none);
    expect(grip.release()).toEqual({ places: new Map(), late: { upserted: [box("a", 0.2)], removed: [] } });
    expect(grip.sift({ upserted: [box("a", 0.3)], removed: [] }).upserted).toHaveLength(1);
  });

  it("comes back when it went and returned, and is gone when it went last", () => {
    const grip = new Grip();
    grip.press(1, ["a", "b"]);
    grip.sift({ upserted: [], removed: ["a"] });
    grip.sift({ upserted: [box("a"), box("b")], removed: [] });
    grip.sift({ upserted: [], removed: ["b"] });
    expect(grip.release().late).toEqual({ upserted: [box("a")], removed: ["b"] });
  });

  it("is held by the pointer that took it", () => {
    const grip = new Grip();
    grip.press(7, ["a"]);
    expect([grip.down, grip.by(7), grip.by(8)]).toEqual([true, true, false]);
    grip.release();
    expect([grip.down, grip.by(7)]).toEqual([false, false]);
  });

  it("counts what was moved without a press, by a key", () => {
    const grip = new Grip();
    grip.move("a", place);
    expect(grip.has("a")).toBe(true);
    expect(grip.release().places).toEqual(new Map([["a", place]]));
    expect([grip.has("a"), grip.release().places.size]).toEqual([false, 0]);
  });
});
