import type { Annotation, Box } from "@easelhq/client";
import { extentOf, outlineOf, type Scale } from "./outline";
import { proposed } from "./paint";
import { SpatialIndex, touch } from "./spatial";

/** Where the image is on the screen: its corner and its size, in pixels from the stage's corner. */
export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The colours of annotations. */
export interface Palette {
  color: (a: Annotation) => string;
}

/** Up to so many shapes are drawn anew whenever the picture moves; more are moved as a picture of their own. */
const AT_ONCE = 300;

/** From so many shapes on lines are thin: a renderer without a graphics card is three times faster then. */
const THIN = 1500;

/** What is smaller on the screen, in pixels, is drawn as a dot. */
const DOT_SIZE = 4;

/** How long one step of a drawing may take, in milliseconds; the page stays responsive between steps. */
const STEP = 8;

/** How long the picture must rest before the shapes are drawn sharp again, in milliseconds. */
const REST = 120;

/** What is drawn beyond each edge, in parts of the stage, so that it can be moved. */
const MARGIN = 0.25;

/** Changed parts that are drawn by themselves, and the shapes that each may touch. */
const MOST_PATCHES = 40;
const MOST_PATCHED = 400;

/** Pixels of a canvas at most. */
const MOST_PIXELS = 16_000_000;

interface Shape {
  annotation: Annotation;
  outline: Path2D | null | undefined; // undefined: not made yet
}

/** A canvas that shows the shapes as they lay at one view. */
interface Sheet {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  view: View | null;
  /** Pixels of the canvas for each of the screen. */
  ratio: number;
  /** How far it reaches beyond the stage's left and top edge, in pixels. */
  mx: number;
  my: number;
}

interface Job {
  queue: string[];
  done: number;
  thin: boolean;
  /** Parts that changed since it began. */
  late: Box[];
}

/**
 * All annotations that nobody edits here, on a canvas of our own. While the picture
 * moves, what was drawn is moved along by the compositor; it is drawn anew, a few
 * milliseconds at a time and on a second sheet, once the picture rests or the drawn
 * part runs out.
 */
export class Layer {
  readonly element: HTMLElement;
  private readonly shapes = new Map<string, Shape>();
  private readonly index = new SpatialIndex();
  private readonly lifted = new Set<string>();
  private front: Sheet;
  private back: Sheet;
  private readonly glow: Sheet;
  private view: View = { x: 0, y: 0, width: 1, height: 1 };
  private size = { width: 0, height: 0 };
  private job: Job | null = null;
  private patches: Box[] = [];
  private stale = false;
  private frame = 0;
  private timer = 0;
  private hovered = "";
  private held = false;
  private draws = 0;

  constructor(
    private readonly scale: Scale,
    private readonly palette: Palette,
  ) {
    [this.front, this.back, this.glow] = [sheet(), sheet(), sheet()];
    this.element = document.createElement("div");
    this.element.className = "shapes";
    this.back.canvas.hidden = true;
    this.element.append(this.front.canvas, this.back.canvas, this.glow.canvas);
  }

  has(id: string): boolean {
    return this.shapes.has(id);
  }

  get(id: string): Annotation | undefined {
    return this.shapes.get(id)?.annotation;
  }

  put(a: Annotation): void {
    const before = this.shapes.get(a.id);
    if (before && alike(before.annotation, a)) {
      before.annotation = a;
      return;
    }
    if (before) {
      this.spoil(extentOf(before.annotation, this.scale));
    }
    this.shapes.set(a.id, { annotation: a, outline: undefined });
    const extent = extentOf(a, this.scale);
    this.index.set(a.id, extent);
    this.spoil(extent);
  }

  remove(id: string): void {
    const before = this.shapes.get(id);
    if (before) {
      this.shapes.delete(id);
      this.index.delete(id);
      this.lifted.delete(id);
      this.spoil(extentOf(before.annotation, this.scale));
    }
  }

