import type { Stage } from "./stage";

interface Spot {
  clientX: number;
  clientY: number;
}

export interface PinchEvents {
  /** Whether one finger draws by being dragged; else the picture itself follows two. */
  draws: () => boolean;
  /** A second finger is down: what the first has begun is no drawing. */
  began: () => void;
  ended: () => void;
}

/**
 * Two fingers zoom and pan the picture, also while a tool is in hand that one finger
 * draws with: OpenSeadragon listens to none then, and Annotorious takes each for a pen.
 */
export class Pinch {
  private readonly fingers = new Map<number, Spot>();
  private active = false;

  constructor(
    private readonly stage: Stage,
    private readonly events: PinchEvents,
    signal: AbortSignal,
  ) {
    stage.element.addEventListener("pointerdown", (e) => this.down(e), { signal, capture: true });
    addEventListener("pointermove", (e) => this.move(e), { signal, capture: true });
    addEventListener("pointerup", (e) => this.up(e), { signal, capture: true });
    addEventListener("pointercancel", (e) => this.up(e), { signal, capture: true });
  }

  private down(e: PointerEvent): void {
    if (e.pointerType !== "touch") {
      return;
    }
    this.fingers.set(e.pointerId, e);
    if (this.fingers.size === 2 && !this.active && this.events.draws()) {
      this.active = true;
      this.events.began();
    }
    this.keep(e);
  }

  private move(e: PointerEvent): void {
    if (!this.fingers.has(e.pointerId)) {
      return;
    }
    const before = this.span();
    this.fingers.set(e.pointerId, e);
    const after = this.span();
    if (this.active && before && after) {
      this.stage.pinch(before.middle, after.middle, before.length > 0 ? after.length / before.length : 1);
    }
    this.keep(e);
  }

  private up(e: PointerEvent): void {
    this.keep(e);
    if (this.fingers.delete(e.pointerId) && this.active && this.fingers.size === 0) {
      this.active = false;
      this.events.ended();
    }
  }

  /** Lets nobody else hear of it while the picture follows two fingers. */
  private keep(e: PointerEvent): void {
    if (this.active && this.fingers.has(e.pointerId)) {
      e.preventDefault();
      e.stopImmediatePropagation();
    }
  }

  /** Where two fingers are; null if there are others. */
  private span(): { middle: Spot; length: number } | null {
    const [a, b, more] = [...this.fingers.values()];
    if (!a || !b || more) {
      return null;
    }
    return {
      middle: { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 },
      length: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
    };
  }
}
