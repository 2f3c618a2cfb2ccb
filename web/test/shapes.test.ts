import { describe, expect, it } from "vitest";
import type { Shape } from "@easelhq/client";
import { cut, fromSelector, shift, toSelector } from "../src/editor/shapes";

const size = { x: 1200, y: 800 };
const bounds = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

/** A square of 240 pixels, turned by a quarter of a right angle about its middle. */
function turned(): Shape {
  const angle = Math.PI / 8;
  const corner = (dx: number, dy: number): [number, number] => [
    (600 + dx * Math.cos(angle) - dy * Math.sin(angle)) / size.x,
    (400 + dx * Math.sin(angle) + dy * Math.cos(angle)) / size.y,
  ];
  return { type: "rotated_box", points: [corner(-120, -120), corner(120, -120), corner(120, 120), corner(-120, 120)] };
}

const shapes: [string, Shape | undefined, ReturnType<typeof bounds>][] = [
  ["a box", undefined, bounds(0.25, 0.25, 0.5, 0.5)],
  ["a rotated box", turned(), bounds(0, 0, 0, 0)],
  ["a polygon", { type: "polygon", points: [[0.25, 0.25], [0.75, 0.25], [0.5, 0.75]] }, bounds(0.25, 0.25, 0.5, 0.5)],
  [
    "a polygon with a hole",
    { type: "polygon", points: [[0.25, 0.25], [0.75, 0.25], [0.5, 0.75]], holes: [[[0.45, 0.3], [0.55, 0.3], [0.5, 0.4]]] },
    bounds(0.25, 0.25, 0.5, 0.5),
  ],
  ["a polyline", { type: "polyline", points: [[0.25, 0.25], [0.5, 0.75], [0.75, 0.5]] }, bounds(0.25, 0.25, 0.5, 0.5)],
  ["an ellipse", { type: "ellipse", center: [0.5, 0.5], radii: [0.25, 0.125] }, bounds(0.25, 0.375, 0.5, 0.25)],
  ["a point", { type: "point", points: [[0.5, 0.25]] }, bounds(0.5, 0.25, 0, 0)],
];

describe("shapes", () => {
  it.each(shapes)("%s is the same after a way through Annotorious", (_, shape, box) => {
    const back = fromSelector(toSelector({ ...box, shape }, size)!, size, shape)!;
    const round = (value: unknown) => JSON.parse(JSON.stringify(value ?? null), (_, v) => (typeof v === "number" ? Math.round(v * 1e9) / 1e9 : v));
    expect(round(back.shape)).toEqual(round(shape));
    if (shape?.type !== "rotated_box") {
      expect(round([back.x, back.y, back.width, back.height])).toEqual(round(Object.values(box)));
    }
  });

  it("a tag is nowhere", () => {
    expect(toSelector({ ...bounds(0, 0, 1, 1), shape: { type: "tag" } }, size)).toBeNull();
  });

  it("what is drawn over the edge ends at it", () => {
    const over = fromSelector({ type: "POLYGON", geometry: { points: [[-120, 0], [600, 0], [600, 1600]], bounds: { minX: -120, minY: 0, maxX: 600, maxY: 1600 } } }, size);
    expect(over).toEqual({ shape: { type: "polygon", points: [[0, 0], [0.5, 0], [0.5, 1]] }, ...bounds(0, 0, 0.5, 1) });
  });

  it("what encloses nothing is nothing", () => {
    const line: [number, number][] = [[0, 0], [100, 100], [200, 200]];
    expect(fromSelector({ type: "POLYGON", geometry: { points: line, bounds: { minX: 0, minY: 0, maxX: 200, maxY: 200 } } }, size)).toBeNull();
  });

  it("a rectangle that is turned over the edge is refused, and one turned back is a box again", () => {
    const geometry = { x: 0, y: 0, w: 1200, h: 100, bounds: { minX: 0, minY: 0, maxX: 1200, maxY: 100 } };
    expect(fromSelector({ type: "RECTANGLE", geometry: { ...geometry, rot: 1 } }, size)).toBeNull();
    expect(fromSelector({ type: "RECTANGLE", geometry: { ...geometry, rot: 0 } }, size, turned())).toEqual({ ...bounds(0, 0, 1, 0.125), shape: null });
  });

  it.each(shapes)("%s moves as a whole and stays on the image", (_, shape, box) => {
    if (shape?.type === "rotated_box") {
      return;
    }
    const far = shift({ ...box, shape }, 1, 1);
    expect([far.x + far.width, far.y + far.height].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([1, 1]);
  });
});

describe("a hole", () => {
  const ring: [number, number][] = [[0.4, 0.4], [0.5, 0.4], [0.45, 0.5]];
  const square: [number, number][] = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
  const box = bounds(0.25, 0.25, 0.5, 0.5);

  it("is cut out of a polygon, beside its others", () => {
    const once = cut({ ...box, shape: { type: "polygon", points: square } }, ring)!;
    expect(once.shape).toEqual({ type: "polygon", points: square, holes: [ring] });
    const other: [number, number][] = [[0.6, 0.6], [0.7, 0.6], [0.65, 0.7]];
    expect(cut(once, other)!.shape).toMatchObject({ holes: [ring, other] });
    expect(cut(once, [[0.45, 0.42], [0.46, 0.42], [0.455, 0.44]]), "in another hole").toBeNull();
    expect(cut(once, [[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]]), "around another hole").toBeNull();
  });

  it("makes a polygon of a box", () => {
    expect(cut(box, ring)).toEqual({ ...box, shape: { type: "polygon", points: square, holes: [ring] } });
  });

  it.each<[string, Shape | undefined, [number, number][]]>([
    ["reaches over the edge", undefined, [[0.4, 0.4], [0.9, 0.4], [0.45, 0.5]]],
    ["is outside", undefined, [[0.8, 0.8], [0.9, 0.8], [0.85, 0.9]]],
    ["is flat", undefined, [[0.4, 0.4], [0.5, 0.4], [0.45, 0.4]]],
    ["is in an ellipse", { type: "ellipse", center: [0.5, 0.5], radii: [0.25, 0.25] }, ring],
    ["crosses a bay of the outline", { type: "polygon", points: [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.5, 0.3], [0.25, 0.75]] }, [[0.3, 0.5], [0.7, 0.5], [0.5, 0.28]]],
  ])("that %s is none", (_, shape, points) => expect(cut({ ...box, shape }, points)).toBeNull());
});