  /** Leaves a shape to somebody else to draw, or takes it back. */
  lift(id: string, up: boolean): void {
    const shape = this.shapes.get(id);
    if (shape && this.lifted.has(id) !== up) {
      up ? this.lifted.add(id) : this.lifted.delete(id);
      this.spoil(extentOf(shape.annotation, this.scale));
    }
  }

  /** The annotations that touch a part of the image. */
  within(part: Box): Annotation[] {
    return this.index.within(part).map((id) => this.shapes.get(id)!.annotation);
  }

  /** Draws all of it again: colours have changed. */
  repaint(): void {
    this.stale = true;
    this.plan();
  }

  /** The stage has another size, in pixels. */
  resize(width: number, height: number): void {
    this.size = { width, height };
    this.stale = true;
    this.plan();
  }

  /** The picture lies elsewhere; what was drawn follows in the same frame. */
  move(view: View): void {
    this.view = view;
    place(this.front, view);
    place(this.glow, view);
    if (this.size.width === 0 || !this.front.view || same(this.front.view, view)) {
      return; // the next tick draws, if there is anything to draw
    }
    clearTimeout(this.timer);
    if (this.few(view)) {
      this.job = null;
      this.drawNow(view);
    } else if (!this.job) {
      if (!this.covers(view)) {
        this.begin(view);
      } else if (!this.held) {
        this.timer = window.setTimeout(() => this.begin(this.view), REST);
      }
    }
  }

  /** Somebody has the picture in hand: it does not rest, however slowly it is moved. */
  hold(held: boolean): void {
    this.held = held;
    this.move(this.view);
  }

  /** Draws one shape stronger than the others. */
  hover(id: string): void {
    if (id !== this.hovered) {
      this.hovered = id;
      this.drawGlow();
    }
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.job = null;
    this.shapes.clear();
  }

  private spoil(part: Box): void {
    if (this.patches.length < MOST_PATCHES) {
      this.patches.push(part);
    } else {
      this.stale = true;
    }
    this.plan();
  }

  private plan(): void {
    this.frame ||= requestAnimationFrame(() => this.tick());
  }

  private tick(): void {
    this.frame = 0;
    if (this.size.width === 0) {
      return;
    }
    const { patches } = this;
    this.patches = [];
    if (patches.length > 0 && !this.stale) {
      this.job?.late.push(...patches);
      this.stale = !this.front.view || !this.patch(this.front, patches);
    }
    if (this.stale && (!this.job || this.few(this.view))) {
      this.stale = false;
      this.job = null;
      this.few(this.view) ? this.drawNow(this.view) : this.begin(this.view);
    } else if (this.job) {
      this.step(this.job); // and what is stale after it is drawn after it
    }
    if (patches.length > 0) {
      this.drawGlow();
    }
  }

  /** Whether what is to be seen can be drawn within a frame. */
  private few(view: View): boolean {
    return this.shapes.size <= AT_ONCE || this.index.within(this.part(view)).length <= AT_ONCE;
  }

  /** The part of the image that is drawn for a view: what is to be seen, and a margin. */
  private part(view: View, margin = MARGIN): Box {
    const { width, height } = this.size;
    const [mx, my] = [width * margin + 3, height * margin + 3]; // and half a line
    return { x: (-mx - view.x) / view.width, y: (-my - view.y) / view.height, width: (width + 2 * mx) / view.width, height: (height + 2 * my) / view.height };
  }

  /** Whether the front sheet has all that is to be seen, and about in that size. */
  private covers(view: View): boolean {
    const drawn = this.front.view!;
    const zoom = view.width / drawn.width;
    if (zoom > 2 || zoom < 0.6) {
      return false;
    }
    const [has, wants] = [this.part(drawn), this.part(view, 0)];
    const unit = (v: number) => Math.min(1, Math.max(0, v)); // outside of the image there is nothing
    return (
      unit(has.x) <= unit(wants.x) &&
      unit(has.y) <= unit(wants.y) &&
      unit(has.x + has.width) >= unit(wants.x + wants.width) &&
      unit(has.y + has.height) >= unit(wants.y + wants.height)
    );
  }

  private queue(view: View): string[] {
    return this.within(this.part(view))
      .filter((a) => !this.lifted.has(a.id))
      .sort(largest)
      .map((a) => a.id);
  }

