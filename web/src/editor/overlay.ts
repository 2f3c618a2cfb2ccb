import type { Annotation, Peer } from "@easelhq/client";
import { colorOf, inkOn } from "../colors";
import { h } from "../dom";
import type { View } from "./layer";
import { proposed, type Paint } from "./paint";
import type { Box, Stage } from "./stage";

/** Up to so many annotations in sight have their label, whatever their size. */
const ALL_LABELS = 100;

/** Of more, so many of the largest have theirs; more would only cover the picture. */
const MOST_LABELS = 150;

/** And only what is at least so large, in pixels of the screen. */
const LEAST_WIDTH = 56;
const LEAST_HEIGHT = 32;

/** How long the picture must rest before labels are chosen anew, in milliseconds. */
const REST = 120;

/** How far the label of what is selected keeps off it, in pixels: handles at its corners; one that turns it, above. */
const OFF_CORNERS = 14;
const OFF_TURNING = 36;

/** Boxes of one person's selection that are outlined. */
const MOST_HELD = 50;

/** What lies over the picture: labels, and where everyone else is. */
export class Overlay {
  readonly element = h("div", { class: "overlay", "aria-hidden": "true" });
  private readonly board = h("div", { class: "labels" });
  private readonly labels = new Map<string, HTMLElement>();
  /** Where the picture was when the labels were placed. */
  private placed: View | null = null;
  private timer = 0;
  private readonly people = new Map<string, HTMLElement>();
  private annotations: ReadonlyMap<string, Annotation> = new Map();
  private peers: ReadonlyMap<string, Peer> = new Map();
  private frame = 0;

  private readonly resized: ResizeObserver;

  constructor(
    private readonly stage: Stage,
    private readonly paint: Paint,
  ) {
    this.element.append(this.board);
    this.resized = new ResizeObserver(() => {
      this.placed = null;
      this.place();
    });
    this.resized.observe(stage.element);
  }

  show(annotations: ReadonlyMap<string, Annotation>, peers: ReadonlyMap<string, Peer>): void {
    this.annotations = annotations;
    this.peers = peers;
    this.placed = null;
    this.place();
  }

  /** Draws again at the next frame. */
  place(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.moveLabels();
      this.placePeople();
    });
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.resized.disconnect();
  }

  /** A picture that is panned takes its labels along as one; they are chosen anew when it rests. */
  private moveLabels(): void {
    const [to, from] = [this.stage.picture(), this.placed];
    clearTimeout(this.timer);
    if (from && Math.abs(to.width - from.width) < 0.01) {
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      this.board.style.transform = dx || dy ? `translate(${dx}px, ${dy}px)` : "";
      if (dx || dy) {
        this.timer = window.setTimeout(() => ((this.placed = null), this.place()), REST);
      }
      return;
    }
    this.placed = to;
    this.board.style.transform = "";
    this.placeLabels(to);
  }

  /** What has a label: everything in sight, or else the largest of it. */
  private labelled(on: View): Annotation[] {
    const seen = this.stage.visible().filter((a) => a.shape?.type !== "tag");
    if (seen.length <= ALL_LABELS) {
      return seen;
    }
    return seen
      .filter((a) => a.width * on.width >= LEAST_WIDTH && a.height * on.height >= LEAST_HEIGHT)
      .sort((a, b) => b.width * b.height - a.width * a.height || (a.id < b.id ? 1 : -1))
      .slice(0, MOST_LABELS);
  }

  private placeLabels(on: View): void {
    const stale = new Set(this.labels.keys());
    const selected = this.stage.selection;
    for (const a of this.labelled(on)) {
      const at = this.stage.place(a, on);
      stale.delete(a.id);
      let tag = this.labels.get(a.id);
      if (!tag) {
        tag = h("span", { class: "tag", "data-id": a.id });
        this.labels.set(a.id, tag);
        this.board.append(tag);
      }
      const tint = this.paint.color(a);
      const text = proposed(a) && a.confidence !== null ? `${a.label} ${Math.round(a.confidence * 100)} %` : a.label;
      if (tag.textContent !== text || tag.dataset.tint !== tint || tag.classList.contains("proposed") !== proposed(a)) {
        tag.textContent = text;
        tag.classList.toggle("proposed", proposed(a));
        tag.dataset.tint = tint;
        tag.style.setProperty("--tint", tint);
        tag.style.setProperty("--on-tint", inkOn(tint));
      }
      const off = !selected.includes(a.id) ? 0 : turns(a) ? OFF_TURNING : OFF_CORNERS;
      moveTo(tag, at.left - 1, Math.max(0, at.top - 20 - off));
    }
    for (const id of stale) {
      this.labels.get(id)!.remove();
      this.labels.delete(id);
    }
  }

  private placePeople(): void {
    const stale = new Set(this.people.keys());
    for (const peer of this.peers.values()) {
      stale.delete(peer.conn);
      let element = this.people.get(peer.conn);
      if (!element) {
        element = person(peer);
        this.people.set(peer.conn, element);
        this.element.append(element);
      }
      this.placePerson(element, peer);
    }
    for (const conn of stale) {
      this.people.get(conn)!.remove();
      this.people.delete(conn);
    }
  }

  private placePerson(element: HTMLElement, peer: Peer): void {
    const cursor = element.querySelector<HTMLElement>(".cursor")!;
    cursor.hidden = !peer.state.cursor;
    if (peer.state.cursor) {
      const at = this.stage.toScreen(...peer.state.cursor);
      cursor.style.transform = `translate(${at.x}px, ${at.y}px)`;
    }
    const draft = peer.state.draft;
    outline(element.querySelector(".draft")!, draft ? this.stage.place(draft) : null);
    const selected = draft ? [] : (peer.state.selection ?? []).slice(0, MOST_HELD).map((id) => this.annotations.get(id)).filter((a) => a !== undefined);
    const held = element.querySelectorAll<HTMLElement>(".held");
    for (let i = 0; i < Math.max(selected.length, held.length); i++) {
      const frame = held[i] ?? element.insertBefore(h("div", { class: "held" }), element.firstChild);
      outline(frame, selected[i] ? this.stage.place(selected[i] as Box) : null);
    }
  }
}

/** Whether a selected annotation has a handle that turns it. */
function turns({ shape }: Annotation): boolean {
  return !shape || shape.type === "box" || shape.type === "rotated_box";
}

/** Moves an element that is not there yet; writing what is there costs a layout as well. */
function moveTo(element: HTMLElement, x: number, y: number): void {
  const transform = `translate(${x}px, ${y}px)`;
  if (element.dataset.at !== transform) {
    element.dataset.at = transform;
    element.style.transform = transform;
  }
}

function person(peer: Peer): HTMLElement {
  const arrow = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  arrow.setAttribute("viewBox", "0 0 18 20");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M2 1.5l14 9.2-6.6 1.2L6 18z");
  arrow.append(path);
  const name = peer.name || peer.user;
  return h(
    "div",
    { class: "person", "data-user": peer.user, style: `--tint: ${colorOf(peer.user)}` },
    h("div", { class: "held", hidden: true }, h("span", {}, name)),
    h("div", { class: "draft", hidden: true }),
    h("div", { class: "cursor", hidden: true }, arrow, h("span", { class: "cursor-name" }, name)),
  );
}

function outline(element: HTMLElement, at: { left: number; top: number; width: number; height: number } | null): void {
  element.hidden = !at;
  if (at) {
    element.style.transform = `translate(${at.left}px, ${at.top}px)`;
    element.style.width = `${at.width}px`;
    element.style.height = `${at.height}px`;
  }
}
