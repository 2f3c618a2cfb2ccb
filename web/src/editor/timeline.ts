import type { App } from "../app";
import type { Annotation, Deed } from "../client";
import { colorOf } from "../colors";
import { ago, h, iconButton, toast } from "../dom";

export interface TimelineEvents {
  /** Shows the image as it was, or as it is. */
  show: (then: ReadonlyMap<string, Annotation> | null) => void;
  name: (user: string) => string;
}

/** A scrubber through an image's versions: who did what, and back to it. */
export class Timeline {
  readonly element: HTMLElement;
  readonly button = iconButton("history", "History (H)", () => this.toggle(), { "aria-pressed": "false" });
  private readonly slider: HTMLInputElement;
  private readonly what = h("span", { class: "timeline-what", role: "status" });
  private readonly back: HTMLButtonElement;
  private deeds: Deed[] = [];
  private request = 0;

  constructor(
    private readonly app: App,
    private readonly image: string,
    private readonly events: TimelineEvents,
  ) {
    this.slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Version", oninput: () => void this.moved() });
    const go = () => void this.revert();
    this.back = h("button", { class: "button small", type: "button", disabled: true, onclick: go }, "Bring this back");
    this.element = h(
      "section",
      { class: "timeline card", hidden: true, "aria-label": "History" },
      h(
        "div",
        { class: "timeline-line" },
        iconButton("left", "Earlier version", () => this.step(-1)),
        this.slider,
        iconButton("right", "Later version", () => this.step(1)),
        ["reviewer", "admin", "owner"].includes(app.me.role) && this.back,
        iconButton("close", "Back to now", () => this.toggle()),
      ),
      this.what,
    );
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    this.element.hidden = this.open;
    this.button.setAttribute("aria-pressed", String(this.open));
    if (this.open) {
      void this.load();
    } else {
      this.request++;
      this.events.show(null);
    }
  }

  private async load(): Promise<void> {
    const mine = ++this.request;
    this.what.textContent = "Reading the history…";
    try {
      const deeds = await this.app.rest.ops(this.image, 0);
      if (mine !== this.request) {
        return;
      }
      this.deeds = deeds;
      this.slider.max = String(deeds.length);
      this.slider.value = String(deeds.length);
      this.slider.disabled = deeds.length === 0;
      this.slider.focus();
      await this.moved();
    } catch (err) {
      this.what.textContent = err instanceof Error ? err.message : "The history cannot be read.";
    }
  }

  private step(by: number): void {
    this.slider.value = String(Number(this.slider.value) + by);
    void this.moved();
  }

  /** The version that the slider stands at; before the first deed it is the one before. */
  private get version(): number {
    const at = Number(this.slider.value);
    return at > 0 ? this.deeds[at - 1]!.ver : Math.max(0, (this.deeds[0]?.ver ?? 1) - 1);
  }

  private async moved(): Promise<void> {
    const mine = ++this.request;
    const at = Number(this.slider.value);
    const deed = this.deeds[at - 1];
    const last = at === this.deeds.length;
    this.back.disabled = last;
    this.what.replaceChildren(...(deed ? this.tell(deed) : ["Before the first edit"]));
    this.slider.setAttribute("aria-valuetext", this.what.textContent ?? "");
    if (last) {
      this.events.show(null);
      return;
    }
    try {
      const then = await this.app.rest.annotationsAt(this.image, this.version);
      if (mine === this.request) {
        this.events.show(new Map(then.map((a) => [a.id, a])));
      }
    } catch (err) {
      if (mine === this.request) {
        this.what.textContent = err instanceof Error ? err.message : "This version cannot be read.";
      }
    }
  }

  private tell({ ver, by, at, ops }: Deed): (Node | string)[] {
    const kinds = { put: "drew", patch: "changed", del: "deleted" };
    const labels = [...new Set(ops.map((op) => op.annotation?.label).filter(Boolean))].slice(0, 3);
    const verbs = [...new Set(ops.map((op) => kinds[op.k]))].join(" and ");
    const things = labels.length > 0 ? labels.map((label) => `“${label}”`).join(", ") : ops.length === 1 ? "a box" : `${ops.length} boxes`;
    const more = labels.length > 0 && ops.length > labels.length ? ` (${ops.length} boxes)` : "";
    return [
      h("b", { style: `--tint: ${colorOf(by)}` }, this.events.name(by)),
      ` ${verbs} ${things}${more} · `,
      h("time", { datetime: at, title: new Date(at).toLocaleString() }, ago(at)),
      ` · version ${ver}`,
    ];
  }

  private async revert(): Promise<void> {
    this.back.disabled = true;
    try {
      const reverted = await this.app.rest.revert(this.image, { version: this.version });
      toast(reverted === 1 ? "1 box was brought back to this version." : `${reverted} boxes were brought back to this version.`);
      this.toggle();
    } catch (err) {
      toast(err instanceof Error ? err.message : "That did not work.", "error");
      this.back.disabled = false;
    }
  }
}
