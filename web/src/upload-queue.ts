import { Backoff, Emitter, newID, RestError, type Image, type Rest } from "@easelhq/client";
import type { LocalStore } from "./local-store";
import { lock, tabClient } from "./outbox-storage";

/** Files on their way at once. */
const AT_ONCE = 3;

/** How a file is doing. */
export interface Upload {
  /** Also its Idempotency-Key, until the server has judged the file. */
  id: string;
  name: string;
  size: number;
  state: "waiting" | "sending" | "done" | "refused";
  /** How much of it has gone, 0 to 1. */
  part: number;
  /** Why it was refused. */
  problem: string;
  /** Whether it may be worth another try. */
  retryable: boolean;
}

/** What is kept of a file until the server has judged it. */
interface Kept {
  id: string;
  /** null: judged, and refused. */
  file: File | null;
  name: string;
  size: number;
  modified: number;
  problem: string;
}

interface Entry extends Upload {
  file: File | null;
  modified: number;
  /** From an earlier page, and not chosen again since. */
  adopted: boolean;
  stop: AbortController | null;
}

export interface QueueEvents {
  /** Something is different. */
  change: void;
  done: Image;
  /** A file was stored or refused for good. */
  judged: Upload;
}

/** Answers that say nothing about the file: it may have been stored, or may yet be. */
const OPEN = new Set([0, 401, 408, 409, 425, 429]);

/**
 * Files on their way to the server, a few at once, in the order in which they were
 * chosen. They are kept in the browser until the server has judged them, so a
 * reload, a crash of the tab or days without a server are pauses; a file keeps its
 * Idempotency-Key for as long, so each becomes one image. When nobody answers, all
 * of them wait, and one goes ahead to see whether somebody is back.
 */
export class UploadQueue extends Emitter<QueueEvents> {
  private readonly entries = new Map<string, Entry>();
  private readonly backoff = new Backoff(Math.random, 1000, 15_000);
  private running = 0;
  /** Set while the server is not there: nothing is started before. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private trying = false;
  private closed = false;
  private tab = "";

  constructor(
    private readonly rest: Pick<Rest, "upload">,
    private readonly store: Pick<LocalStore, "write" | "clear" | "keys" | "values">,
    private readonly person: string,
  ) {
    super();
    addEventListener("online", this.online);
  }

  /** All files that are not put away, oldest first. */
  get uploads(): Upload[] {
    return [...this.entries.values()];
  }

  /** Whether files wait for a server that does not answer. */
  get paused(): boolean {
    return this.trying || this.timer !== undefined;
  }

  /** Takes over what earlier pages of this tab, and tabs that are closed, did not get through. */
  async resume(): Promise<void> {
    this.tab = await tabClient();
    this.entries.forEach((entry) => this.keep(entry)); // chosen before
    const tabs = new Set((await this.store.keys("uploads", [this.person])).map((key) => String(key[1])));
    for (const tab of tabs) {
      if (tab !== this.tab && !(await lock(tab, 300))) {
        continue; // open, and at work on them
      }
      for (const kept of await this.store.values<Kept>("uploads", [this.person, tab])) {
        if (this.closed || this.entries.has(kept.id)) {
          continue;
        }
        const { id, file, name, size, modified, problem } = kept;
        this.entries.set(id, { id, file, name, size, modified, problem, state: problem ? "refused" : "waiting", part: 0, retryable: false, adopted: true, stop: null });
        if (tab !== this.tab) {
          this.store.clear("uploads", [this.person, tab, id]);
          this.keep(this.entries.get(id)!);
        }
      }
    }
    this.changed();
  }

  add(files: readonly File[]): void {
    for (const file of files) {
      if (this.recognize(file)) {
        continue;
      }
      const entry: Entry = {
        id: newID(),
        name: file.name,
        size: file.size,
        modified: file.lastModified,
        state: "waiting",
        part: 0,
        problem: "",
        retryable: false,
        file,
        adopted: false,
        stop: null,
      };
      this.entries.set(entry.id, entry);
      this.keep(entry);
    }
    this.changed();
  }

  /** Sends a refused file once more, as another attempt: what was judged stays judged. */
  retry(id: string): void {
    const old = this.entries.get(id);
    if (old?.state !== "refused" || !old.file) {
      return;
    }
    this.drop(id);
    this.add([old.file]);
  }

