import type { Annotation, Box, Point, Shape } from "@easelhq/client";

/** Where something is: its bounding box and, unless it is a plain box, its shape. */
export type Place = Box & { shape?: Shape | null };

/** The size of the image in pixels. */
interface Size {
  x: number;
  y: number;
}

interface Bounds {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

/** The selectors of Annotorious that are used here, in pixels of the image. */
export type Selector =
  | { type: "RECTANGLE"; geometry: { x: number; y: number; w: number; h: number; rot?: number; bounds: Bounds } }
  | { type: "POLYGON"; geometry: { points: Point[]; bounds: Bounds } }
  | { type: "MULTIPOLYGON"; geometry: { polygons: { rings: { points: Point[] }[]; bounds: Bounds }[]; bounds: Bounds } }
  | { type: "POLYLINE"; geometry: { points: PathPoint[]; closed?: boolean; bounds: Bounds } }
  | { type: "ELLIPSE"; geometry: { cx: number; cy: number; rx: number; ry: number; bounds: Bounds } };

interface PathPoint {
  type: "CORNER" | "CURVE";
  point: Point;
  inHandle?: Point;
  outHandle?: Point;
}

/** Half of what a point is drawn with, in parts of the image's longer side. */
export const DOT = 0.006;

/** Straight lines that stand for a curve. */
const CURVE_STEPS = 12;

const boundsOf = (points: readonly Point[]): Bounds => ({
  minX: Math.min(...points.map((p) => p[0])),
  minY: Math.min(...points.map((p) => p[1])),
  maxX: Math.max(...points.map((p) => p[0])),
  maxY: Math.max(...points.map((p) => p[1])),
});

/** How Annotorious is told an annotation; null for a tag, which is nowhere. */
export function toSelector(a: Pick<Annotation, "x" | "y" | "width" | "height" | "shape">, size: Size): Selector | null {
  const px = ([x, y]: Point): Point => [x * size.x, y * size.y];
  const { shape } = a;
  switch (shape?.type) {
    case "tag":
      return null;
    case "polygon": {
      const points = shape.points.map(px);
      const bounds = boundsOf(points);
      if (!shape.holes?.length) {
        return { type: "POLYGON", geometry: { points, bounds } };
      }
      const rings = [points, ...shape.holes.map((hole) => hole.map(px))].map((ring) => ({ points: ring }));
      return { type: "MULTIPOLYGON", geometry: { polygons: [{ rings, bounds }], bounds } };
    }
    case "polyline": {
      const points = shape.points.map(px);
      return { type: "POLYLINE", geometry: { points: points.map((point) => ({ type: "CORNER", point })), closed: false, bounds: boundsOf(points) } };
    }
    case "rotated_box": {
      const [a0, a1, , a3] = shape.points.map(px) as [Point, Point, Point, Point];
      const all = shape.points.map(px);
      const bounds = boundsOf(all);
      const [w, h] = [Math.hypot(a1[0] - a0[0], a1[1] - a0[1]), Math.hypot(a3[0] - a0[0], a3[1] - a0[1])];
      const [cx, cy] = [(bounds.minX + bounds.maxX) / 2, (bounds.minY + bounds.maxY) / 2];
      const rot = Math.atan2(a1[1] - a0[1], a1[0] - a0[0]);
      return { type: "RECTANGLE", geometry: { x: cx - w / 2, y: cy - h / 2, w, h, rot, bounds } };
    }
    case "ellipse":
      return ellipse(px(shape.center), px(shape.radii));
    case "point": {
      const r = DOT * Math.max(size.x, size.y);
      return ellipse(px(shape.points[0]!), [r, r]);
    }
    default: {
      const [x, y] = px([a.x, a.y]);
      const [w, h] = px([a.width, a.height]);
      return { type: "RECTANGLE", geometry: { x, y, w, h, bounds: { minX: x, minY: y, maxX: x + w, maxY: y + h } } };
    }
  }
}

function ellipse([cx, cy]: Point, [rx, ry]: Point): Selector {
  return { type: "ELLIPSE", geometry: { cx, cy, rx, ry, bounds: { minX: cx - rx, minY: cy - ry, maxX: cx + rx, maxY: cy + ry } } };
}

/**
 * What was drawn or dragged, in fractions of the image and within it. before is the
 * shape it was; null for a place that no annotation can have.
 */
export function fromSelector(selector: Selector, size: Size, before?: Shape | null): Place | null {
  const unit = (v: number) => Math.min(1, Math.max(0, v));
  const at = ([x, y]: Point): Point => [unit(x / size.x), unit(y / size.y)];
  switch (selector.type) {
    case "POLYGON":
      return polygon([selector.geometry.points.map(at)]);
    case "MULTIPOLYGON":
      return polygon((selector.geometry.polygons[0]?.rings ?? []).map((ring) => ring.points.map(at)));
    case "POLYLINE": {
      const { points, closed } = selector.geometry;
      const line = straight(points, closed ?? false).map(at);
      if (closed) {
        return polygon([line]);
      }
      return line.length < 2 ? null : { shape: { type: "polyline", points: line }, ...boxOf(line) };
    }
    case "ELLIPSE": {
      const { cx, cy, rx, ry } = selector.geometry;
      const [x, y] = at([cx, cy]);
      if (before?.type === "point") {
        return { shape: { type: "point", points: [[x, y]] }, x, y, width: 0, height: 0 };
      }
      const radii: Point = [Math.min(rx / size.x, x, 1 - x), Math.min(ry / size.y, y, 1 - y)];
      if (radii[0] <= 0 || radii[1] <= 0) {
        return null;
      }
      const corners: Point[] = [[unit(x - radii[0]), unit(y - radii[1])], [unit(x + radii[0]), unit(y + radii[1])]];
      return { shape: { type: "ellipse", center: [x, y], radii }, ...boxOf(corners) };
    }
    case "RECTANGLE": {
      const { x, y, w, h, rot = 0 } = selector.geometry;
      if (Math.abs(rot) < 1e-3) {
        const corners: Point[] = [[x, y], [x + w, y + h]];
        return { ...boxOf(corners.map(at)), ...(before ? { shape: null } : {}) };
      }
      const [cx, cy, cos, sin] = [x + w / 2, y + h / 2, Math.cos(rot), Math.sin(rot)];
      const corner = (dx: number, dy: number): Point => [(cx + dx * cos - dy * sin) / size.x, (cy + dx * sin + dy * cos) / size.y];
      const points = [corner(-w / 2, -h / 2), corner(w / 2, -h / 2), corner(w / 2, h / 2), corner(-w / 2, h / 2)];
      const inside = points.every((p) => p.every((v) => v >= 0 && v <= 1)); // else it would be no rectangle
      return inside ? { shape: { type: "rotated_box", points }, ...boxOf(points) } : null;
    }
  }
}

/** The points of a server's shape at most, those of its holes included. */
const MOST_POINTS = 5000;

/**
 * A polygon (or a plain box, which becomes one) with a ring cut out of it; null if
 * the ring does not lie within it, beside its other holes.
 */
export function cut(a: Place, ring: readonly Point[]): Place | null {
  const plain = !a.shape || a.shape.type === "box";
  if (!plain && a.shape!.type !== "polygon") {
    return null;
  }
  const [right, bottom] = [a.x + a.width, a.y + a.height];
  const polygon = a.shape?.type === "polygon" ? a.shape : null;
  const points: Point[] = polygon ? (polygon.points as Point[]) : [[a.x, a.y], [right, a.y], [right, bottom], [a.x, bottom]];
  const holes = (polygon?.holes ?? []) as Point[][];
  const apart = holes.every((hole) => !cross(hole, ring) && !ring.some((p) => encloses(hole, p)) && !hole.some((p) => encloses(ring, p)));
  const total = points.length + ring.length + holes.reduce((n, hole) => n + hole.length, 0);
  if (ring.length < 3 || area(ring) < 1e-9 || !apart || total > MOST_POINTS || cross(points, ring) || !ring.every((p) => encloses(points, p))) {
    return null;
  }
  return { x: a.x, y: a.y, width: a.width, height: a.height, shape: { type: "polygon", points, holes: [...holes, [...ring]] } };
}

/** Whether a ring has a point inside. */
function encloses(ring: readonly Point[], [x, y]: Point): boolean {
  let odd = false;
  ring.forEach(([ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) {
      odd = !odd;
    }
  });
  return odd;
}

/** Whether two rings cross each other. */
function cross(a: readonly Point[], b: readonly Point[]): boolean {
  const side = ([ax, ay]: Point, [bx, by]: Point, [x, y]: Point) => Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));
  return a.some((p, i) => {
    const q = a[(i + 1) % a.length]!;
    return b.some((r, j) => {
      const s = b[(j + 1) % b.length]!;
      return side(p, q, r) * side(p, q, s) < 0 && side(r, s, p) * side(r, s, q) < 0;
    });
  });
}

