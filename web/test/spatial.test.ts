import { expect, test } from "vitest";
import { isHit } from "../src/editor/outline";
import { SpatialIndex } from "../src/editor/spatial";

const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

test("finds what touches a part, wherever it lies and however large it is", () => {
  const index = new SpatialIndex();
  const boxes = new Map(
    Array.from({ length: 2000 }, (_, i) => {
      const [x, y] = [(i * 37) % 101 / 101, (i * 53) % 97 / 97];
      return [`b${i}`, box(x, y, Math.min(1 - x, i % 50 === 0 ? 0.7 : 0.004), Math.min(1 - y, 0.006))] as const;
    }),
  );
  boxes.forEach((b, id) => index.set(id, b));
  for (const part of [box(0.2, 0.3, 0.1, 0.1), box(0, 0, 1, 1), box(0.5, 0.5, 0, 0), box(-1, -1, 0.5, 0.5), box(0.999, 0.999, 3, 3)]) {
    const want = [...boxes].filter(([, b]) => b.x <= part.x + part.width && part.x <= b.x + b.width && b.y <= part.y + part.height && part.y <= b.y + b.height);
    expect(index.within(part).sort()).toEqual(want.map(([id]) => id).sort());
  }
});

test("forgets what was moved or removed", () => {
  const index = new SpatialIndex();
  index.set("a", box(0.1, 0.1, 0.1, 0.1));
  index.set("a", box(0.8, 0.8, 0.1, 0.1));
  expect(index.within(box(0, 0, 0.3, 0.3))).toEqual([]);
  expect(index.within(box(0.7, 0.7, 0.3, 0.3))).toEqual(["a"]);
  index.delete("a");
  expect([index.size, index.within(box(0, 0, 1, 1))]).toEqual([0, []]);
});

const scale = { x: 1000, y: 500 };
const polygon = {
  ...box(0.2, 0.2, 0.4, 0.4),
  shape: { type: "polygon" as const, points: [[0.2, 0.2], [0.6, 0.2], [0.2, 0.6]] as [number, number][], holes: [[[0.25, 0.25], [0.35, 0.25], [0.25, 0.35]] as [number, number][]] },
};
const line = { ...box(0.1, 0.1, 0.8, 0.8), shape: { type: "polyline" as const, points: [[0.1, 0.1], [0.9, 0.9]] as [number, number][] } };
const dot = { ...box(0.5, 0.5, 0, 0), shape: { type: "point" as const, points: [[0.5, 0.5]] as [number, number][] } };
const oval = { ...box(0.2, 0.2, 0.4, 0.4), shape: { type: "ellipse" as const, center: [0.4, 0.4] as [number, number], radii: [0.2, 0.2] as [number, number] } };

test.each([
  ["in a polygon", polygon, [0.22, 0.4], true],
  ["beside a polygon, in its box", polygon, [0.55, 0.55], false],
  ["in its hole", polygon, [0.28, 0.28], false],
  ["on the edge of its hole", polygon, [0.2501, 0.3], true],
  ["on a line", line, [0.5, 0.504], true],
  ["in a line's box", line, [0.2, 0.8], false],
  ["at a point", dot, [0.503, 0.503], true],
  ["away from a point", dot, [0.52, 0.5], false],
  ["in an ellipse", oval, [0.3, 0.3], true],
  ["in the corner of its box", oval, [0.21, 0.21], false],
  ["in a box", box(0.1, 0.1, 0.2, 0.2), [0.29, 0.29], true],
  ["near a tiny box", box(0.1, 0.1, 0.002, 0.002), [0.106, 0.1], true],
  ["a tag, which is nowhere", { ...box(0, 0, 1, 1), shape: { type: "tag" as const } }, [0.5, 0.5], false],
] as const)("a click is %s", (_, a, at, want) => {
  expect(isHit(a as Parameters<typeof isHit>[0], at as unknown as [number, number], scale, 5)).toBe(want);
});
