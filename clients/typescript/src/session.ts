import { Company } from "./company.js";
import { Emitter } from "./emitter.js";
import { newID } from "./id.js";
import { Link, type LinkOptions, type Phase } from "./link.js";
import type { Annotation, ChatLine, Draft, Image, Op, OpsFrame, Patch, Peer, Presence, RejFrame, ServerFrame, SnapFrame, Stop, Welcome } from "./protocol.js";
import type { Change, Kept } from "./replica.js";
import { Timers } from "./timers.js";
import { Work, type Rejection, type WorkOptions } from "./work.js";

/** What the world around a session provides. */
export interface SessionOptions extends LinkOptions, WorkOptions {
  /** What others see of who this is. */
  name?: string;
  /** What an earlier session had confirmed: shown at once, and gone on from. */
  kept?: Kept;
}

/** What a badge shows. */
export interface Status {
  phase: Phase;
  /** Edits without an answer. */
  pending: number;
  stop: Stop | null;
}

export interface SessionEvents {
  status: Status;
  change: Change;
  peers: ReadonlyMap<string, Peer>;
  rejected: Rejection;
  image: Image;
  welcome: Welcome;
  chat: ChatLine;
  problem: { code: string; message: string };
}

/**
 * A person's live view of one image: a replica that follows the server, an
 * outbox that survives reloads and lost connections, and the people around.
 * Edits show at once and are sent in order, exactly once in effect. Nothing
 * here touches a page.
 *
 * It joins three parts, each with a state of its own: the connection (Link), what
 * is shown and said (Work), and who is there (Company). Its own is only when what
 * waits is sent.
 */
export class Session extends Emitter<SessionEvents> {
  private readonly link: Link;
  private readonly work: Work;
  private readonly company: Company;
  private readonly timers: Timers<"resend">;
  private roleNow = "";
  private flushing = false;

  constructor(private readonly options: SessionOptions) {
    super();
    this.timers = new Timers(options);
    this.work = new Work(options, {
      changed: (change) => this.emit("change", change),
      rejected: (rejection) => this.emit("rejected", rejection),
    });
    this.link = new Link(options, {
      hello: () => ({
        t: "hello",
        client: this.work.client,
        ...(this.work.since ? { since: this.work.since } : {}),
        ...(options.name ? { name: options.name } : {}),
      }),
      frame: (frame) => this.receive(frame),
      dropped: () => {
        this.timers.clear("resend");
        this.work.dropped();
        this.company.leave();
      },
      // The copy of this tab has the same outbox, so ours starts over under a new name;
      // the ids of its puts keep them from being applied twice.
      replaced: () => this.work.rename(newID()),
      phase: () => this.announce(),
    });
    this.company = new Company(options, {
      send: (frame) => this.link.send(frame),
      changed: () => this.emit("peers", this.peers),
    });
  }

  get annotations(): ReadonlyMap<string, Annotation> {
    return this.work.annotations;
  }

  get peers(): ReadonlyMap<string, Peer> {
    return this.company.peers;
  }

  get status(): Status {
    return { phase: this.link.phase, pending: this.work.pending, stop: this.link.stop };
  }

  /** This connection's name among the peers; "" while there is none. */
  get connection(): string {
    return this.company.connection;
  }

  /** The id under which this client's frames are numbered; it changes when a copied tab takes it. */
  get client(): string {
    return this.work.client;
  }

  /** The role of the last welcome; "" before. */
  get role(): string {
    return this.roleNow;
  }

  /** What the server has confirmed, for a later session to go on from; null before it has. */
  get kept(): Kept | null {
    return this.work.kept;
  }

  /** Whether the image's annotations have been seen, at any time. */
  get loaded(): boolean {
    return this.work.since !== null;
  }

  /** Whether an edit of one of ids is not in the confirmed part yet, so that its rev is not known. */
  unsettled(ids: readonly string[]): boolean {
    return this.work.unsettled(ids);
  }

  /** Resolves when the annotations are there; fails when the session stops instead. */
  ready(): Promise<void> {
    return this.reach(() => this.link.phase === "live");
  }

  /** Resolves when every edit has its answer; fails when the session stops instead. */
  saved(): Promise<void> {
    return this.reach(() => this.work.pending === 0);
  }

