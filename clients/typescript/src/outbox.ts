import { WINDOW, type Op } from "./protocol.js";
import type { Was } from "./rebase.js";

/** What survives a reload. */
export interface Saved {
  frames: { seq: number; ops: Op[]; sent: boolean; was?: Was }[];
}

/** Keeps one client's unanswered frames outside of the page's memory. */
export interface OutboxStorage {
  load(client: string): Saved | null;
  /** Called after every change; null when nothing is left to keep. */
  save(client: string, saved: Saved | null): void;
}

/** Keeps frames as long as the program runs. */
export class MemoryStorage implements OutboxStorage {
  private readonly kept = new Map<string, Saved>();

  load(client: string): Saved | null {
    return this.kept.get(client) ?? null;
  }

  save(client: string, saved: Saved | null): void {
    if (saved) {
      this.kept.set(client, saved);
    } else {
      this.kept.delete(client);
    }
  }
}

/**
 * A frame on its way. Once sent it keeps its seq and its ops: the server
 * compares what a repeated seq says with what it said first.
 */
export interface Frame {
  seq: number;
  ops: Op[];
  state: "queued" | "sent" | "acked";
  /** Whether a server may have seen it, on any connection. */
  sent: boolean;
  /** The version that an acked frame made. */
  ver: number;
  /** What the ops were decided on. */
  was: Was;
}

/**
 * The frames of one client that the replica does not show yet, in seq order:
 * acked ones wait for the stream to reach their version, sent ones for an
 * answer, queued ones for room in the window. It is plain state: no socket, no
 * timer.
 */
export class Outbox {
  private frames: Frame[] = [];
  private next = 1;

  constructor(
    public client: string,
    private readonly storage: OutboxStorage,
  ) {
    const saved = storage.load(client);
    if (saved) {
      this.frames = saved.frames.map((f) => ({ ...f, state: "queued", ver: 0, was: f.was ?? {} }));
      this.next = this.frames.reduce((next, f) => Math.max(next, f.seq + 1), 1);
    }
  }

  /** Frames without an answer. */
  get pending(): number {
    return this.frames.reduce((n, f) => n + (f.state === "acked" ? 0 : 1), 0);
  }

  /** The seq of the oldest frame without an answer; 0 if there is none. */
  get first(): number {
    return this.frames.find((f) => f.state !== "acked")?.seq ?? 0;
  }

  /** All frames that lie over the replica, oldest first. */
  get overlay(): readonly Frame[] {
    return this.frames;
  }

  add(ops: Op[], was: Was = {}): Frame {
    const frame: Frame = { seq: this.next++, ops, state: "queued", sent: false, ver: 0, was };
    this.frames.push(frame);
    this.persist();
    return frame;
  }

  /**
   * Takes the next frame that may be sent now, and marks it as sent; unless fresh,
   * only one that a server may have seen already.
   */
  take(fresh: boolean): Frame | undefined {
    let inFlight = 0;
    for (const f of this.frames) {
      if (f.state === "queued") {
        if (!fresh && !f.sent) {
          return undefined;
        }
        f.state = "sent";
        if (!f.sent) {
          f.sent = true;
          this.persist();
        }
        return f;
      }
      inFlight += f.state === "sent" ? 1 : 0;
      if (inFlight >= WINDOW) {
        return undefined;
      }
    }
    return undefined;
  }

  /** A new connection knows nothing of what was in flight: send it again. */
  rewind(from = 0): void {
    for (const f of this.frames) {
      if (f.state === "sent" && f.seq >= from) {
        f.state = "queued";
      }
    }
  }

  /**
   * Fits the numbering to what the server has consumed. Frames that no server
   * saw follow it. Frames that one may have seen keep their seq, unless the
   * server has forgotten this client and waits for lower ones.
   */
  align(lastSeq: number): void {
    const open = this.frames.filter((f) => f.state !== "acked");
    const seen = open.filter((f) => f.sent);
    const forgotten = seen[0] !== undefined && seen[0].seq > lastSeq + 1;
    this.next = Math.max(lastSeq, forgotten ? 0 : (seen.at(-1)?.seq ?? 0)) + 1;
    for (const f of open) {
      if (forgotten || !f.sent) {
        f.seq = this.next++;
      }
    }
    this.persist();
  }

  /**
   * Takes ops out of the frames that no server has seen, and numbers what is left
   * without a gap. keep is told the frames that come before, as they will be.
   */
  revise(keep: (op: Op, frame: Frame, before: readonly Frame[]) => boolean): void {
    const kept: Frame[] = [];
    let next = 0;
    for (const f of this.frames) {
      if (f.sent) {
        kept.push(f);
        continue;
      }
      next ||= f.seq;
      const ops = f.ops.filter((op) => keep(op, f, kept));
      if (ops.length > 0) {
        kept.push({ ...f, seq: next++, ops: ops.length < f.ops.length ? ops : f.ops });
      }
    }
    if (next > 0) {
      this.frames = kept;
      this.next = next;
      this.persist();
    }
  }

  /** Records an ack; returns the frame, or undefined for a repeated one. */
  ack(seq: number, ver: number): Frame | undefined {
    const frame = this.open(seq);
    if (frame) {
      frame.state = "acked";
      frame.ver = ver;
      this.persist();
    }
    return frame;
  }

  /** Removes a frame that will never be applied. */
  drop(seq: number): Frame | undefined {
    const frame = this.open(seq);
    if (frame) {
      this.frames = this.frames.filter((f) => f !== frame);
      this.persist();
    }
    return frame;
  }

  /** Removes acked frames that the replica shows by itself; returns them. */
  settle(ver: number): Frame[] {
    const shown = (f: Frame) => f.state === "acked" && f.ver <= ver;
    const out = this.frames.filter(shown);
    if (out.length > 0) {
      this.frames = this.frames.filter((f) => !shown(f));
    }
    return out;
  }

  /** Goes on as another client: what has no answer starts over at seq 1. */
  rename(client: string): void {
    this.storage.save(this.client, null);
    this.client = client;
    this.next = 1;
    for (const f of this.frames) {
      if (f.state !== "acked") {
        f.seq = this.next++;
        f.state = "queued";
        f.sent = false;
      }
    }
    this.persist();
  }

  private open(seq: number): Frame | undefined {
    return this.frames.find((f) => f.seq === seq && f.state !== "acked");
  }

  private persist(): void {
    const frames = this.frames.filter((f) => f.state !== "acked").map(({ seq, ops, sent, was }) => ({ seq, ops, sent, was }));
    this.storage.save(this.client, frames.length > 0 ? { frames } : null);
  }
}
