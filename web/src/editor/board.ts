import type { Annotation, Change, Image, Peer, Presence } from "@easelhq/client";
import type { App } from "../app";
import { h } from "../dom";
import { Overlay } from "./overlay";
import type { Paint } from "./paint";
import { Picture } from "./picture";
import { Pinch } from "./pinch";
import { Pointer } from "./pointer";
import { Popover, type PopoverEvents } from "./popover";
import type { Place } from "./shapes";
import { Stage } from "./stage";
import type { Tools } from "./tools";

export interface BoardEvents extends PopoverEvents {
  editable: () => boolean;
  /** The image's row was read. */
  row: (image: Image) => void;
  /** The picture is there, with nothing on it. */
  ready: () => void;
  /** The picture cannot be had; what is answered is shown in its place. */
  failed: (err: unknown) => HTMLElement | null;
  drawn: (at: Place) => void;
  moved: (places: Map<string, Place>) => void;
  presence: (state: Presence) => void;
  select: (ids: string[]) => void;
  selected: () => void;
  /** This person has zoomed or panned. */
  steered: () => void;
  /** What is to be seen: left, top, width and height in fractions of the image. */
  seen: (view: number[]) => void;
}

/** The picture and all that lies over it. Until it has been loaded there is nothing to select or draw on. */
export class Board {
  readonly element = h("div", { class: "stage" });
  private readonly closing = new AbortController();
  private stage: Stage | null = null;
  private overlay: Overlay | null = null;
  private popover: Popover | null = null;
  private pointer: Pointer | null = null;
  private picture: Picture | null = null;

  constructor(
    private readonly app: App,
    private readonly id: string,
    private readonly paint: Paint,
    private readonly tools: Tools,
    private readonly events: BoardEvents,
  ) {
    this.wait();
  }

  async open(): Promise<void> {
    const { app, events } = this;
    try {
      const image = await app.rest.image(this.id);
      events.row(image);
      this.picture?.close();
      this.picture = new Picture(app.rest, image, this.closing.signal);
      const source = await this.picture.open((better) => this.stage?.replace(better));
      const surface = h("div", { class: "surface" });
      this.element.prepend(surface);
      const stage = await Stage.open(
        surface,
        source,
        {
          drawn: (at) => events.drawn(at),
          dragging: (id, at) => events.presence({ draft: at, selection: [id] }),
          moved: (places) => {
            events.presence({ draft: undefined });
            events.moved(places);
          },
          selected: () => events.selected(),
          placed: () => this.placed(),
          steered: () => events.steered(),
        },
        this.paint,
      );
      if (this.closing.signal.aborted) {
        stage.close();
      } else {
        this.furnish(stage);
      }
    } catch (err) {
      if (!this.closing.signal.aborted) {
        this.element.replaceChildren(...[events.failed(err)].filter((shown) => shown !== null));
      }
    }
  }

  /** Loads the picture again, in place of what is shown for it. */
  reopen(): void {
    this.element.replaceChildren();
    void this.open();
  }

  get selection(): string[] {
    return this.stage?.selection ?? [];
  }

  select(ids: string[]): void {
    this.stage?.select(ids);
  }

  apply(change: Change): void {
    this.stage?.apply(change);
  }

  /** What a press does, by the tool in hand. */
  mode(): void {
    this.stage?.setMode(this.tools.drawing, this.events.editable());
  }

  /** The size of a pixel of the screen in fractions of the image; undefined while there is no picture. */
  pixel(): { x: number; y: number } | undefined {
    return this.stage?.pixel();
  }

  look(view: [number, number, number, number]): void {
    this.stage?.look(view);
  }

  zoom(factor: number): void {
    this.stage?.zoom(factor);
  }

  fit(): void {
    this.stage?.fit();
  }

  cancelDrawing(): void {
    this.stage?.cancelDrawing();
  }

  /** Keeps a letter that comes before its field; false if no field is on its way. */
  typed(letter: string): boolean {
    return this.pointer?.type(letter) ?? false;
  }

  /** Asks for a label beside one annotation, or for none. */
  name(one: Annotation | null, labels: string[], focus: boolean, mayJudge: boolean): void {
    this.popover?.show(one, labels, focus, mayJudge);
    if (focus) {
      this.popover?.type(this.pointer?.typed() ?? "");
    }
  }

  people(shown: ReadonlyMap<string, Annotation>, peers: ReadonlyMap<string, Peer>): void {
    this.overlay?.show(shown, peers);
  }

  /** Ends a drag that is in progress as if the pointer were up. */
  settle(): void {
    this.stage?.settle();
  }

  close(): void {
    this.closing.abort();
    this.overlay?.close();
    this.stage?.close();
    this.picture?.close();
  }

  private wait(): void {
    this.element.append(h("span", { class: "spinner", role: "status", "aria-label": "Loading" }));
  }

  /** Puts over the picture what lies there. */
  private furnish(stage: Stage): void {
    const { events, tools } = this;
    const { signal } = this.closing;
    this.element.querySelector(".spinner")?.remove();
    this.stage = stage;
    this.overlay = new Overlay(stage, this.paint);
    this.popover = new Popover(stage, events, this.app.labels);
    this.element.append(this.overlay.element, this.popover.element);
    // Before the pointer, which then hears nothing of a second finger.
    new Pinch(
      stage,
      {
        draws: () => ["box", "ellipse"].includes(tools.inHand ?? "") && events.editable(),
        began: () => {
          this.pointer?.letGo();
          tools.pan(true);
        },
        ended: () => tools.pan(false),
      },
      signal,
    );
    this.pointer = new Pointer(
      stage,
      {
        inHand: () => tools.inHand,
        chosen: () => tools.chosen,
        editable: () => events.editable(),
        at: (cursor, draft) => events.presence({ cursor: cursor ?? undefined, ...(draft ? { draft } : {}) }),
        drew: () => events.presence({ draft: undefined }),
        point: (at) => events.drawn(at),
        select: (ids) => events.select(ids),
      },
      signal,
    );
    this.mode();
    events.ready();
  }

  private placed(): void {
    if (this.stage) {
      this.events.seen(this.stage.view());
    }
    this.overlay?.place();
    this.popover?.place();
  }
}
