import { Outbox, type Frame, type OutboxStorage } from "./outbox.js";
import { MAX_FRAME, MAX_OPS, type Annotation, type Op, type OpsFrame, type RejFrame, type Since, type SnapFrame, type Welcome } from "./protocol.js";
import { basisOf, outdated, type Was } from "./rebase.js";
import { idsOf, Replica, type Change, type Kept } from "./replica.js";

/** Edits that were not applied: refused by the server, or overtaken while this page was away. */
export interface Rejection {
  ops: Op[];
  /** What they were decided on. */
  was: Was;
  code: string;
  message: string;
}

export interface WorkEvents {
  changed: (change: Change) => void;
  rejected: (rejection: Rejection) => void;
}

export interface WorkOptions {
  image: string;
  user: string;
  client: string;
  storage: OutboxStorage;
}

/**
 * One image as this client shows it: what the server has confirmed, with what this
 * client has said on top, and what that means for each frame that comes. It is plain
 * state: no socket and no timer, so that any order of events can be tried.
 */
export class Work {
  private readonly replica: Replica;
  private readonly outbox: Outbox;
  private snapshot: Annotation[] = [];
  private epoch = "";
  /** The version that the last welcome promised, until the replica has reached it; null then. */
  private behind: number | null = Infinity;

  constructor(
    options: WorkOptions,
    private readonly events: WorkEvents,
  ) {
    this.replica = new Replica(options.image, options.user);
    this.outbox = new Outbox(options.client, options.storage);
  }

  get annotations(): ReadonlyMap<string, Annotation> {
    return this.replica.view;
  }

  /** Frames without an answer. */
  get pending(): number {
    return this.outbox.pending;
  }

  get client(): string {
    return this.outbox.client;
  }

  /** Up to where the stream is known; null before the first snapshot. */
  get since(): Since | null {
    return this.replica.since;
  }

  get kept(): Kept | null {
    return this.replica.kept;
  }

  /** Whether an edit of one of ids is not in the confirmed part yet, so that its rev is not known. */
  unsettled(ids: readonly string[]): boolean {
    const open = idsOf(this.outbox.overlay);
    return ids.some((id) => open.has(id));
  }

  /** Shows what an earlier session had confirmed, and what it did not get through. */
  resume(kept: Kept | undefined): void {
    const known = kept && !this.replica.since ? this.replica.reset(kept.since, kept.annotations) : [];
    this.show(new Set([...known, ...idsOf(this.outbox.overlay)]));
  }

  /** Throws a RangeError for a transaction that no server would read. */
  add(ops: Op[]): void {
    if (ops.length < 1 || ops.length > MAX_OPS) {
      throw new RangeError(`a transaction has 1 to ${MAX_OPS} ops`);
    }
    const room = 100; // for the rest of the frame
    if (new TextEncoder().encode(JSON.stringify(ops)).length > MAX_FRAME - room) {
      throw new RangeError(`a transaction has at most ${MAX_FRAME} bytes`);
    }
    this.show(idsOf([this.outbox.add(ops, basisOf(this.replica.view, ops))]));
  }

  /** The next frame to send, if there is one and room for it. */
  take(): Frame | undefined {
    return this.outbox.take(this.behind === null);
  }

  /** The connection is gone: what was sent and not answered is sent again. */
  dropped(): void {
    this.snapshot = [];
    this.behind = Infinity;
    this.outbox.rewind();
  }

  /** Another connection has this client's id: a copy of this tab, with the same outbox. */
  rename(client: string): void {
    this.outbox.rename(client);
  }

  welcome(frame: Welcome): void {
    this.behind = frame.ver;
    this.outbox.align(frame.last_seq);
    if (!frame.recovered) {
      this.replica.since = null; // until the snapshot is whole, a new connection starts over
      this.snapshot = [];
    } else if (this.replica.since) {
      this.replica.since = { epoch: frame.epoch, ver: this.replica.since.ver };
    }
    this.epoch = frame.epoch;
  }

  /** Takes a part of a snapshot; true when it was the last. */
  snap(frame: SnapFrame): boolean {
    if (frame.i === 0) {
      this.snapshot = [];
    }
    this.snapshot.push(...(frame.annotations ?? []));
    if (!frame.last) {
      return false;
    }
    const touched = this.replica.reset({ epoch: this.epoch, ver: frame.ver }, this.snapshot);
    this.snapshot = [];
    this.settle(touched);
    this.caughtUp();
    return true;
  }

  /** Takes a version; own is whether this connection made it. "gap" when one is missing before it. */
  ops(frame: OpsFrame, own: boolean): "applied" | "known" | "gap" {
    const { since } = this.replica;
    if (!since || frame.ver <= since.ver) {
      return "known";
    }
    if (frame.ver > since.ver + 1) {
      return "gap";
    }
    if (own && frame.seq !== undefined) {
      this.outbox.ack(frame.seq, frame.ver); // what is broadcast is durable
    }
    this.settle(this.replica.apply(frame.ver, frame.ops));
    this.caughtUp();
    return "applied";
  }

  ack(seq: number, ver: number): void {
    this.outbox.ack(seq, ver);
    this.settle();
  }

  /**
   * Takes a refusal: "settled" for good; "again" when it was temporary, so that it and
   * what was behind it are to be sent once more; "astray" when the numbering no longer
   * fits, which only a new welcome can tell.
   */
  rej(frame: RejFrame): "settled" | "again" | "astray" {
    if (frame.temporary) {
      if (frame.expected !== undefined && frame.expected < this.outbox.first) {
        return "astray";
      }
      this.outbox.rewind(frame.seq); // nothing was consumed, so neither was anything behind it
      return "again";
    }
    const dropped = this.outbox.drop(frame.seq);
    if (dropped) {
      this.show(idsOf([dropped]));
      this.events.rejected({ ops: dropped.ops, was: dropped.was, code: frame.code, message: frame.message });
    }
    return "settled";
  }

  /**
   * Once the replica shows what happened while this client was away, the edits
   * that no server has seen yet are looked at again: what others have changed
   * under them is not sent, but handed back.
   */
  caughtUp(): void {
    const { since } = this.replica;
    if (this.behind === null || !since || since.ver < this.behind) {
      return;
    }
    this.behind = null;
    const lost: Rejection[] = [];
    this.outbox.revise((op, frame, before) => {
      const code = outdated(op, frame.was[op.id], this.replica.effective(op.id, before));
      if (code) {
        const message = code === "gone" ? "it was deleted in the meantime" : "it was changed in the meantime";
        lost.push({ ops: [op], was: { [op.id]: frame.was[op.id] ?? null }, code, message });
      }
      return !code;
    });
    this.show(new Set(lost.map(({ ops }) => ops[0]!.id)));
    lost.forEach((rejection) => this.events.rejected(rejection));
  }

  /** Forgets what the replica shows by itself now, and looks at ids again. */
  private settle(touched: Set<string> = new Set()): void {
    if (this.replica.since) {
      for (const id of idsOf(this.outbox.settle(this.replica.since.ver))) {
        touched.add(id);
      }
    }
    this.show(touched);
  }

  private show(ids: Set<string>): void {
    const change = this.replica.refresh(ids, this.outbox.overlay);
    if (change.upserted.length + change.removed.length > 0) {
      this.events.changed(change);
    }
  }
}
