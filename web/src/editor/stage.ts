import { createOSDAnnotator, type ImageAnnotation, type OpenSeadragonAnnotator } from "@annotorious/openseadragon";
import "@annotorious/openseadragon/annotorious-openseadragon.css";
import { Origin, type DrawingStyle, type StoreChangeEvent } from "@annotorious/core";
import OpenSeadragon from "openseadragon";
import { mountPlugin } from "@annotorious/plugin-tools";
import "@annotorious/plugin-tools/annotorious-plugin-tools.css";
import type { Annotation, Box, Change } from "@easelhq/client";
import { Grip } from "./grip";
import { nameHandles } from "./handles";
import { alike, Layer, type View } from "./layer";
import { isHit } from "./outline";
import { proposed, type Paint } from "./paint";
import type { Source } from "./picture";
import { fromSelector, toSelector, type Place, type Selector } from "./shapes";

export type { Box };

/** What dragging or clicking on the picture makes. */
export type DrawingTool = "rectangle" | "polygon" | "ellipse" | "path";

/** How an annotation is drawn. */
type Style = (a: ImageAnnotation, state?: { selected?: boolean; hovered?: boolean }) => DrawingStyle;

const LEAST = 0.001;

/** Around what a pointer is still over something, in pixels. */
const EDGE = 2;

/** Around a picture that is shown as a whole, in parts of it. */
const MARGIN = 0.06;

/** What the tools take of the stage's left side, and what is left free on the other, in pixels. */
const TOOLS = 66;
const BESIDE = 16;

export interface StageEvents {
  /** A new box was drawn. */
  drawn: (at: Place) => void;
  /** An existing one is being dragged; committed once the pointer is up. */
  dragging: (id: string, at: Place) => void;
  /** Boxes were moved or resized. */
  moved: (places: Map<string, Place>) => void;
  selected: (ids: string[]) => void;
  /** Zoomed, panned or resized: overlays must be placed again. */
  placed: () => void;
  /** This person has zoomed or panned. */
  steered: () => void;
}

/**
 * The picture and what is on it. OpenSeadragon shows the picture, our own layer all
 * annotations but those that are selected: only these are given to Annotorious,
 * which lets them be changed, and taken back when they are let go.
 */
export class Stage {
  private readonly viewer: OpenSeadragon.Viewer;
  private readonly annotator: OpenSeadragonAnnotator;
  private readonly layer: Layer;
  private readonly grip = new Grip();
  /** What each annotation that Annotorious has looked like when it was given to it. */
  private readonly lifted = new Map<string, Annotation>();
  private readonly closing = new AbortController();
  /** What is selected while Annotorious starts over with it. */
  private again: string[] | null = null;
  /** Nobody has zoomed or panned: another window size shows all of it again. */
  private whole = true;
  private tool: DrawingTool = "rectangle";
  /** The part of the image that another person was last followed to. */
  private looking = "";
  private size = { x: 1, y: 1 };

