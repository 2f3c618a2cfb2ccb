import type { App } from "../app";
import type { Image } from "@easelhq/client";
import { h, toast } from "../dom";
import { mayManage } from "../roles";
import { STATES, stateOf } from "../states";

/** What an image is called and how far the work on it is; and the way to the next one. */
export class ImageBar {
  readonly state = h(
    "select",
    { class: "field state-field", "aria-label": "State of this image", hidden: true, onchange: () => void this.save(this.state.value) },
    ...Object.entries(STATES).map(([value, text]) => h("option", { value }, text)),
  );
  private readonly title = h("b", { class: "title" }, "…");
  private readonly details = h("small", {});
  readonly titles = h("span", { class: "titles" }, this.title, this.details);
  private image: Image | null = null;

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {}

  /** Whether this person may rename, delete and restore the image. */
  get manageable(): boolean {
    return this.image !== null && mayManage(this.app.me, this.image);
  }

  show(image: Image): void {
    this.image = image;
    this.app.list.update(image);
    this.title.textContent = image.filename;
    this.title.title = image.filename;
    this.details.textContent = image.width > 0 ? `${image.width} × ${image.height}` : "";
    document.title = `${image.filename} · Easel`;
    this.state.hidden = false;
    this.state.disabled = !this.manageable;
    this.state.value = stateOf(image);
  }

  /** Goes to the image that many places on in the list of the gallery. */
  async step(by: number): Promise<void> {
    await this.go(
      () => this.app.list.beside(this.id, by),
      () => (by > 0 ? "This is the last image." : "This is the first image."),
    );
  }

  /** Goes to the next image that is not done, from here on and around. */
  async unfinished(): Promise<void> {
    await this.go(
      () => this.app.list.unfinishedAfter(this.id),
      () => "No other image is left to do.",
    );
  }

  private async go(find: () => Promise<Image | null>, none: () => string): Promise<void> {
    try {
      const next = await find();
      if (next) {
        location.hash = `#/images/${next.id}`;
      } else {
        toast(none());
      }
    } catch (err) {
      toast(err instanceof Error ? err.message : "The list cannot be read.", "error");
    }
  }

  /** Says how far the work on this image is; whoever may rename it may say so. */
  private async save(state: string): Promise<void> {
    try {
      const now = await this.app.rest.image(this.id); // metadata is replaced as a whole
      this.show(await this.app.rest.describe(this.id, { ...now.metadata, state }));
    } catch (err) {
      toast(err instanceof Error ? err.message : "The state was not saved.", "error");
      if (this.image) {
        this.show(this.image);
      }
    }
  }
}
