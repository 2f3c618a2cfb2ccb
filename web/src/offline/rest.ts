import { Rest, RestError, type HttpOptions, type Image, type ImageFilter, type LabelSchema, type Schemas, type Tiling } from "@easelhq/client";
import { stateOf } from "../states";
import type { Seen } from "./seen";

/** Whether nobody answered, or only somebody on the way who cannot reach the server. */
export function lost(err: unknown): boolean {
  return err instanceof RestError && (err.status === 0 || (err.status >= 502 && err.status <= 504));
}

function fits(image: Image, { filename = "", uploaded_by = "", state = "" }: ImageFilter): boolean {
  const named = image.filename.toLowerCase().includes(filename.toLowerCase());
  return named && (!uploaded_by || image.uploaded_by === uploaded_by) && (!state || stateOf(image) === state);
}

/**
 * Remembers what it was told, and tells it again while the server cannot be
 * reached. What was never seen, and everything that changes something, fails as
 * it does without.
 */
export class RememberingRest extends Rest {
  constructor(
    options: HttpOptions,
    private readonly seen: Seen,
    /** Hears whether the server answered. */
    private readonly reached: (there: boolean) => void,
  ) {
    super(options);
  }

  override async images(filter: ImageFilter = {}): Promise<Schemas["ImagesAnswer"]> {
    return this.remembered(
      () => super.images(filter),
      (page) => this.seen.rows(page.images),
      async () => {
        const known = !filter.cursor && !filter.label; // which labels an image has is not in its row
        const images = known ? (await this.seen.images()).filter((image) => fits(image, filter)) : [];
        return images.length > 0 ? { images, next_cursor: null } : null;
      },
    );
  }

  override async image(id: string): Promise<Image> {
    try {
      return await this.remembered(
        () => super.image(id),
        (image) => this.seen.rows([image]),
        () => this.seen.row(id),
      );
    } catch (err) {
      if (err instanceof RestError && [403, 404, 410].includes(err.status)) {
        this.seen.forget(id);
      }
      throw err;
    }
  }

  override async file(id: string, signal?: AbortSignal): Promise<Blob> {
    return this.remembered(
      () => super.file(id, signal),
      (blob) => this.seen.picture(id, "file", blob),
      () => this.seen.pictureOf(id, "file"),
    );
  }

  override async thumbnail(id: string, size: number, signal?: AbortSignal): Promise<Blob> {
    return this.remembered(
      () => super.thumbnail(id, size, signal),
      (blob) => this.seen.picture(id, `thumbnail ${size}`, blob),
      () => this.seen.pictureOf(id, `thumbnail ${size}`),
    );
  }

  override async tiling(id: string): Promise<Tiling> {
    return this.remembered(
      () => super.tiling(id),
      (tiling) => this.seen.picture(id, "tiling", new Blob([JSON.stringify(tiling)])),
      async () => JSON.parse((await (await this.seen.pictureOf(id, "tiling"))?.text()) ?? "null") as Tiling | null,
    );
  }

  override async tile(id: string, at: readonly [number, number, number], signal?: AbortSignal): Promise<Blob> {
    return this.remembered(
      () => super.tile(id, at, signal),
      (blob) => this.seen.picture(id, `tile ${at.join(" ")}`, blob),
      () => this.seen.pictureOf(id, `tile ${at.join(" ")}`),
    );
  }

  override async schema(): Promise<LabelSchema> {
    return this.remembered(
      () => super.schema(),
      (schema) => this.seen.schema(schema),
      () => this.seen.schemaKept(),
    );
  }

  private async remembered<T>(ask: () => Promise<T>, keep: (answer: T) => void, recall: () => Promise<T | null>): Promise<T> {
    try {
      const answer = await ask();
      this.reached(true);
      keep(answer);
      return answer;
    } catch (err) {
      if (!lost(err)) {
        throw err;
      }
      this.reached(false);
      const kept = await recall();
      if (kept === null) {
        throw err;
      }
      return kept;
    }
  }
}
