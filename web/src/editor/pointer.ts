import type { Box } from "@easelhq/client";
import type { Place } from "./shapes";
import type { Stage } from "./stage";
import type { Tool } from "./tools";

/** What a pointer needs to know, and what it does. */
export interface PointerEvents {
  /** The tool that a press uses; null while the picture is panned. */
  inHand: () => Tool | null;
  /** The tool that is chosen, panning or not. */
  chosen: () => Tool;
  editable: () => boolean;
  /** Where the pointer is, null when it has left; and the box that is being drawn. */
  at: (cursor: [number, number] | null, draft?: Box) => void;
  /** A press has ended that began as a drawing. */
  drew: () => void;
  point: (at: Place) => void;
  select: (ids: string[]) => void;
}

/** How long letters after a drag are meant for its box, in milliseconds. */
const EARLY = 1500;

/** What is drawn corner by corner. */
const CLICKED: ReadonlySet<Tool> = new Set<Tool>(["polygon", "hole", "path"]);

/** The pointer over the picture: cursor and draft for the others, points and clicks. */
export class Pointer {
  private start: [number, number] | null = null;
  private pressed: { x: number; y: number } | null = null;
  private picked: { id: string; x: number; y: number } | null = null;
  /** Letters typed between the end of a drag and its box: they are its label. */
  private early: string | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly events: PointerEvents,
    private readonly signal: AbortSignal,
  ) {
    const { element } = stage;
    element.addEventListener("pointerdown", (e) => this.down(e), { signal, capture: true });
    element.addEventListener("pointermove", (e) => this.move(e), { signal, capture: true });
    addEventListener("pointerup", (e) => this.up(e), { signal, capture: true });
    element.addEventListener("pointerleave", () => events.at(null), { signal });
  }

  /** Keeps a letter that comes before its field; false if no field is on its way. */
  type(letter: string): boolean {
    if (this.early === null) {
      return false;
    }
    this.early += letter;
    return true;
  }

  /** What was typed early, once. */
  typed(): string {
    const text = this.early ?? "";
    this.early = null;
    return text;
  }

  /** Forgets a press in progress: it was no drawing. */
  letGo(): void {
    this.start = this.pressed = null;
    this.events.drew();
  }

  private down(e: PointerEvent): void {
    const onHandle = e.target instanceof Element && e.target.closest(".a9s-handle, .a9s-touch-handle, .a9s-shape-handle, .a9s-edge-handle");
    if (e.pointerType === "touch" && !onHandle && CLICKED.has(this.events.chosen())) {
      likeMouse(e);
    }
    this.pressed = e.isPrimary && e.button === 0 && this.start === null && !onHandle ? { x: e.clientX, y: e.clientY } : null;
    this.start = this.events.inHand() === "box" && this.events.editable() && !onHandle ? this.stage.fromScreen(e) : null;
  }

  private move(e: PointerEvent): void {
    const at = this.stage.fromScreen(e);
    const { start } = this;
    const draft = start && {
      x: Math.min(start[0], at[0]),
      y: Math.min(start[1], at[1]),
      width: Math.abs(at[0] - start[0]),
      height: Math.abs(at[1] - start[1]),
    };
    this.events.at(at, draft ?? undefined);
  }

  private up(e: PointerEvent): void {
    const still = this.pressed && Math.hypot(e.clientX - this.pressed.x, e.clientY - this.pressed.y) < 4;
    this.pressed = null;
    if (still && !(e.target instanceof Element && e.target.closest(".popover, .toolbar"))) {
      setTimeout(() => !this.signal.aborted && this.pick(e)); // after Annotorious' own idea of it
    }
    if (this.start) {
      this.start = null;
      if (!still) {
        this.early = "";
        setTimeout(() => (this.early = null), EARLY);
      }
      this.events.drew();
    }
  }

  /** Selects the smallest box at a click; clicking again goes to the next larger one. */
  private pick(at: PointerEvent): void {
    const tool = this.events.chosen();
    if (CLICKED.has(tool)) {
      return; // a click is a corner
    }
    const [x, y] = this.stage.fromScreen(at);
    if (tool === "point" && this.events.editable() && x >= 0 && y >= 0 && x <= 1 && y <= 1) {
      this.events.point({ x, y, width: 0, height: 0, shape: { type: "point", points: [[x, y]] } });
      return;
    }
    const slack = at.pointerType === "touch" ? 14 : 5;
    const hits = this.stage.hitsAt(at, slack);
    const before = this.picked;
    const again = before && Math.hypot(at.clientX - before.x, at.clientY - before.y) < 6 && hits.length > 0;
    const index = again ? (hits.indexOf(before.id) + 1) % hits.length : 0;
    const id = hits[index];
    this.picked = id ? { id, x: at.clientX, y: at.clientY } : null;
    this.events.select(id ? [id] : []);
  }
}

/**
 * Makes a finger what Annotorious takes corners from: something that moves before it
 * is pressed (a finger comes from nowhere), and whose end is heard of once. A finger
 * belongs to the element that it touched, so both that and OpenSeadragon, which
 * passes it on, would tell of it.
 */
function likeMouse({ target, clientX, clientY, pointerId }: PointerEvent): void {
  if (target instanceof Element) {
    target.closest(".openseadragon-canvas")?.setPointerCapture(pointerId);
    target.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY, pointerId, pointerType: "mouse" }));
  }
}
