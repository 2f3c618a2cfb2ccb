import OpenSeadragon from "openseadragon";
import type { Image, Rest, Tiling } from "@easelhq/client";

/** Images whose longer side has more pixels may have tiles. */
const TILED_FROM = 2048;

/** How often a page asks whether tiles are ready, in milliseconds, and how often at most. */
const ASK_EVERY = 3000;
const ASK_MOST = 40;

/** What OpenSeadragon is to show. */
export type Source = { type: "image"; url: string } | OpenSeadragon.TileSource;

/** Where the editor's picture comes from: tiles of a large image, else its file as a blob. */
export class Picture {
  private url = "";
  private timer = 0;

  constructor(
    private readonly rest: Rest,
    private readonly image: Image,
    private readonly signal: AbortSignal,
  ) {}

  /** What is to be shown now. Tiles that are ready only later are handed to better. */
  async open(better: (source: Source) => void): Promise<Source> {
    const { rest, image, signal } = this;
    const tiling = Math.max(image.width, image.height) > TILED_FROM ? await rest.tiling(image.id).catch(() => null) : null;
    if (tiling?.state === "ready") {
      return tiled(rest, image.id, tiling);
    }
    // A browser does not show TIFF: a large thumbnail stands in for it.
    const tiff = image.content_type === "image/tiff";
    this.url = URL.createObjectURL(await (tiff ? rest.thumbnail(image.id, TILED_FROM) : rest.file(image.id, signal)));
    if (tiling?.state === "making" && !tiff) {
      this.ask(better, ASK_MOST);
    }
    return { type: "image", url: this.url };
  }

  close(): void {
    clearTimeout(this.timer);
    if (this.url) {
      URL.revokeObjectURL(this.url);
    }
  }

  private ask(better: (source: Source) => void, times: number): void {
    this.timer = window.setTimeout(async () => {
      const tiling = await this.rest.tiling(this.image.id).catch(() => null);
      if (this.signal.aborted || tiling?.state === "none") {
        return;
      }
      if (tiling?.state === "ready") {
        better(tiled(this.rest, this.image.id, tiling));
      } else if (times > 1) {
        this.ask(better, times - 1);
      }
    }, ASK_EVERY);
  }
}

/**
 * Fetches tiles with the page's token in the header: no address carries a secret,
 * and the browser keeps them as the server allows.
 */
function tiled(rest: Rest, id: string, { width, height, tile_size, overlap, min_level, max_level }: Tiling): Source {
  const source = new OpenSeadragon.TileSource({
    width,
    height,
    tileWidth: tile_size,
    tileHeight: tile_size,
    tileOverlap: overlap,
    minLevel: min_level,
    maxLevel: max_level,
  } as OpenSeadragon.TileSourceOptions);
  const aborts = new WeakMap<object, AbortController>();
  return Object.assign(source, {
    getTileUrl: (level: number, x: number, y: number) => `tiles/${id}/${level}/${x}_${y}`, // only a name: see below
    downloadTileStart: (job: Job) => {
      const abort = new AbortController();
      aborts.set(job, abort);
      rest.tile(id, [job.tile.level, job.tile.x, job.tile.y], abort.signal).then(
        (blob) => job.finish(blob, null, "rasterBlob"),
        (err: unknown) => job.fail(String(err), null),
      );
    },
    downloadTileAbort: (job: Job) => aborts.get(job)?.abort(),
  });
}

/** What OpenSeadragon asks for a tile with. */
interface Job {
  tile: { level: number; x: number; y: number };
  finish: (data: Blob, request: null, type: "rasterBlob") => void;
  fail: (message: string, request: null) => void;
}
