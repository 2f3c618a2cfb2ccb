import type { App } from "../app";
import type { Annotation, Deed } from "@easelhq/client";
import { colorOf } from "../colors";
import { ago, h, iconButton } from "../dom";
import { count, mayReview, type Judging } from "./judging";

export interface TimelineEvents {
  /** Shows the image as it was, or as it is. */
  show: (then: ReadonlyMap<string, Annotation> | null) => void;
  name: (user: string) => string;
}

type Restoration = Parameters<Judging["revert"]>[0];

/** Changes of hands that are painted; more would be stripes. */
const MOST_PARTS = 300;

/** A scrubber through an image's versions: who did what, and back to it. */
export class Timeline {
  readonly element: HTMLElement;
  readonly button = iconButton("history", "History (H)", () => this.toggle(), { "aria-pressed": "false" });
  private readonly slider: HTMLInputElement;
  private readonly what = h("span", { class: "timeline-what", role: "status" });
  private readonly who = h("div", { class: "timeline-who", "aria-hidden": "true" });
  private readonly back: HTMLButtonElement;
  private readonly one: HTMLButtonElement;
  private readonly person = h("select", { class: "field", "aria-label": "Whose work to undo" });
  private readonly undo: HTMLElement;
  private chosen: Annotation | null = null;
  private deeds: Deed[] = [];
  private request = 0;

  constructor(
    private readonly app: App,
    private readonly image: string,
    private readonly judging: Judging,
    private readonly events: TimelineEvents,
  ) {
    this.slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Version", oninput: () => void this.moved() });
    const button = (text: string, onclick: () => void) => h("button", { class: "button small", type: "button", onclick }, text);
    this.back = button("Bring this back", () => this.revert({ version: this.version }, (n) => `${count(n, "annotation")} brought back to this version.`));
    this.one = button("Bring back only this one", () => {
      const { id = "", label = "" } = this.chosen ?? {};
      this.revert({ annotation: id, version: this.version }, (n) => (n > 0 ? `“${label}” was brought back.` : `“${label}” is like this now.`));
    });
    const undo = button("Undo all they did since", () => {
      const user = this.person.value;
      this.revert({ user, since: this.version }, (n) => `Undone in ${count(n, "annotation")}: what ${this.events.name(user)} did since.`);
    });
    this.undo = h("span", { class: "timeline-undo" }, this.person, undo);
    const reviews = mayReview(app.me.role);
    this.element = h(
      "section",
      { class: "timeline card", hidden: true, "aria-label": "History" },
      h(
        "div",
        { class: "timeline-line" },
        iconButton("left", "Earlier version", () => this.step(-1)),
        this.slider,
        iconButton("right", "Later version", () => this.step(1)),
        iconButton("close", "Back to now", () => this.toggle()),
      ),
      this.who,
      this.what,
      reviews && h("div", { class: "timeline-acts" }, this.back, this.one, this.undo),
    );
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  /** The annotation of the shown version that is selected, or none. */
  choose(a: Annotation | null): void {
    if (this.chosen !== a) {
      this.chosen = a;
      this.one.textContent = a ? `Bring back only “${a.label}”` : "Bring back only this one";
    }
    this.one.hidden = a === null;
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
      this.paintWho();
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
    this.offerPeople(at);
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

  /** Shows below the slider whose deed each version was. */
  private paintWho(): void {
    const { length } = this.deeds;
    const parts: string[] = [];
    this.deeds.forEach(({ by }, i) => {
      if (i === 0 || this.deeds[i - 1]!.by !== by) {
        let end = i + 1;
        while (end < length && this.deeds[end]!.by === by) {
          end++;
        }
        parts.push(`${colorOf(by)} ${(100 * i) / length}% ${(100 * end) / length}%`);
      }
    });
    this.who.hidden = parts.length === 0 || parts.length > MOST_PARTS;
    this.who.style.background = this.who.hidden ? "" : `linear-gradient(90deg, ${parts.join(", ")})`;
  }

  /** Offers to undo the work of those who did something after the shown version. */
  private offerPeople(at: number): void {
    const users = [...new Set(this.deeds.slice(at).map(({ by }) => by))].sort();
    this.undo.hidden = users.length === 0;
    const key = users.join("\n");
    if (this.person.dataset.key !== key) {
      const before = this.person.value;
      this.person.dataset.key = key;
      this.person.replaceChildren(...users.map((user) => h("option", { value: user }, this.events.name(user))));
      this.person.value = users.includes(before) ? before : (users[0] ?? "");
    }
  }

  private revert(what: Restoration, said: (n: number) => string): void {
    const acts = this.element.querySelectorAll<HTMLButtonElement>(".timeline-acts button");
    acts.forEach((button) => (button.disabled = true));
    void this.judging.revert(what, said).then((done) => {
      acts.forEach((button) => (button.disabled = false));
      if (done && this.open) {
        this.toggle();
      }
    });
  }
}
