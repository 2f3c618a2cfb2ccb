import { newID, RestError } from "./client";

const KEPT = "easel:uploads";

/** Answers that say nothing about the file, so that an earlier attempt may still have stored it. */
const OPEN = new Set([401, 403, 408, 409, 429]);

/**
 * The Idempotency-Keys of uploads. A file keeps its key until the server has
 * judged it, over attempts and over reloads of this tab, so that a repeat after
 * a lost answer gets the image that is there already and not a second one.
 */
export class UploadKeys {
  /** The keys that lines of this page have, so that two equal files are two images. */
  private readonly taken = new Set<string>();

  constructor(
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly fresh: () => string = newID,
  ) {}

  /** How attempts to send this file are made: each is given the key to send. */
  of(file: Pick<File, "name" | "size" | "lastModified">): <T>(attempt: (key: string) => Promise<T>) => Promise<T> {
    const looks = JSON.stringify([file.name, file.size, file.lastModified]);
    let key = this.take(looks);
    return async (attempt) => {
      try {
        const answer = await attempt(key);
        this.forget(looks, key);
        return answer;
      } catch (err) {
        if (err instanceof RestError && err.status >= 400 && err.status < 500 && !OPEN.has(err.status)) {
          // Nothing is stored; and a key that other bytes have used is refused for ever.
          this.forget(looks, key);
          key = this.take(looks);
        }
        throw err;
      }
    };
  }

  private take(looks: string): string {
    const kept = this.read();
    const keys = kept[looks] ?? [];
    let key = keys.find((one) => !this.taken.has(one));
    if (!key) {
      key = this.fresh();
      this.write({ ...kept, [looks]: [...keys, key] });
    }
    this.taken.add(key);
    return key;
  }

  private forget(looks: string, key: string): void {
    const { [looks]: keys = [], ...others } = this.read();
    const left = keys.filter((one) => one !== key);
    this.write(left.length > 0 ? { ...others, [looks]: left } : others);
  }

  private read(): Record<string, string[]> {
    try {
      return JSON.parse(this.storage.getItem(KEPT) ?? "{}") as Record<string, string[]>;
    } catch {
      return {};
    }
  }

  private write(kept: Record<string, string[]>): void {
    try {
      this.storage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // A full storage costs only what a reload would have kept.
    }
  }
}