  /** Takes a file out. One that is on its way may have been stored already. */
  cancel(id: string): void {
    this.entries.get(id)?.stop?.abort();
    this.drop(id);
    this.changed();
  }

  cancelAll(): void {
    for (const { id, state } of this.uploads) {
      if (state === "waiting" || state === "sending") {
        this.cancel(id);
      }
    }
  }

  /** Puts away what is done or refused. */
  putAway(): void {
    for (const { id, state } of this.uploads) {
      if (state === "done" || state === "refused") {
        this.drop(id);
      }
    }
    this.changed();
  }

  /** Tries at once, because the server may be back. */
  nudge(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.trying = true;
      this.next();
    }
  }

  /** Stops; what was not judged is kept. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.online);
    this.entries.forEach(({ stop }) => stop?.abort());
  }

  private readonly online = () => this.nudge();

  /** Whether a chosen file is one that an earlier page had begun to send. */
  private recognize(file: File): boolean {
    for (const entry of this.entries.values()) {
      if (entry.adopted && entry.name === file.name && entry.size === file.size && entry.modified === file.lastModified && entry.state !== "refused") {
        entry.adopted = false;
        return true;
      }
    }
    return false;
  }

  private next(): void {
    if (this.closed || this.timer !== undefined) {
      return;
    }
    const most = this.trying ? 1 : AT_ONCE;
    for (const entry of this.entries.values()) {
      if (this.running >= most) {
        return;
      }
      if (entry.state === "waiting") {
        void this.send(entry);
      }
    }
    if (this.running === 0) {
      this.trying = false;
    }
  }

  private async send(entry: Entry): Promise<void> {
    this.running++;
    entry.state = "sending";
    entry.part = 0;
    entry.stop = new AbortController();
    const progress = (part: number) => {
      entry.part = part;
      this.emit("change", undefined);
    };
    try {
      const image = await this.rest.upload(entry.file!, { key: entry.id, filename: entry.name, progress, signal: entry.stop.signal });
      this.answered();
      if (!this.closed && this.entries.has(entry.id)) {
        entry.state = "done";
        entry.part = 1;
        entry.file = null;
        this.forget(entry.id);
        this.emit("done", image);
        this.emit("judged", entry);
      }
    } catch (err) {
      if (!this.closed && this.entries.has(entry.id)) {
        this.failed(entry, err);
      }
    } finally {
      entry.stop = null;
      this.running--;
      if (!this.closed) {
        this.changed();
      }
    }
  }

  private failed(entry: Entry, err: unknown): void {
    const status = err instanceof RestError ? err.status : 0;
    entry.part = 0;
    if (status >= 500 || OPEN.has(status)) {
      entry.state = "waiting";
      this.pause(err instanceof RestError ? (err.retryAfter ?? 0) : 0);
      return;
    }
    this.answered();
    entry.state = "refused";
    entry.problem = reason(err as RestError, entry);
    entry.retryable = status !== 413 && status !== 415; // the file is what is wrong
    this.keep({ ...entry, file: null });
    this.emit("judged", entry);
  }

  private answered(): void {
    this.trying = false;
    this.backoff.reset();
  }

  private pause(least: number): void {
    if (this.timer === undefined && !this.closed) {
      this.timer = setTimeout(() => this.nudge(), Math.max(least, this.backoff.next()));
    }
  }

  private changed(): void {
    this.next();
    this.emit("change", undefined);
  }

  private drop(id: string): void {
    this.entries.delete(id);
    this.forget(id);
  }

  private keep({ id, file, name, size, modified, problem }: Entry): void {
    if (this.tab) {
      this.store.write("uploads", [[[this.person, this.tab, id], { id, file, name, size, modified, problem } satisfies Kept]]);
    }
  }

  private forget(id: string): void {
    this.store.clear("uploads", [this.person, this.tab, id]);
  }
}

/** Why a file was refused, in words for who chose it. */
function reason(err: RestError, { size }: Upload): string {
  const megabytes = (n: number) => `${Math.round((n / (1 << 20)) * 10) / 10} MB`;
  switch (err.status) {
    case 413: {
      const [, most] = /(\d+) bytes/.exec(err.message) ?? [];
      return `Too large: ${megabytes(size)}${most ? `, at most ${megabytes(Number(most))}` : ""}.`;
    }
    case 415:
      return "Not a picture that can be shown: PNG, JPEG, GIF, WebP, TIFF or AVIF.";
    default:
      return err.message;
  }
}