  private constructor(
    readonly element: HTMLElement,
    viewer: OpenSeadragon.Viewer,
    private readonly events: StageEvents,
    paint: Paint,
  ) {
    this.viewer = viewer;
    const item = viewer.world.getItemAt(0);
    this.size = item.getContentSize();
    const style: Style = (a, state) => {
      const known = this.lifted.get(a.id);
      const color = (known ? paint.color(known) : "#3a56e8") as `#${string}`;
      const strong = state?.selected || state?.hovered;
      if (known && proposed(known) && !strong) {
        return { fill: color, fillOpacity: 0.03, stroke: color, strokeOpacity: 0.6, strokeWidth: 1 };
      }
      return { fill: color, fillOpacity: strong ? 0.22 : 0.1, stroke: color, strokeOpacity: 1, strokeWidth: strong ? 3 : 2 };
    };
    this.layer = new Layer(this.size, paint);
    const repaint = () => {
      this.annotator.setStyle(style);
      this.layer.repaint();
    };
    this.closing.signal.addEventListener("abort", paint.on("change", repaint));
    this.annotator = createOSDAnnotator(viewer, {
      autoSave: false,
      drawingEnabled: false,
      drawingMode: "drag",
      theme: "light",
      style,
    });
    mountPlugin(this.annotator);
    this.annotator.setDrawingTool("rectangle");
    this.annotator.on("createAnnotation", (a) => {
      // The box comes back from the session under an id of ours.
      const at = this.toPlace(a);
      this.annotator.cancelSelected();
      this.annotator.state.store.deleteAnnotation(a.id, Origin.REMOTE);
      if (at && (at.shape || (at.width >= LEAST && at.height >= LEAST))) {
        events.drawn(at);
      }
    });
    this.annotator.on("selectionChanged", (all) => {
      queueMicrotask(() => this.lower()); // Annotorious still looks at what was selected
      events.selected(all.map((a) => a.id));
    });
    this.annotator.state.store.observe((e) => this.edited(e), { origin: Origin.LOCAL });
    const gl = viewer.element.querySelector(".a9s-gl-canvas");
    gl?.before(this.layer.element);
    viewer.addHandler("update-viewport", () => gl?.dispatchEvent(new Event("draw"))); // after Annotorious' own
    for (const name of ["update-viewport", "resize", "animation", "open"] as const) {
      viewer.addHandler(name, () => this.placed());
    }
    const watch = new ResizeObserver(() => this.sized());
    watch.observe(viewer.container);
    this.closing.signal.addEventListener("abort", () => watch.disconnect());
    this.sized();
    for (const name of ["canvas-pinch", "canvas-drag"] as const) {
      viewer.addHandler(name, () => this.steer());
    }
    viewer.addHandler("canvas-drag", () => this.layer.hold(true));
    viewer.addHandler("canvas-release", () => this.layer.hold(false));
    viewer.addHandler("canvas-drag-end", () => this.layer.hold(false));
    viewer.addHandler("resize", () => this.whole && requestAnimationFrame(() => !this.closing.signal.aborted && fitWithMargin(viewer, true)));
    const { signal } = this.closing;
    nameHandles(element, signal);
    element.addEventListener("wheel", (e) => this.wheel(e), { signal, passive: false, capture: true });
    element.addEventListener("dblclick", (e) => this.ended(e), { signal, capture: true });
    element.addEventListener("pointermove", (e) => this.hover(e), { signal });
    element.addEventListener("pointerleave", () => this.hover(null), { signal });
    element.addEventListener("pointerdown", (e) => this.grasp(e), { signal, capture: true });
    // A release may be missed, as behind a menu of the system; a mouse that moves tells of it.
    element.addEventListener("pointermove", (e) => e.buttons === 0 && this.letGo(e), { signal });
    addEventListener("pointerup", (e) => this.letGo(e), { signal, capture: true });
    addEventListener("pointercancel", (e) => this.letGo(e), { signal, capture: true });
  }

