import type { Image, Kept as Confirmed, LabelSchema } from "@easelhq/client";
import type { LocalStore } from "../local-store";

type Kept<T> = T & { at: number };

/** What is kept of one person at most. */
const MOST_ROWS = 500;
const MOST_SNAPSHOTS = 50;
const MOST_PICTURES = 256 << 20; // bytes

/**
 * What a person has seen in this browser: images' rows, their pictures and their
 * annotations, for when no server is there. It belongs to one person of one tenant,
 * holds no token, and is forgotten when they sign out.
 */
export class Seen {
  /** What is still on its way when all is forgotten is not kept either. */
  private over = false;

  constructor(
    private readonly store: LocalStore,
    private readonly person: string,
  ) {}

  rows(images: readonly Image[]): void {
    const at = Date.now();
    this.keep("rows", images.map((image) => [[this.person, image.id], { image, at }] as const));
  }

  async row(id: string): Promise<Image | null> {
    return (await this.store.values<Kept<{ image: Image }>>("rows", [this.person, id]))[0]?.image ?? null;
  }

  /** The images that were seen and are not deleted, newest first. */
  async images(): Promise<Image[]> {
    const rows = await this.store.values<Kept<{ image: Image }>>("rows", [this.person]);
    return rows
      .map(({ image }) => image)
      .filter((image) => !image.deleted_at)
      .reverse(); // ids are in the order of time
  }

  forget(id: string): void {
    for (const name of ["rows", "pictures", "snapshots"] as const) {
      this.store.clear(name, [this.person, id]);
    }
  }

  picture(id: string, kind: string, blob: Blob): void {
    this.keep("pictures", [[[this.person, id, kind], { blob, at: Date.now() }]]);
  }

  async pictureOf(id: string, kind: string): Promise<Blob | null> {
    return (await this.store.values<Kept<{ blob: Blob }>>("pictures", [this.person, id, kind]))[0]?.blob ?? null;
  }

  schema(schema: LabelSchema): void {
    this.keep("rows", [[[`${this.person} schema`], { schema, at: Date.now() }]]);
  }

  async schemaKept(): Promise<LabelSchema | null> {
    return (await this.store.values<Kept<{ schema: LabelSchema }>>("rows", [`${this.person} schema`]))[0]?.schema ?? null;
  }

  snapshot(id: string, snapshot: Confirmed): void {
    this.keep("snapshots", [[[this.person, id], { ...snapshot, at: Date.now() }]]);
  }

  async snapshotOf(id: string): Promise<Confirmed | null> {
    return (await this.store.values<Kept<Confirmed>>("snapshots", [this.person, id]))[0] ?? null;
  }

  /** Lets go of what was not seen for longest, beyond what is kept at most. */
  async prune(): Promise<void> {
    await this.pruneOf("rows", MOST_ROWS, () => 1);
    await this.pruneOf("snapshots", MOST_SNAPSHOTS, () => 1);
    await this.pruneOf<{ blob: Blob }>("pictures", MOST_PICTURES, ({ blob }) => blob.size);
  }

  private async pruneOf<T>(name: "rows" | "snapshots" | "pictures", most: number, weight: (value: Kept<T>) => number): Promise<void> {
    const keys = await this.store.keys(name, [this.person]);
    const values = await this.store.values<Kept<T>>(name, [this.person]);
    this.store.write(name, [], beyond(values.map((value, i) => ({ key: keys[i]!, at: value.at, weight: weight(value) })), most));
  }

  private keep(...what: Parameters<LocalStore["write"]>): void {
    if (!this.over) {
      this.store.write(...what);
    }
  }

  /** Forgets all of it, for good: this keeps nothing any more. */
  clear(): void {
    this.over = true;
    for (const name of ["rows", "pictures", "snapshots"] as const) {
      this.store.clear(name, [this.person]);
    }
    this.store.clear("rows", [`${this.person} schema`]);
  }
}

/** The keys of what is too much, when the newest may weigh most together. */
export function beyond<K>(kept: readonly { key: K; at: number; weight: number }[], most: number): K[] {
  let sum = 0;
  return [...kept]
    .sort((a, b) => b.at - a.at)
    .filter(({ weight }) => (sum += weight) > most)
    .map(({ key }) => key);
}
