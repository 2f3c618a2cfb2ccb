import type { App } from "./app";
import type { Image } from "@easelhq/client";
import { ago, h, iconButton } from "./dom";
import { mayManage } from "./roles";
import { STATES, stateOf } from "./states";

export interface GridEvents {
  rename: (image: Image) => void;
  remove: (image: Image) => void;
}

/** One image's card, and what it was drawn from. */
interface Card {
  element: HTMLElement;
  key: string;
  draw: (image: Image) => void;
}

/**
 * The images as cards, one element for each image as long as it is listed. A
 * list that is loaded again changes what differs and touches nothing else: a
 * card that is taken out, even to be put back, loses a click in progress.
 */
export class Grid {
  readonly element = h("div", { class: "grid" });
  private readonly cards = new Map<string, Card>();
  private images: readonly Image[] = [];
  private pressed = false;

  constructor(
    private readonly app: App,
    private readonly events: GridEvents,
    signal: AbortSignal,
  ) {
    // Nor may cards slide away from under a finger.
    this.element.addEventListener("pointerdown", () => (this.pressed = true));
    const release = () => {
      if (this.pressed) {
        setTimeout(() => this.release()); // the click comes after the pointer is up
      }
    };
    addEventListener("pointerup", release, { signal, capture: true });
    addEventListener("pointercancel", release, { signal, capture: true });
  }

  /** Shows images in this order. */
  show(images: readonly Image[]): void {
    this.images = images;
    if (!this.pressed) {
      this.draw();
    }
  }

  private release(): void {
    this.pressed = false;
    this.draw();
  }

  private draw(): void {
    const listed = new Set(this.images.map((image) => image.id));
    for (const [id, card] of this.cards) {
      if (!listed.has(id)) {
        card.element.remove();
        this.cards.delete(id);
      }
    }
    this.images.forEach((image, i) => {
      const card = this.card(image);
      const there = this.element.children[i];
      if (there !== card.element) {
        this.element.insertBefore(card.element, there ?? null);
      }
    });
  }

  private card(image: Image): Card {
    let card = this.cards.get(image.id);
    if (!card) {
      card = this.build(image);
      this.cards.set(image.id, card);
    }
    const key = JSON.stringify([image.filename, image.annotation_count, ago(image.created_at), stateOf(image)]);
    if (card.key !== key) {
      card.key = key;
      card.draw(image);
    }
    return card;
  }

  private build(first: Image): Card {
    let image = first;
    const picture = h("img", { alt: "", decoding: "async" });
    this.app.thumbnails.show(picture, image.id);
    const count = h("span", { class: "count" });
    const state = h("span", { class: "state" });
    const name = h("span", { class: "tile-name" });
    const meta = h("span", { class: "tile-meta" });
    const link = h(
      "a",
      { class: "tile", href: `#/images/${image.id}`, "data-id": image.id },
      h("span", { class: "tile-picture" }, picture, count, state),
      name,
      meta,
    );
    const managed = mayManage(this.app.me, image);
    const rename = iconButton("pencil", "Rename", () => this.events.rename(image));
    const remove = iconButton("trash", "Delete", () => this.events.remove(image), { title: "Delete" });
    return {
      element: h("div", { class: "tile-frame" }, link, managed && h("span", { class: "tile-actions" }, rename, remove)),
      key: "",
      draw: (now) => {
        image = now;
        const { annotation_count: boxes, filename } = now;
        count.textContent = String(boxes);
        count.hidden = boxes === 0;
        state.hidden = stateOf(now) === "new";
        state.dataset.state = stateOf(now);
        state.textContent = STATES[stateOf(now)];
        name.textContent = name.title = filename;
        meta.textContent = `${boxes === 1 ? "1 box" : `${boxes} boxes`} · ${ago(now.created_at)}`;
        rename.setAttribute("aria-label", `Rename ${filename}`);
        remove.setAttribute("aria-label", `Delete ${filename}`);
      },
    };
  }
}

/** What stands where cards will be. */
export function skeletons(): HTMLElement {
  const tiles = Array.from({ length: 8 }, () =>
    h("span", { class: "skeleton" }, h("span", { class: "tile-picture" }), h("span", { class: "tile-name" })),
  );
  return h("div", { class: "grid", "aria-label": "Loading images" }, ...tiles);
}
