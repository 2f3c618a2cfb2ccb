import type { Annotation, Peer } from "@easelhq/client";
import { misfits } from "../attributes";
import { colorOf } from "../colors";
import { h, iconButton } from "../dom";
import type { Labels } from "../labels";
import { proposed, type Paint } from "./paint";
import { VirtualList } from "./virtual-list";

export interface PanelEvents {
  select: (id: string) => void;
  remove: (id: string) => void;
}

/** Rows that are kept, though they are out of sight. */
const MOST_ROWS = 300;

/** The list of boxes beside the picture. */
export class Panel {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "boxes" });
  private readonly title = h("b", {}, "Annotations");
  private readonly counter = h("span", { class: "pill" }, "0");
  private readonly rows = new Map<string, HTMLElement>();
  private readonly inSight = new VirtualList<Annotation>(this.list, (a) => this.row(a));
  private revealed = "";
  private annotations: ReadonlyMap<string, Annotation> = new Map();
  private selected: readonly string[] = [];
  private editable = false;
  private all: ReadonlyMap<string, Annotation> = new Map();
  private holders: ReadonlyMap<string, Peer> = new Map();
  private held = "";
  private frame = 0;
  /** A pointer is down on the list: no row may slide away under it, or be made anew. */
  private pressed = false;
  private readonly closing = new AbortController();

  constructor(
    private readonly labels: Labels,
    private readonly paint: Paint,
    private readonly events: PanelEvents,
    around: { filter: HTMLElement; below: readonly HTMLElement[] },
  ) {
    this.element = h(
      "aside",
      { class: "panel", "aria-label": "Annotations" },
      h("header", {}, this.title, this.counter),
      around.filter,
      this.list,
      ...around.below,
    );
    const { signal } = this.closing;
    this.list.addEventListener("pointerdown", () => (this.pressed = true), { signal });
    const release = () => {
      if (this.pressed) {
        setTimeout(() => ((this.pressed = false), this.plan())); // the click comes after the pointer is up
      }
    };
    addEventListener("pointerup", release, { signal, capture: true });
    addEventListener("pointercancel", release, { signal, capture: true });
  }

  /** Shows annotations, out of all that there are. */
  show(annotations: ReadonlyMap<string, Annotation>, all: ReadonlyMap<string, Annotation>, selected: readonly string[], editable: boolean): void {
    this.annotations = annotations;
    this.all = all;
    this.selected = selected;
    this.editable = editable;
    this.plan();
  }

  private plan(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.pressed) {
        this.draw();
      }
    });
  }

  /** Marks the boxes that others have selected, with who it is. */
  hold(peers: ReadonlyMap<string, Peer>): void {
    const holders = new Map<string, Peer>();
    for (const peer of peers.values()) {
      peer.state.selection?.forEach((id) => holders.set(id, peer));
    }
    const key = JSON.stringify([...holders].map(([id, peer]) => [id, peer.user, peer.name]));
    if (key !== this.held) {
      this.held = key;
      this.holders = holders;
      this.show(this.annotations, this.all, this.selected, this.editable);
    }
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.closing.abort();
    this.inSight.close();
  }

  private draw(): void {
    const matching = [...this.annotations.values()]
      .filter((a) => !proposed(a)) // they have a list of their own
      .sort((a, b) => (a.id < b.id ? 1 : -1)); // ids tell the time, and do not change when the server confirms
    let all = 0;
    for (const a of this.all.values()) {
      all += proposed(a) ? 0 : 1;
    }
    this.counter.textContent = matching.length < all ? `${matching.length} of ${all}` : String(all);
    if (matching.length === 0) {
      const text = all > 0 ? "Nothing matches." : this.editable ? "Drag on the picture to draw the first box." : "Nobody has drawn here yet.";
      this.list.replaceChildren(h("li", { class: "none" }, text));
    }
    this.inSight.show(matching);
    const chosen = this.selected.length === 1 ? this.selected[0]! : "";
    if (chosen !== this.revealed) {
      this.revealed = chosen;
      this.inSight.reveal(matching.findIndex((a) => a.id === chosen));
    }
    for (const [id, row] of this.rows) {
      if (!this.annotations.has(id) || (this.rows.size > MOST_ROWS && !row.isConnected)) {
        this.rows.delete(id);
      }
    }
  }

  private row(a: Annotation): HTMLElement {
    const holder = this.holders.get(a.id);
    const holderName = holder && (holder.name || holder.user);
    const tint = this.paint.color(a);
    const unwanted = this.labels.unwanted(a.label);
    const open = misfits(a.attributes, this.labels.attributesOf(a.label));
    const key = `${tint}\n${unwanted}\n${open}\n${holderName ?? ""}\n${a.label}\n${a.updated_by}\n${a.confidence}\n${this.editable}`;
    let row = this.rows.get(a.id);
    if (!row || row.dataset.key !== key) {
      row = h(
        "li",
        { "data-id": a.id, "data-key": key },
        h(
          "button",
          { class: "row", type: "button", onclick: () => this.events.select(a.id) },
          h("span", { class: "dot", style: `--tint: ${tint}` }),
          h("span", { class: "row-label", title: a.label }, a.label),
          unwanted && h("small", { class: "unwanted", title: "This label is not one of the tenant's" }, "unknown label"),
          open > 0 && h("small", { class: "unwanted", title: "Attributes that are missing or do not fit" }, `${open} to fill in`),
          a.confidence !== null && h("span", { class: "pill" }, `${Math.round(a.confidence * 100)} %`),
          holderName
            ? h("small", { class: "holder", style: `--tint: ${colorOf(holder.user)}`, title: `${holderName} is editing this` }, holderName)
            : h("small", { title: a.updated_by }, a.updated_by),
        ),
        this.editable && iconButton("trash", `Delete ${a.label}`, () => this.events.remove(a.id)),
      );
      this.rows.set(a.id, row);
    }
    const selected = this.selected.includes(a.id);
    row.classList.toggle("selected", selected);
    return row;
  }
}
