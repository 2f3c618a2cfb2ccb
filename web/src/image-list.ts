import type { Image, Rest } from "@easelhq/client";
import { stateOf } from "./states";

/** What the list of images is narrowed to; empty fields do not narrow. */
export interface ImageQuery {
  filename: string;
  label: string;
  uploaded_by: string;
  state: string;
}

export const EVERYTHING: ImageQuery = { filename: "", label: "", uploaded_by: "", state: "" };

const PAGE = 60;

/** Pages that are read in search of an image. */
const MOST_PAGES = 200;

/**
 * The images as the gallery lists them, page after page, for the grid and for going
 * to the next one from an image.
 */
export class ImageList {
  images: Image[] = [];
  private query = EVERYTHING;
  private cursor = "";
  private asked = false;

  constructor(private readonly rest: Pick<Rest, "images" | "image">) {}

  /** Whether there are images after the last one read, or nothing was read. */
  get more(): boolean {
    return !this.asked || this.cursor !== "";
  }

  /** What the list is narrowed to. */
  get wanted(): ImageQuery {
    return this.query;
  }

  /** Starts over with the first page; null if somebody has asked for another since, or wanted says so. */
  async load(query: ImageQuery, wanted: () => boolean = () => true): Promise<Image[] | null> {
    const page = await this.rest.images({ limit: PAGE, ...given(query) });
    if (!wanted()) {
      return null;
    }
    this.query = query;
    this.asked = true;
    this.cursor = page.next_cursor ?? "";
    this.images = page.images ?? [];
    return this.images;
  }

  /** Reads the next page, if wanted says so when it is there. */
  async extend(wanted: () => boolean = () => true): Promise<Image[] | null> {
    if (!this.asked) {
      return this.load(this.query, wanted);
    }
    const page = await this.rest.images({ limit: PAGE, cursor: this.cursor, ...given(this.query) });
    if (!wanted()) {
      return null;
    }
    this.cursor = page.next_cursor ?? "";
    const known = new Set(this.images.map((image) => image.id));
    this.images = [...this.images, ...(page.images ?? []).filter((image) => !known.has(image.id))];
    return this.images;
  }

  /** Puts an image first that has just been uploaded. */
  add(image: Image): void {
    this.images = [image, ...this.images.filter((other) => other.id !== image.id)];
  }

  /** Takes the newest row of an image that is listed. */
  update(image: Image): void {
    this.images = this.images.map((other) => (other.id === image.id ? image : other));
  }

  /** The image so many places on from one; null at either end, or if that one is not in the list. */
  async beside(id: string, by: number): Promise<Image | null> {
    const at = await this.find(id);
    while (at >= 0 && at + by >= this.images.length && this.more) {
      await this.extend();
    }
    return at < 0 ? null : (this.images[at + by] ?? null);
  }

  /** The next image that is not done, from one on and around the list's end; null if there is none. */
  async unfinishedAfter(id: string): Promise<Image | null> {
    if (this.query.state === "done") {
      await this.load({ ...this.query, state: "" });
    }
    const at = await this.find(id);
    for (let i = at + 1, pages = 0; ; i++) {
      while (i >= this.images.length && this.more && pages++ < MOST_PAGES) {
        await this.extend();
      }
      if (i >= this.images.length) {
        break;
      }
      if (await this.isOpen(i)) {
        return this.images[i]!;
      }
    }
    for (let i = 0; i < at; i++) {
      if (await this.isOpen(i)) {
        return this.images[i]!;
      }
    }
    return null;
  }

  /** Others may have finished an image since it was listed, so its row is asked for. */
  private async isOpen(i: number): Promise<boolean> {
    if (stateOf(this.images[i]!) === "done") {
      return false;
    }
    try {
      const now = await this.rest.image(this.images[i]!.id);
      this.update(now);
      return stateOf(now) !== "done" && !now.deleted_at;
    } catch {
      return false; // it is gone
    }
  }

  private async find(id: string): Promise<number> {
    const at = () => this.images.findIndex((image) => image.id === id);
    for (let pages = 0; at() < 0 && this.more && pages < MOST_PAGES; pages++) {
      await this.extend();
    }
    return at();
  }
}

/** The fields of a query that narrow. */
export function given<T extends Partial<ImageQuery>>(query: T): Partial<T> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "")) as Partial<T>;
}