  private reach(fact: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (fact()) {
          leave();
          resolve();
        } else if (this.link.phase === "stopped") {
          leave();
          reject(new Error(`the session has stopped: ${this.link.stop ?? "it was closed"}`));
        }
      };
      const leave = this.on("status", look);
      look();
    });
  }

  /** Connects, and stays connected until stop. */
  start(): void {
    this.work.resume(this.options.kept);
    this.link.open();
  }

  /** Closes the connection. Unanswered edits stay in the storage. */
  stop(): void {
    this.link.halt(null);
  }

  /** Tries again at once, because the network may be back. */
  nudge(): void {
    this.link.nudge();
  }

  /** Gives the running connection a new token, or comes back with it. */
  authenticate(token: string): void {
    if (this.link.phase === "live" || this.link.phase === "loading") {
      this.link.send({ t: "auth", token });
    } else {
      this.link.again();
    }
  }

  put(draft: Draft, id: string = newID()): string {
    this.commit([{ k: "put", id, annotation: draft }]);
    return id;
  }

  patch(id: string, set: Patch): void {
    this.commit([{ k: "patch", id, set }]);
  }

  remove(id: string): void {
    this.commit([{ k: "del", id }]);
  }

  /**
   * Applies ops as one transaction: shown now, sent as soon as possible. Throws
   * a RangeError for one that no server would read.
   */
  commit(ops: Op[]): void {
    this.work.add(ops);
    this.flush();
    this.announce();
  }

  /** Shows this person's cursor and selection to the others, at most 20 times a second. */
  presence(state: Presence): void {
    this.company.show(state);
  }

  say(text: string): void {
    this.link.send({ t: "chat", text });
  }

  private receive(frame: ServerFrame): void {
    switch (frame.t) {
      case "welcome":
        return this.welcome(frame);
      case "snap":
        return this.snap(frame);
      case "ops":
        return this.ops(frame);
      case "ack":
        this.work.ack(frame.seq, frame.ver);
        this.flush();
        return this.announce();
      case "rej":
        return this.rej(frame);
      case "pres":
        return this.company.saw(frame);
      case "left":
        return this.company.left(frame.conn);
      case "image":
        return this.emit("image", frame.image);
      case "chat":
        return this.emit("chat", frame);
      case "err":
        if (!frame.temporary) {
          this.emit("problem", frame);
        }
        return;
      case "bye":
        return this.link.lost(frame.after_ms ?? 0);
    }
  }

  private welcome(frame: Welcome): void {
    this.roleNow = frame.role;
    this.work.welcome(frame);
    this.company.join(frame.conn, frame.peers ?? []);
    this.link.welcomed(frame.recovered ? "live" : "loading");
    this.emit("welcome", frame);
    this.emit("image", frame.image);
    this.emit("peers", this.peers);
    this.link.watch();
    this.work.caughtUp();
    this.announce();
    this.flush();
    this.company.greet();
  }

  private snap(frame: SnapFrame): void {
    if (this.work.snap(frame)) {
      this.link.live();
      this.flush();
    }
  }

  private ops(frame: OpsFrame): void {
    switch (this.work.ops(frame, frame.conn === this.connection)) {
      case "gap":
        return this.link.lost(); // never seen from a correct server; resuming closes it
      case "applied":
        this.flush();
        this.announce();
    }
  }

  private rej(frame: RejFrame): void {
    switch (this.work.rej(frame)) {
      case "astray":
        return this.link.lost(); // the welcome will tell from where to number
      case "again":
        this.timers.arm("resend", frame.retry_after_ms ?? 500, () => this.flush());
        return this.announce();
      case "settled":
        this.flush();
        this.announce();
    }
  }

  private flush(): void {
    if (this.flushing) {
      return; // an answer that comes while this sends must not overtake
    }
    this.flushing = true;
    while (this.connection && !this.timers.armed("resend")) {
      const frame = this.work.take();
      if (!frame) {
        break;
      }
      this.link.send({ t: "op", seq: frame.seq, ops: frame.ops });
    }
    this.flushing = false;
  }

  private announce(): void {
    this.emit("status", this.status);
  }
}