  /** Shows a picture in element; rejects if it cannot be decoded. */
  static open(element: HTMLElement, source: Source, events: StageEvents, paint: Paint): Promise<Stage> {
    return new Promise((resolve, reject) => {
      const viewer = OpenSeadragon({
        element,
        tileSources: source,
        drawer: "canvas",
        prefixUrl: "",
        showNavigationControl: false,
        animationTime: 0.35,
        springStiffness: 9,
        minZoomImageRatio: 0.5,
        maxZoomPixelRatio: 12,
        visibilityRatio: 0.4,
        keyboardNavEnabled: false,
        gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false },
        gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: false },
      } as OpenSeadragon.Options);
      viewer.addOnceHandler("open", () => {
        fitWithMargin(viewer, true);
        resolve(new Stage(element, viewer, events, paint));
      });
      viewer.addOnceHandler("open-failed", () => {
        viewer.destroy();
        reject(new Error("This image cannot be shown here."));
      });
    });
  }

  /** Shows the same picture from another source. */
  replace(source: Source): void {
    if (!this.closing.signal.aborted) {
      this.viewer.addTiledImage({ tileSource: source, index: 0, replace: true });
    }
  }

  /** Brings what the session changed onto the picture, but for what is in hand: that comes later. */
  apply(change: Change): void {
    const store = this.annotator.state.store;
    const { upserted, removed } = this.grip.sift(change);
    const edited: ImageAnnotation[] = [];
    let recast = false;
    for (const a of upserted) {
      this.layer.put(a);
      const before = this.lifted.get(a.id);
      // Only what looks different: an edit that is confirmed has but another rev.
      if (before && !alike(before, a)) {
        this.lifted.set(a.id, a);
        edited.push(...this.fromAnnotation(a));
        recast ||= toSelector(before, this.size)?.type !== toSelector(a, this.size)?.type;
      }
    }
    if (recast) {
      this.reselect();
    } else if (edited.length > 0) {
      store.bulkUpsertAnnotations(edited, Origin.REMOTE);
    }
    const lost = removed.filter((id) => this.lifted.has(id));
    if (lost.length > 0) {
      const selected = this.selection.filter((id) => !lost.includes(id));
      if (selected.length < this.selection.length) {
        this.select(selected);
      }
      lost.forEach((id) => this.lifted.delete(id));
      store.bulkDeleteAnnotations(
        lost.filter((id) => store.getAnnotation(id)),
        Origin.REMOTE,
      );
    }
    removed.forEach((id) => this.layer.remove(id));
  }

  /**
   * Starts over with what is selected: an editor of Annotorious knows one kind of shape
   * only. It drops its editor in a microtask of its own, ours comes right behind it:
   * no press and no key can fall in between.
   */
  private reselect(): void {
    const selected = this.selection;
    this.select([]);
    this.again = selected;
    queueMicrotask(() => {
      if (this.again === selected && !this.closing.signal.aborted) {
        this.select(selected);
      }
    });
  }

  get selection(): string[] {
    return this.again ?? this.annotator.getSelected().map((a) => a.id);
  }

  select(ids: string[]): void {
    this.again = null;
    const known = ids.filter((id) => this.lift(id));
    if (known.length > 0) {
      this.annotator.setSelected(known, true);
    } else {
      this.annotator.cancelSelected();
    }
    this.lower();
  }

  /** What is drawn (or else the picture is panned), and whether annotations can be changed. */
  setMode(tool: DrawingTool | null, editable: boolean): void {
    const drawing = tool !== null;
    if (tool && tool !== this.tool) {
      this.tool = tool;
      this.annotator.setDrawingMode(tool === "polygon" || tool === "path" ? "click" : "drag");
      this.annotator.setDrawingTool(tool);
    }
    this.annotator.setDrawingEnabled(drawing && editable);
    this.annotator.setUserSelectAction((editable ? "EDIT" : "SELECT") as never);
    this.element.classList.toggle("drawing", drawing && editable);
  }

  cancelDrawing(): void {
    this.annotator.cancelDrawing();
  }

  /** What is to be seen of the image: left, top, width and height in fractions of it. */
  view(): number[] {
    const { x, y, width, height } = this.viewer.viewport.viewportToImageRectangle(this.viewer.viewport.getBounds());
    const round = (v: number) => Math.round(v * 1e4) / 1e4;
    return [x / this.size.x, y / this.size.y, width / this.size.x, height / this.size.y].map(round);
  }

  /** Shows at least that part of the image. */
  look([x, y, width, height]: [number, number, number, number]): void {
    const next = JSON.stringify([x, y, width, height]);
    if (![x, y, width, height].every(Number.isFinite) || width <= 0 || height <= 0 || next === this.looking) {
      return;
    }
    this.looking = next;
    this.whole = false;
    const part = new OpenSeadragon.Rect(x * this.size.x, y * this.size.y, width * this.size.x, height * this.size.y);
    this.viewer.viewport.fitBounds(this.viewer.viewport.imageToViewportRectangle(part));
  }

  /** While boxes are drawn Annotorious switches OpenSeadragon's own wheel off. */
  private wheel(e: WheelEvent): void {
    this.steer();
    if (this.element.classList.contains("drawing")) {
      e.preventDefault();
      const [x, y] = this.fromScreen(e);
      const at = this.viewer.viewport.imageToViewportCoordinates(x * this.size.x, y * this.size.y);
      const pixels = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? e.deltaY * 20 : e.deltaY;
      this.viewer.viewport.zoomBy(1.2 ** (-Math.max(-300, Math.min(300, pixels)) / 100), at).applyConstraints();
    }
  }

  /**
   * OpenSeadragon takes the pointer, and tells Annotorious of a double click only if
   * two quick presses were handled within 300 ms, which a busy browser misses. What a
   * double click is, the system has decided already; to end a drawing twice is nothing.
   */
  private ended(e: MouseEvent): void {
    const drawing = this.element.querySelector(".a9s-osd-drawinglayer");
    if (drawing && this.element.classList.contains("drawing") && e.target instanceof Node && !drawing.contains(e.target)) {
      drawing.dispatchEvent(new MouseEvent("dblclick", { clientX: e.clientX, clientY: e.clientY }));
    }
  }

  private steer(): void {
    this.whole = false;
    this.looking = "";
    this.events.steered();
  }

  /** Follows two fingers: what lay under one spot lies under another, so many times larger. */
  pinch(from: { clientX: number; clientY: number }, to: { clientX: number; clientY: number }, factor: number): void {
    this.steer();
    const { viewport } = this.viewer;
    const at = ([x, y]: [number, number]) => viewport.imageToViewportCoordinates(x * this.size.x, y * this.size.y);
    const held = at(this.fromScreen(from));
    viewport.panBy(held.minus(at(this.fromScreen(to))), true);
    viewport.zoomBy(factor, held, true).applyConstraints(true);
  }

  zoom(factor: number): void {
    this.steer();
    this.viewer.viewport.zoomBy(factor).applyConstraints();
  }

  fit(): void {
    this.steer();
    this.whole = true;
    fitWithMargin(this.viewer, false);
  }

  /**
   * What is at a pointer, smallest first, and then what is near: slack in pixels lets
   * tiny ones be hit.
   */
  hitsAt(event: { clientX: number; clientY: number }, slack: number): string[] {
    const at = this.fromScreen(event);
    const view = this.picture();
    const scale = { x: view.width, y: view.height };
    const [dx, dy] = [slack / view.width, slack / view.height];
    return this.layer
      .within({ x: at[0] - dx, y: at[1] - dy, width: 2 * dx, height: 2 * dy })
      .filter((a) => isHit(a, at, scale, slack))
      .map((a) => ({ a, near: isHit(a, at, scale, 0) ? 0 : 1 }))
      .sort((p, q) => p.near - q.near || p.a.width * p.a.height - q.a.width * q.a.height)
      .map(({ a }) => a.id);
  }

  /** What touches the part of the image that is to be seen. */
  visible(): Annotation[] {
    const { x, y, width, height } = this.picture();
    const { clientWidth, clientHeight } = this.viewer.container;
    return this.layer.within({ x: -x / width, y: -y / height, width: clientWidth / width, height: clientHeight / height });
  }

  /** The size of a pixel of the screen, in fractions of the image. */
  pixel(): { x: number; y: number } {
    const { width, height } = this.picture();
    return { x: 1 / width, y: 1 / height };
  }

  /** Where the image is on the screen, in pixels from the stage's corner. */
  picture(): View {
    const { viewport } = this.viewer;
    const seen = viewport.getBounds(true);
    const width = viewport.getContainerSize().x / seen.width; // the image is one unit wide
    return { x: -seen.x * width, y: -seen.y * width, width, height: (width * this.size.y) / this.size.x };
  }

  /** Where a box is on the screen, in pixels from the stage's corner. */
  place(box: Box, on = this.picture()): { left: number; top: number; width: number; height: number } {
    return { left: on.x + box.x * on.width, top: on.y + box.y * on.height, width: box.width * on.width, height: box.height * on.height };
  }

  toScreen(x: number, y: number): { x: number; y: number } {
    const on = this.picture();
    return { x: on.x + x * on.width, y: on.y + y * on.height };
  }

  /** The point of the image under a pointer, in fractions. */
  fromScreen(event: { clientX: number; clientY: number }): [number, number] {
    const corner = this.element.getBoundingClientRect();
    const on = this.picture();
    return [(event.clientX - corner.left - on.x) / on.width, (event.clientY - corner.top - on.y) / on.height];
  }

  /** Ends a drag that is in progress as if the pointer were up: what was moved stays moved. */
  settle(): void {
    const { places, late } = this.grip.release();
    this.apply(late);
    if (places.size > 0) {
      this.events.moved(places);
    }
    this.lower();
  }

  close(): void {
    this.closing.abort();
    this.layer.close();
    this.annotator.destroy();
    this.viewer.destroy();
  }

  private edited(event: StoreChangeEvent<ImageAnnotation>): void {
    for (const { newValue } of event.changes.updated ?? []) {
      const at = this.toPlace(newValue);
      if (at) {
        this.grip.move(newValue.id, at);
        this.events.dragging(newValue.id, at);
      }
    }
    if (!this.grip.down) {
      this.later(); // a corner was deleted by a key
    }
  }

  private grasp(e: PointerEvent): void {
    const on = e.target instanceof Element && e.target.closest(".a9s-osd-drawinglayer.editing .a9s-annotation");
    if (on && !this.grip.down) {
      this.grip.press(e.pointerId, this.selection);
    }
  }

  private letGo(e: PointerEvent): void {
    if (this.grip.by(e.pointerId)) {
      this.later();
    }
  }

  /** Settles when Annotorious has had its say in what happens now. */
  private later(): void {
    setTimeout(() => !this.closing.signal.aborted && this.settle());
  }

  private placed(): void {
    this.layer.move(this.picture());
    this.events.placed();
  }

  private sized(): void {
    const { clientWidth, clientHeight } = this.viewer.container;
    this.layer.resize(clientWidth, clientHeight);
    this.layer.move(this.picture());
  }

  private hover(e: PointerEvent | null): void {
    const free = e !== null && e.pointerType !== "touch" && e.buttons === 0 && !this.element.classList.contains("drawing");
    const id = (free && this.hitsAt(e, EDGE)[0]) || "";
    this.layer.hover(id);
    this.element.classList.toggle("over", id !== "");
  }

  /** Gives an annotation to Annotorious; false if it is nowhere on the picture. */
  private lift(id: string): boolean {
    const a = this.layer.get(id);
    if (!a || this.lifted.has(id)) {
      return a !== undefined;
    }
    const [editable] = this.fromAnnotation(a);
    if (!editable) {
      return false;
    }
    this.lifted.set(id, a);
    this.annotator.state.store.bulkUpsertAnnotations([editable], Origin.REMOTE);
    this.layer.lift(id, true);
    return true;
  }

  /** Takes back from Annotorious what is not selected any more, and saved. */
  private lower(): void {
    if (this.closing.signal.aborted) {
      return;
    }
    const selected = new Set(this.selection);
    const down = [...this.lifted.keys()].filter((id) => !selected.has(id) && !this.grip.has(id));
    if (down.length > 0) {
      down.forEach((id) => (this.lifted.delete(id), this.layer.lift(id, false)));
      this.annotator.state.store.bulkDeleteAnnotations(down, Origin.REMOTE);
    }
  }

  private toPlace(a: ImageAnnotation): Place | null {
    const at = fromSelector(a.target.selector as unknown as Selector, this.size, this.lifted.get(a.id)?.shape);
    return at && !at.shape ? { ...at, ...clip(at) } : at;
  }

  /** What Annotorious knows an annotation as; nothing of a tag. */
  private fromAnnotation(a: Annotation): ImageAnnotation[] {
    const selector = toSelector(a, this.size);
    return selector ? [{ id: a.id, bodies: [], target: { annotation: a.id, selector } } as unknown as ImageAnnotation] : [];
  }
}

