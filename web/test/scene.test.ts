import type { Annotation, Change } from "@easelhq/client";
import { beforeEach, describe, expect, it } from "vitest";
import { ALL } from "../src/editor/filter";
import { Scene } from "../src/editor/scene";

const box = (id: string, label = "cup") => ({ id, label, x: 0, y: 0, width: 0.1, height: 0.1, created_by: "ann", updated_by: "ann", confidence: null }) as Annotation;
const map = (...all: Annotation[]) => new Map(all.map((a) => [a.id, a]));

let now: Map<string, Annotation>;
let drawn: Change[];
let frame: (() => void) | null;
let scene: Scene;
beforeEach(() => {
  now = map(box("a"), box("b", "bowl"));
  drawn = [];
  frame = null;
  scene = new Scene(
    { now: () => now, draw: (change) => drawn.push(change), changed: () => {} },
    { request: (fn) => ((frame = fn), 1), cancel: () => (frame = null) },
  );
});

function adds(a: Annotation): void {
  now.set(a.id, a);
  scene.add({ upserted: [a], removed: [] });
}

describe("what is shown", () => {
  it("is all there is, and what comes with the next frame", () => {
    scene.begin();
    adds(box("c"));
    expect(drawn.flatMap((change) => change.upserted.map((a) => a.id))).toEqual(["a", "b"]);
    frame!();
    expect(drawn.at(-1)).toEqual({ upserted: [box("c")], removed: [] });
    expect([...scene.shown.keys()]).toEqual(["a", "b", "c"]);
  });

  it("stays as it was while an earlier version is looked at", () => {
    scene.begin();
    scene.travel(map(box("z")));
    expect([scene.past, [...scene.shown.keys()], drawn.at(-1)]).toEqual([true, ["z"], { upserted: [box("z")], removed: ["a", "b"] }]);
    const before = drawn.length;
    adds(box("c"));
    frame!();
    expect([drawn.length, scene.all.has("c")]).toEqual([before, false]);
    scene.travel(null);
    expect(drawn.at(-1)).toEqual({ upserted: [...now.values()], removed: ["z"] });
    expect([scene.past, scene.at(null)]).toEqual([false, true]);
  });

  it("is what is wanted, and what was just drawn", () => {
    scene.begin();
    scene.want({ ...ALL, label: "bowl" });
    expect([...scene.shown.keys()]).toEqual(["b"]);
    scene.pin("c");
    adds(box("c"));
    adds(box("d"));
    scene.flush();
    expect([[...scene.shown.keys()], scene.all.size]).toEqual([["b", "c"], 4]);
  });
});
