import type { App } from "../app";
import type { Image } from "../client";
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
    this.title.textContent = image.filename;
    this.title.title = image.filename;
    this.details.textContent = image.width > 0 ? `${image.width} × ${image.height}` : "";
    document.title = `${image.filename} · Easel`;
    this.state.hidden = false;
    this.state.disabled = !this.manageable;
    this.state.value = stateOf(image);
  }

  /** Goes to the image that many places on in the list of the gallery. */
  step(by: number): void {
    const list = this.app.listed;
    const go = () => {
      const at = this.app.listed.findIndex((image) => image.id === this.id);
      const next = this.app.listed[at + by];
      if (next && at >= 0) {
        location.hash = `#/images/${next.id}`;
      } else {
        toast(by > 0 ? "This is the last image." : "This is the first image.");
      }
    };
    if (list.length > 0) {
      go();
      return;
    }
    this.app.rest.images().then(
      (page) => {
        this.app.listed = page.images ?? [];
        go();
      },
      (err: Error) => toast(err.message, "error"),
    );
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