/** Shows all of the picture, with some air around it, and beside the tools: what lies under them cannot be drawn on. */
function fitWithMargin(viewer: OpenSeadragon.Viewer, immediately: boolean): void {
  const { x, y, width, height } = viewer.world.getHomeBounds();
  const { x: across, y: down } = viewer.viewport.getContainerSize();
  const air = 1 + 2 * MARGIN;
  let scale = Math.min(across / (width * air), down / (height * air)); // pixels of the screen
  const room = across - TOOLS - BESIDE;
  let left = (across - width * scale) / 2;
  if (left < TOOLS && room > 0) {
    scale = Math.min(scale, room / width);
    left = TOOLS;
  }
  const top = (down - height * scale) / 2;
  viewer.viewport.fitBounds(new OpenSeadragon.Rect(x - left / scale, y - top / scale, across / scale, down / scale), immediately);
}

/** Cuts off what lies outside of the image. */
export function clip(box: Box): Box {
  const unit = (v: number) => Math.min(1, Math.max(0, v));
  let [left, top, right, bottom] = [unit(box.x), unit(box.y), unit(box.x + box.width), unit(box.y + box.height)];
  if (right - left < LEAST && box.width >= LEAST) {
    [left, right] = left > 0.5 ? [1 - LEAST, 1] : [0, LEAST];
  }
  if (bottom - top < LEAST && box.height >= LEAST) {
    [top, bottom] = top > 0.5 ? [1 - LEAST, 1] : [0, LEAST];
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
