import type { Annotation, Box, Point } from "@easelhq/client";
import { DOT } from "./shapes";

type Placed = Pick<Annotation, "x" | "y" | "width" | "height" | "shape">;

/** So many units of a plane for the whole width and height of the image. */
export interface Scale {
  x: number;
  y: number;
}

/** Around what a click is still meant for an edge, in pixels. */
const EDGE = 2;

/** What is drawn of an annotation, on a plane of that size; null for a tag, which is nowhere. */
export function outlineOf(a: Placed, scale: Scale): Path2D | null {
  const { shape } = a;
  const path = new Path2D();
  const line = (points: readonly Point[], closed: boolean) => {
    points.forEach(([x, y], i) => (i ? path.lineTo(x * scale.x, y * scale.y) : path.moveTo(x * scale.x, y * scale.y)));
    if (closed) {
      path.closePath();
    }
  };
  switch (shape?.type) {
    case "tag":
      return null;
    case "polygon":
      line(shape.points, true);
      shape.holes?.forEach((hole) => line(hole, true));
      break;
    case "rotated_box":
      line(shape.points, true);
      break;
    case "polyline":
      line(shape.points, false);
      break;
    case "ellipse":
      path.ellipse(shape.center[0] * scale.x, shape.center[1] * scale.y, shape.radii[0] * scale.x, shape.radii[1] * scale.y, 0, 0, 2 * Math.PI);
      break;
    case "point": {
      const [x, y] = shape.points[0]!;
      path.arc(x * scale.x, y * scale.y, DOT * Math.max(scale.x, scale.y), 0, 2 * Math.PI);
      break;
    }
    default:
      path.rect(a.x * scale.x, a.y * scale.y, a.width * scale.x, a.height * scale.y);
  }
  return path;
}

/** The part of the image that drawing an annotation touches: a point is drawn larger than it is. */
export function extentOf(a: Placed, scale: Scale): Box {
  if (a.shape?.type !== "point") {
    return a;
  }
  const r = DOT * Math.max(scale.x, scale.y);
  const [dx, dy] = [r / scale.x, r / scale.y];
  return { x: a.x - dx, y: a.y - dy, width: a.width + 2 * dx, height: a.height + 2 * dy };
}

/**
 * Whether a click at a point, in fractions of the image, is meant for an annotation:
 * it is inside of it, or within slack of what is hard to hit. Slack is in units of
 * scale; without any, only what is really there is hit.
 */
export function isHit(a: Placed, [px, py]: readonly [number, number], scale: Scale, slack: number): boolean {
  const { shape } = a;
  const [x, y] = [px * scale.x, py * scale.y];
  const [width, height] = [a.width * scale.x, a.height * scale.y];
  const edge = Math.min(EDGE, slack);
  const [mx, my] = [width < 2 * slack ? slack : edge, height < 2 * slack ? slack : edge];
  const rings = (all: readonly (readonly Point[])[]) => {
    const plane = all.map((ring) => ring.map((p): Point => [p[0] * scale.x, p[1] * scale.y]));
    return inside(plane, x, y) || plane.some((ring) => distance(ring, true, x, y) <= Math.max(mx, my));
  };
  switch (shape?.type) {
    case "tag":
      return false;
    case "polygon":
      return rings([shape.points, ...(shape.holes ?? [])]);
    case "rotated_box":
      return rings([shape.points]);
    case "polyline":
      return distance(shape.points.map((p): Point => [p[0] * scale.x, p[1] * scale.y]), false, x, y) <= slack;
    case "ellipse": {
      const [dx, dy] = [x - shape.center[0] * scale.x, y - shape.center[1] * scale.y];
      return (dx / (shape.radii[0] * scale.x + mx)) ** 2 + (dy / (shape.radii[1] * scale.y + my)) ** 2 <= 1;
    }
    case "point":
      return Math.hypot(x - a.x * scale.x, y - a.y * scale.y) <= Math.max(slack, DOT * Math.max(scale.x, scale.y));
    default: {
      const [left, top] = [a.x * scale.x, a.y * scale.y];
      return x >= left - mx && x <= left + width + mx && y >= top - my && y <= top + height + my;
    }
  }
}

/** Whether a point is in an odd number of rings. */
function inside(rings: readonly (readonly Point[])[], x: number, y: number): boolean {
  let odd = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax, ay] = ring[i]!;
      const [bx, by] = ring[j]!;
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) {
        odd = !odd;
      }
    }
  }
  return odd;
}

/** How far a point is from a line of straight parts. */
function distance(points: readonly Point[], closed: boolean, x: number, y: number): number {
  let least = Infinity;
  for (let i = closed ? 0 : 1; i < points.length; i++) {
    const [ax, ay] = points[i === 0 ? points.length - 1 : i - 1]!;
    const [bx, by] = points[i]!;
    const [dx, dy] = [bx - ax, by - ay];
    const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return least;
}