  private drawNow(view: View): void {
    const queue = this.queue(view);
    this.ready(this.front, view);
    queue.forEach((id) => this.draw(this.front, id, false));
    place(this.front, this.view);
    this.told();
  }

  private begin(view: View): void {
    clearTimeout(this.timer);
    const queue = this.queue(view);
    this.ready(this.back, view);
    this.job = { queue, done: 0, thin: queue.length > THIN, late: [] };
    this.plan();
  }

  private step(job: Job): void {
    const end = performance.now() + STEP;
    while (job.done < job.queue.length && performance.now() < end) {
      const next = Math.min(job.done + 64, job.queue.length);
      for (; job.done < next; job.done++) {
        this.draw(this.back, job.queue[job.done]!, job.thin);
      }
      // Asking for a pixel makes the browser draw now what it would put off to the end.
      this.back.context.getImageData(0, 0, 1, 1);
    }
    if (job.done === job.queue.length) {
      this.job = null;
      this.stale ||= !this.patch(this.back, job.late);
      [this.front, this.back] = [this.back, this.front];
      this.front.canvas.hidden = false;
      this.back.canvas.hidden = true;
      this.told();
      this.move(this.view); // it may have moved on
    }
    if (this.job || this.stale) {
      this.plan();
    }
  }

  /** Draws changed parts only; false if that is no less work than all of it. */
  private patch(on: Sheet, parts: readonly Box[]): boolean {
    if (parts.length === 0) {
      return true;
    }
    const touched = parts.map((part) => this.within(part).filter((a) => !this.lifted.has(a.id)));
    if (parts.length > MOST_PATCHES || touched.some((found) => found.length > MOST_PATCHED)) {
      return false;
    }
    const view = on.view!;
    const drawn = this.part(view);
    const thin = this.within(drawn).length > THIN;
    parts.forEach((part, i) => {
      if (!touch(part, drawn)) {
        return;
      }
      const [left, top] = [Math.floor(view.x + part.x * view.width) - 4, Math.floor(view.y + part.y * view.height) - 4];
      const [right, bottom] = [Math.ceil(view.x + (part.x + part.width) * view.width) + 4, Math.ceil(view.y + (part.y + part.height) * view.height) + 4];
      on.context.save();
      this.origin(on);
      on.context.beginPath();
      on.context.rect(left, top, right - left, bottom - top);
      on.context.clip();
      on.context.clearRect(left, top, right - left, bottom - top);
      touched[i]!.sort(largest).forEach((a) => this.draw(on, a.id, thin));
      on.context.restore();
    });
    this.told();
    return true;
  }