function polygon([points, ...holes]: Point[][]): Place | null {
  if (!points || points.length < 3 || area(points) < 1e-9) {
    return null;
  }
  return { shape: { type: "polygon", points, ...(holes.length > 0 ? { holes } : {}) }, ...boxOf(points) };
}

function area(points: readonly Point[]): number {
  return Math.abs(points.reduce((sum, [x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length]!;
    return sum + x * ny - nx * y;
  }, 0)) / 2;
}

function boxOf(points: readonly Point[]): Box {
  const { minX, minY, maxX, maxY } = boundsOf(points);
  return { x: minX, y: minY, width: maxX - minX, height: maxY - minY };
}

/** A path with its curves as short straight lines. */
function straight(points: readonly PathPoint[], closed: boolean): Point[] {
  const out: Point[] = points.length > 0 ? [points[0]!.point] : [];
  const pairs = points.slice(1).map((to, i) => [points[i]!, to] as const);
  if (closed && points.length > 2) {
    pairs.push([points.at(-1)!, points[0]!]);
  }
  for (const [from, to] of pairs) {
    const [c1, c2] = [from.outHandle ?? from.point, to.inHandle ?? to.point];
    const curved = (from.type === "CURVE" && from.outHandle) || (to.type === "CURVE" && to.inHandle);
    for (let i = 1; curved && i < CURVE_STEPS; i++) {
      const t = i / CURVE_STEPS;
      const mix = (axis: 0 | 1) =>
        (1 - t) ** 3 * from.point[axis] + 3 * (1 - t) ** 2 * t * c1[axis] + 3 * (1 - t) * t ** 2 * c2[axis] + t ** 3 * to.point[axis];
      out.push([mix(0), mix(1)]);
    }
    out.push(to.point);
  }
  if (closed && out.length > 1) {
    out.pop(); // the first point again
  }
  return out;
}

/** A place moved by fractions, as far as it stays on the image. */
export function shift(a: Pick<Annotation, "x" | "y" | "width" | "height" | "shape">, dx: number, dy: number): Place {
  const [x, y] = [Math.min(Math.max(0, a.x + dx), 1 - a.width), Math.min(Math.max(0, a.y + dy), 1 - a.height)];
  const move = ([px, py]: Point): Point => [Math.min(1, Math.max(0, px + x - a.x)), Math.min(1, Math.max(0, py + y - a.y))];
  const box = { x, y, width: a.width, height: a.height };
  const { shape } = a;
  if (!shape) {
    return box;
  }
  switch (shape.type) {
    case "box":
      return box;
    case "tag":
      return { x: a.x, y: a.y, width: a.width, height: a.height, shape };
    case "ellipse":
      return { ...box, shape: { ...shape, center: move(shape.center) } };
    case "polygon": {
      const points = shape.points.map(move);
      return { shape: { ...shape, points, ...(shape.holes ? { holes: shape.holes.map((hole) => hole.map(move)) } : {}) }, ...boxOf(points) };
    }
    default: {
      const points = shape.points.map(move);
      return { shape: { ...shape, points } as Shape, ...boxOf(points) };
    }
  }
}
