import { createOSDAnnotator, type ImageAnnotation, type OpenSeadragonAnnotator } from "@annotorious/openseadragon";
import "@annotorious/openseadragon/annotorious-openseadragon.css";
import { Origin, type DrawingStyle, type StoreChangeEvent } from "@annotorious/core";
import OpenSeadragon from "openseadragon";
import { mountPlugin } from "@annotorious/plugin-tools";
import "@annotorious/plugin-tools/annotorious-plugin-tools.css";
import type { Annotation, Box, Change, Shape } from "../client";
import { nameHandles } from "./handles";
import { proposed, type Paint } from "./paint";
import { fromSelector, toSelector, type Place, type Selector } from "./shapes";

export type { Box };

/** What dragging or clicking on the picture makes. */
export type DrawingTool = "rectangle" | "polygon" | "ellipse" | "path";

/** How an annotation is drawn. */
type Style = (a: ImageAnnotation, state?: { selected?: boolean; hovered?: boolean }) => DrawingStyle;

const LEAST = 0.001;

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

/** The picture and the boxes on it: OpenSeadragon with Annotorious. */
export class Stage {
  private readonly viewer: OpenSeadragon.Viewer;
  private readonly annotator: OpenSeadragonAnnotator;
  private readonly dirty = new Map<string, Place>();
  /** The shapes of what is no plain box. */
  private readonly shapes = new Map<string, Shape>();
  /** What is on the picture, for its colours. */
  private readonly annotations = new Map<string, Annotation>();
  /** What each annotation looked like when it was last given to Annotorious. */
  private readonly drawn = new Map<string, string>();
  private readonly closing = new AbortController();
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
      const known = this.annotations.get(a.id);
      const color = (known ? paint.color(known) : "#3a56e8") as `#${string}`;
      const strong = state?.selected || state?.hovered;
      if (known && proposed(known) && !strong) {
        return { fill: color, fillOpacity: 0.03, stroke: color, strokeOpacity: 0.6, strokeWidth: 1 };
      }
      return { fill: color, fillOpacity: strong ? 0.22 : 0.1, stroke: color, strokeOpacity: 1, strokeWidth: strong ? 3 : 2 };
    };
    this.closing.signal.addEventListener("abort", paint.on("change", () => this.annotator.setStyle(style)));
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
    this.annotator.on("selectionChanged", (all) => events.selected(all.map((a) => a.id)));
    this.annotator.state.store.observe((e) => this.edited(e), { origin: Origin.LOCAL });
    const layer = viewer.element.querySelector(".a9s-gl-canvas");
    viewer.addHandler("update-viewport", () => layer?.dispatchEvent(new Event("draw"))); // after Annotorious' own
    for (const name of ["update-viewport", "resize", "animation", "open"] as const) {
      viewer.addHandler(name, () => events.placed());
    }
    for (const name of ["canvas-pinch", "canvas-drag"] as const) {
      viewer.addHandler(name, () => this.steer());
    }
    viewer.addHandler("resize", () => this.whole && requestAnimationFrame(() => !this.closing.signal.aborted && fitWithMargin(viewer, true)));
    const { signal } = this.closing;
    nameHandles(element, signal);
    element.addEventListener("wheel", (e) => this.wheel(e), { signal, passive: false, capture: true });
    addEventListener("pointerup", () => setTimeout(() => this.commit()), { signal, capture: true });
    addEventListener("pointercancel", () => setTimeout(() => this.commit()), { signal, capture: true });
  }

  /** Shows the picture at url in element; rejects if it cannot be decoded. */
  static open(element: HTMLElement, url: string, events: StageEvents, paint: Paint): Promise<Stage> {
    return new Promise((resolve, reject) => {
      const viewer = OpenSeadragon({
        element,
        tileSources: { type: "image", url },
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

  /** Brings what the session changed onto the picture. */
  apply(change: Change): void {
    const store = this.annotator.state.store;
    // In bulk: the layer is drawn again for each change of the store, and drawing
    // five hundred boxes five hundred times keeps a slow renderer busy for long.
    change.upserted.forEach((a) => this.annotations.set(a.id, a));
    // And only what looks different: an edit that is confirmed has but another rev.
    const other = change.upserted.filter((a) => !this.dirty.has(a.id) && this.drawn.get(a.id) !== lookOf(a));
    other.forEach((a) => this.drawn.set(a.id, lookOf(a)));
    for (const a of other) {
      a.shape ? this.shapes.set(a.id, a.shape) : this.shapes.delete(a.id);
    }
    const shown = other.map((a) => this.fromAnnotation(a)).filter((a) => a !== null);
    if (shown.length > 0) {
      store.bulkUpsertAnnotations(shown, Origin.REMOTE);
    }
    if (change.removed.length > 0) {
      const selected = this.selection.filter((id) => !change.removed.includes(id));
      if (selected.length < this.selection.length) {
        this.select(selected);
      }
      store.bulkDeleteAnnotations(
        change.removed.filter((id) => store.getAnnotation(id)),
        Origin.REMOTE,
      );
      change.removed.forEach((id) => (this.dirty.delete(id), this.drawn.delete(id), this.shapes.delete(id), this.annotations.delete(id)));
    }
  }

  get selection(): string[] {
    return this.annotator.getSelected().map((a) => a.id);
  }

  select(ids: string[]): void {
    if (ids.length > 0) {
      this.annotator.setSelected(ids, true);
    } else {
      this.annotator.cancelSelected();
    }
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

  private steer(): void {
    this.whole = false;
    this.looking = "";
    this.events.steered();
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

  /** The boxes at a pointer, smallest first; slack in pixels lets tiny ones be hit. */
  boxesAt(event: { clientX: number; clientY: number }, boxes: Iterable<Annotation>, slack: number): string[] {
    const corner = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - corner.left, event.clientY - corner.top];
    return [...boxes]
      .filter((a) => a.shape?.type !== "tag")
      .map((a) => ({ a, at: this.place(a) }))
      .filter(({ at }) => {
        // Only what is hard to hit gets a margin.
        const [dx, dy] = [at.width < 2 * slack ? slack : 2, at.height < 2 * slack ? slack : 2];
        return x >= at.left - dx && x <= at.left + at.width + dx && y >= at.top - dy && y <= at.top + at.height + dy;
      })
      .sort((p, q) => p.at.width * p.at.height - q.at.width * q.at.height)
      .map(({ a }) => a.id);
  }

  /** The size of a pixel of the screen, in fractions of the image. */
  pixel(): { x: number; y: number } {
    const { width, height } = this.place({ x: 0, y: 0, width: 1, height: 1 });
    return { x: 1 / width, y: 1 / height };
  }

  /** Where a box is on the screen, in pixels from the stage's corner. */
  place(box: Box): { left: number; top: number; width: number; height: number } {
    const from = this.toScreen(box.x, box.y);
    const to = this.toScreen(box.x + box.width, box.y + box.height);
    return { left: from.x, top: from.y, width: to.x - from.x, height: to.y - from.y };
  }

  toScreen(x: number, y: number): { x: number; y: number } {
    return this.viewer.world
      .getItemAt(0)
      .imageToViewerElementCoordinates(new OpenSeadragon.Point(x * this.size.x, y * this.size.y));
  }

  /** The point of the image under a pointer, in fractions. */
  fromScreen(event: { clientX: number; clientY: number }): [number, number] {
    const corner = this.element.getBoundingClientRect();
    const at = this.viewer.world
      .getItemAt(0)
      .viewerElementToImageCoordinates(new OpenSeadragon.Point(event.clientX - corner.left, event.clientY - corner.top));
    return [at.x / this.size.x, at.y / this.size.y];
  }

  close(): void {
    this.closing.abort();
    this.annotator.destroy();
    this.viewer.destroy();
  }

  private edited(event: StoreChangeEvent<ImageAnnotation>): void {
    for (const { newValue } of event.changes.updated ?? []) {
      const at = this.toPlace(newValue);
      this.drawn.delete(newValue.id);
      if (at) {
        this.dirty.set(newValue.id, at);
        this.events.dragging(newValue.id, at);
      }
    }
  }

  private commit(): void {
    if (this.dirty.size > 0) {
      const boxes = new Map(this.dirty);
      this.dirty.clear();
      this.events.moved(boxes);
    }
  }

  private toPlace(a: ImageAnnotation): Place | null {
    const at = fromSelector(a.target.selector as unknown as Selector, this.size, this.shapes.get(a.id));
    return at && !at.shape ? { ...at, ...clip(at) } : at;
  }

  private fromAnnotation(a: Annotation): ImageAnnotation | null {
    const selector = toSelector(a, this.size);
    return (
      selector &&
      ({
        id: a.id,
        bodies: [{ id: `${a.id}-label`, annotation: a.id, purpose: "tagging", value: a.label }],
        target: { annotation: a.id, selector },
      } as unknown as ImageAnnotation)
    );
  }
}

function fitWithMargin(viewer: OpenSeadragon.Viewer, immediately: boolean): void {
  const margin = 0.06;
  const { x, y, width, height } = viewer.world.getHomeBounds();
  const whole = new OpenSeadragon.Rect(x - width * margin, y - height * margin, width * (1 + 2 * margin), height * (1 + 2 * margin));
  viewer.viewport.fitBounds(whole, immediately);
}

function lookOf(a: Annotation): string {
  return JSON.stringify([a.label, a.x, a.y, a.width, a.height, a.shape, a.source, a.confidence, a.created_by]);
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