  /** Empties a sheet, in the size of the stage and its margins. */
  private ready(on: Sheet, view: View): void {
    const { width, height, mx, my } = this.extent;
    const ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (width * height)));
    const { canvas, context } = on;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h || on.mx !== mx || on.my !== my) {
      [canvas.width, canvas.height, on.mx, on.my, on.ratio] = [w, h, mx, my, ratio];
      canvas.style.cssText = `left: ${-mx}px; top: ${-my}px; width: ${width}px; height: ${height}px; transform-origin: ${mx}px ${my}px`;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    on.view = view;
  }

  /** The size of a sheet and its margins, in whole pixels so that it is shown sharp. */
  private get extent(): { width: number; height: number; mx: number; my: number } {
    const [mx, my] = [Math.round(this.size.width * MARGIN), Math.round(this.size.height * MARGIN)];
    return { width: Math.ceil(this.size.width) + 2 * mx, height: Math.ceil(this.size.height) + 2 * my, mx, my };
  }

  /** Lets a sheet be drawn on in pixels from the stage's corner. */
  private origin({ context, ratio, mx, my }: Sheet): void {
    context.setTransform(ratio, 0, 0, ratio, mx * ratio, my * ratio);
  }

  private draw(on: Sheet, id: string, thin: boolean, strong = false): void {
    const shape = this.shapes.get(id);
    const { context, view, ratio } = on;
    if (!shape || !view) {
      return;
    }
    const { annotation: a } = shape;
    if (shape.outline === undefined) {
      shape.outline = outlineOf(a, this.scale);
    }
    if (!shape.outline) {
      return;
    }
    this.origin(on);
    const color = this.palette.color(a);
    const [width, height] = [a.width * view.width, a.height * view.height];
    context.globalAlpha = 1;
    if (Math.max(width, height) < DOT_SIZE && a.shape?.type !== "point") {
      context.fillStyle = color;
      context.fillRect(view.x + a.x * view.width - 0.5, view.y + a.y * view.height - 0.5, Math.max(2, width + 1), Math.max(2, height + 1));
      return;
    }
    const zoom = view.width / this.scale.x;
    context.transform(zoom, 0, 0, view.height / this.scale.y, view.x, view.y);
    const guess = proposed(a) && !strong;
    if (a.shape?.type !== "polyline") {
      context.globalAlpha = strong ? 0.22 : guess ? 0.03 : 0.1;
      context.fillStyle = color;
      context.fill(shape.outline, "evenodd");
    }
    if (guess && !thin) {
      // Dashes of one colour are lost on a photograph: light ones lie between them.
      context.globalAlpha = 0.6;
      context.strokeStyle = "#fff";
      context.lineWidth = 1.5 / zoom;
      context.setLineDash([]);
      context.stroke(shape.outline);
    }
    context.globalAlpha = guess ? 0.9 : 1;
    context.strokeStyle = color;
    // One pixel of the canvas is what renderers draw fastest.
    context.lineWidth = (strong ? 3 : thin ? 1 / ratio : guess ? 1.5 : 2) / zoom;
    context.setLineDash(guess && !thin ? [5 / zoom, 4 / zoom] : []);
    context.stroke(shape.outline);
  }

  private drawGlow(): void {
    const there = this.hovered && this.shapes.has(this.hovered) && !this.lifted.has(this.hovered);
    if (there && this.size.width > 0) {
      this.ready(this.glow, this.view);
      this.draw(this.glow, this.hovered, false, true);
      place(this.glow, this.view);
    }
    this.glow.canvas.hidden = !there;
  }

  /** Says in the page what is drawn, for those who look at pages by program. */
  private told(): void {
    this.draws++;
    this.element.dataset.draws = String(this.draws);
    this.element.dataset.shapes = String(this.index.within(this.part(this.front.view!)).length);
  }
}

function sheet(): Sheet {
  const canvas = document.createElement("canvas");
  // Drawn without a graphics card: thousands of small shapes are no work for one.
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  return { canvas, context, view: null, ratio: 1, mx: 0, my: 0 };
}

/** Small shapes are drawn over large ones. */
function largest(a: Annotation, b: Annotation): number {
  return b.width * b.height - a.width * a.height;
}

/** Moves a sheet from where it was drawn to where the picture is. */
function place(on: Sheet, view: View): void {
  const drawn = on.view;
  if (!drawn) {
    return;
  }
  const zoom = view.width / drawn.width;
  // The sheet begins a margin before the stage; both are scaled about the stage's corner.
  const transform = same(drawn, view) ? "" : `translate(${Math.round(view.x - drawn.x * zoom)}px, ${Math.round(view.y - drawn.y * zoom)}px) scale(${zoom})`;
  if (on.canvas.style.transform !== transform) {
    on.canvas.style.transform = transform;
  }
}

function same(a: View, b: View): boolean {
  return Math.abs(a.x - b.x) < 0.01 && Math.abs(a.y - b.y) < 0.01 && Math.abs(a.width - b.width) < 0.01;
}

/** Whether two states of an annotation are drawn alike. */
export function alike(a: Annotation, b: Annotation): boolean {
  return (
    a.label === b.label &&
    a.x === b.x &&
    a.y === b.y &&
    a.width === b.width &&
    a.height === b.height &&
    a.source === b.source &&
    a.confidence === b.confidence &&
    a.created_by === b.created_by &&
    (a.shape === b.shape || JSON.stringify(a.shape) === JSON.stringify(b.shape))
  );
}
