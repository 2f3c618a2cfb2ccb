import { Backoff } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { newID } from "./id.js";
import { Outbox, type OutboxStorage } from "./outbox.js";
import {
  MAX_FRAME,
  MAX_OPS,
  onClose,
  SUBPROTOCOL,
  type Annotation,
  type ChatLine,
  type ClientFrame,
  type Draft,
  type Image,
  type Op,
  type OpsFrame,
  type Patch,
  type Peer,
  type Presence,
  type RejFrame,
  type ServerFrame,
  type SnapFrame,
  type Stop,
  type Welcome,
} from "./protocol.js";
import { basisOf, outdated, type Was } from "./rebase.js";
import { idsOf, Replica, type Change, type Kept } from "./replica.js";
import { Timers, type Clock } from "./timers.js";

/** The part of a WebSocket that a session needs; tests give it a fake one. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  /** Node before 22 tells of a socket that never opened by this alone. */
  onerror?: ((event: never) => void) | null;
}

/** What the world around a session provides. */
export interface SessionOptions extends Clock {
  image: string;
  user: string;
  name?: string;
  /** The address of the image's live socket. */
  url: string;
  /** The bearer token, asked for at every connection. */
  token: () => string;
  /** This tab's client id. */
  client: string;
  storage: OutboxStorage;
  /** What an earlier session had confirmed: shown at once, and gone on from. */
  kept?: Kept;
  connect: (url: string, protocols: string[]) => Socket;
  /** Asked when a socket never opened, because a browser does not say why. */
  probe: () => Promise<"reachable" | "unreachable" | Stop>;
  random?: () => number;
}

export type Phase =
  | "connecting" // the first connection, or one being made again
  | "loading" // welcomed, the snapshot is on its way
  | "live"
  | "waiting" // for the next attempt
  | "stopped";

/** What a badge shows. */
export interface Status {
  phase: Phase;
  /** Edits without an answer. */
  pending: number;
  stop: Stop | null;
}

/** Edits that were not applied: refused by the server, or overtaken while this page was away. */
export interface Rejection {
  ops: Op[];
  /** What they were decided on. */
  was: Was;
  code: string;
  message: string;
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

const PING_EVERY = 20_000;
const PONG_WITHIN = 8_000;
const PRESENCE_EVERY = 50;
const OPEN_WITHIN = 15_000;

/**
 * A person's live view of one image: a replica that follows the server, an
 * outbox that survives reloads and lost connections, and the people around.
 * Edits show at once and are sent in order, exactly once in effect. Nothing
 * here touches a page.
 */
export class Session extends Emitter<SessionEvents> {
  readonly peers = new Map<string, Peer>();
  private readonly replica: Replica;
  private readonly outbox: Outbox;
  private readonly backoff: Backoff;
  private socket: Socket | null = null;
  private phase: Phase = "connecting";
  private stopReason: Stop | null = null;
  private conn = "";
  private snapshot: Annotation[] = [];
  private state: Presence = {};
  private replacements = 0;
  private roleNow = "";
  private readonly timers: Timers<"retry" | "ping" | "pong" | "presence" | "resend" | "open" | "stable">;
  private presenceDirty = false;
  private flushing = false;
  private epoch = "";
  /** The version that the last welcome promised, until the replica has reached it. */
  private behind: number | null = Infinity;

  constructor(private readonly options: SessionOptions) {
    super();
    this.replica = new Replica(options.image, options.user);
    this.outbox = new Outbox(options.client, options.storage);
    this.backoff = new Backoff(options.random ?? Math.random);
    this.timers = new Timers(options);
  }

  get annotations(): ReadonlyMap<string, Annotation> {
    return this.replica.view;
  }

  get status(): Status {
    return { phase: this.phase, pending: this.outbox.pending, stop: this.stopReason };
  }

  /** This connection's name among the peers; "" while there is none. */
  get connection(): string {
    return this.conn;
  }

  /** The id under which this client's frames are numbered; it changes when a copied tab takes it. */
  get client(): string {
    return this.outbox.client;
  }

  /** The role of the last welcome; "" before. */
  get role(): string {
    return this.roleNow;
  }

  /** What the server has confirmed, for a later session to go on from; null before it has. */
  get kept(): Kept | null {
    return this.replica.kept;
  }

  /** Whether the image's annotations have been seen, at any time. */
  get loaded(): boolean {
    return this.replica.since !== null;
  }

  /** Whether an edit of one of ids is not in the confirmed part yet, so that its rev is not known. */
  unsettled(ids: readonly string[]): boolean {
    const open = idsOf(this.outbox.overlay);
    return ids.some((id) => open.has(id));
  }

  /** Resolves when the annotations are there; fails when the session stops instead. */
  ready(): Promise<void> {
    return this.reach(() => this.phase === "live");
  }

  /** Resolves when every edit has its answer; fails when the session stops instead. */
  saved(): Promise<void> {
    return this.reach(() => this.outbox.pending === 0);
  }

  private reach(fact: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (fact()) {
          leave();
          resolve();
        } else if (this.phase === "stopped") {
          leave();
          reject(new Error(`the session has stopped: ${this.stopReason ?? "it was closed"}`));
        }
      };
      const leave = this.on("status", look);
      look();
    });
  }

  /** Connects, and stays connected until stop. */
  start(): void {
    const { kept } = this.options;
    const known = kept && !this.loaded ? this.replica.reset(kept.since, kept.annotations) : [];
    this.show(new Set([...known, ...idsOf(this.outbox.overlay)])); // with what an earlier page did not get through
    this.open();
  }

  /** Closes the connection. Unanswered edits stay in the storage. */
  stop(): void {
    this.halt(null);
  }

  /** Tries again at once, because the network may be back. */
  nudge(): void {
    if (this.phase === "waiting") {
      this.backoff.reset();
      this.open();
    } else if (this.phase === "live") {
      this.ping();
    }
  }

  /** Gives the running connection a new token, or comes back with it. */
  authenticate(token: string): void {
    if (this.phase === "live" || this.phase === "loading") {
      this.send({ t: "auth", token });
    } else {
      this.backoff.reset();
      this.open();
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
    if (ops.length < 1 || ops.length > MAX_OPS) {
      throw new RangeError(`a transaction has 1 to ${MAX_OPS} ops`);
    }
    const room = 100; // for the rest of the frame
    if (new TextEncoder().encode(JSON.stringify(ops)).length > MAX_FRAME - room) {
      throw new RangeError(`a transaction has at most ${MAX_FRAME} bytes`);
    }
    const frame = this.outbox.add(ops, basisOf(this.replica.view, ops));
    this.show(idsOf([frame]));
    this.flush();
    this.announce();
  }

  /** Shows this person's cursor and selection to the others, at most 20 times a second. */
  presence(state: Presence): void {
    this.state = { ...this.state, ...state };
    this.presenceDirty = true;
    this.flushPresence();
  }

  say(text: string): void {
    this.send({ t: "chat", text });
  }

  private open(): void {
    this.timers.clear("retry");
    this.drop();
    this.stopReason = null;
    this.setPhase("connecting");
    let opened = false;
    const socket = this.options.connect(this.options.url, [SUBPROTOCOL, `bearer.${this.options.token()}`]);
    this.socket = socket;
    this.timers.arm("open", OPEN_WITHIN, () => this.lost());
    socket.onopen = () => {
      opened = true;
      this.send({
        t: "hello",
        client: this.outbox.client,
        ...(this.replica.since ? { since: this.replica.since } : {}),
        ...(this.options.name ? { name: this.options.name } : {}),
      });
    };
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data === "string") {
        this.receive(JSON.parse(event.data) as ServerFrame);
      }
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) {
        return;
      }
      if (opened) {
        this.closed(event.code);
      } else {
        this.refused();
      }
    };
    socket.onerror = () => {
      if (this.socket === socket && !opened) {
        this.refused();
      }
    };
  }

  private closed(code: number): void {
    const verdict = onClose(code);
    if (verdict === "retry") {
      this.lost();
      return;
    }
    if (verdict !== "replaced") {
      this.halt(verdict);
      return;
    }
    // Another connection goes on under our client id: a copy of this tab. It has
    // the same outbox, so ours starts over under a new name; the ids of its puts
    // keep them from being applied twice.
    this.outbox.rename(newID());
    if (++this.replacements > 5) {
      this.halt("refused");
      return;
    }
    this.lost();
  }

  /** The socket never opened. Only an HTTP request can tell why. */
  private refused(): void {
    this.drop();
    this.setPhase("waiting");
    void this.options.probe().then((found) => {
      if (this.phase !== "waiting" || this.socket) {
        return;
      }
      if (found === "reachable" || found === "unreachable") {
        this.lost();
      } else {
        this.halt(found);
      }
    });
  }

  private lost(after?: number): void {
    this.drop();
    this.setPhase("waiting");
    this.timers.arm("retry", after ?? this.backoff.next(), () => this.open());
  }

  private halt(reason: Stop | null): void {
    this.timers.clear("retry");
    this.drop();
    this.stopReason = reason;
    this.setPhase("stopped");
  }

  /** Lets go of the socket and of all that belonged to it. */
  private drop(): void {
    this.timers.clear("ping", "pong", "presence", "resend", "open", "stable");
    const socket = this.socket;
    this.socket = null;
    this.conn = "";
    this.snapshot = [];
    this.behind = Infinity;
    this.outbox.rewind();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
    if (this.peers.size > 0) {
      this.peers.clear();
      this.emit("peers", this.peers);
    }
  }

  private receive(frame: ServerFrame): void {
    this.timers.clear("pong");
    switch (frame.t) {
      case "welcome":
        return this.welcome(frame);
      case "snap":
        return this.snap(frame);
      case "ops":
        return this.ops(frame);
      case "ack":
        this.outbox.ack(frame.seq, frame.ver);
        this.settle();
        this.flush();
        return this.announce();
      case "rej":
        return this.rej(frame);
      case "pres":
        if (frame.conn !== this.conn) {
          this.peers.set(frame.conn, { conn: frame.conn, user: frame.user, name: frame.name, state: frame.state ?? {} });
          this.emit("peers", this.peers);
        }
        return;
      case "left":
        if (this.peers.delete(frame.conn)) {
          this.emit("peers", this.peers);
        }
        return;
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
        // The node that goes spreads its clients over time itself.
        return this.lost(frame.after_ms ?? 250 * (this.options.random ?? Math.random)());
    }
  }

  private welcome(frame: Welcome): void {
    this.timers.clear("open");
    this.conn = frame.conn;
    this.behind = frame.ver;
    this.roleNow = frame.role;
    this.outbox.align(frame.last_seq);
    for (const peer of frame.peers ?? []) {
      if (peer.conn !== this.conn) {
        this.peers.set(peer.conn, { ...peer, state: peer.state ?? {} });
      }
    }
    if (!frame.recovered) {
      this.replica.since = null; // until the snapshot is whole, a new connection starts over
      this.snapshot = [];
    } else if (this.replica.since) {
      this.replica.since = { epoch: frame.epoch, ver: this.replica.since.ver };
    }
    this.epoch = frame.epoch;
    this.setPhase(frame.recovered ? "live" : "loading");
    this.emit("welcome", frame);
    this.emit("image", frame.image);
    this.emit("peers", this.peers);
    this.timers.arm("stable", 5_000, () => {
      this.backoff.reset();
      this.replacements = 0;
    });
    this.ping();
    this.caughtUp();
    this.flush();
    this.presenceDirty = Object.keys(this.state).length > 0;
    this.flushPresence();
  }

  private snap(frame: SnapFrame): void {
    if (frame.i === 0) {
      this.snapshot = [];
    }
    this.snapshot.push(...(frame.annotations ?? []));
    if (!frame.last) {
      return;
    }
    const touched = this.replica.reset({ epoch: this.epoch, ver: frame.ver }, this.snapshot);
    this.snapshot = [];
    this.settle(touched);
    this.caughtUp();
    this.setPhase("live");
    this.flush();
  }

  /**
   * Once the replica shows what happened while this client was away, the edits
   * that no server has seen yet are looked at again: what others have changed
   * under them is not sent, but handed back.
   */
  private caughtUp(): void {
    const { since } = this.replica;
    if (this.behind === null || !since || since.ver < this.behind) {
      return;
    }
    this.behind = null;
    const lost: (Rejection & { code: "conflict" | "gone" })[] = [];
    this.outbox.revise((op, frame, before) => {
      const code = outdated(op, frame.was[op.id], this.replica.effective(op.id, before));
      if (code) {
        const message = code === "gone" ? "it was deleted in the meantime" : "it was changed in the meantime";
        lost.push({ ops: [op], was: { [op.id]: frame.was[op.id] ?? null }, code, message });
      }
      return !code;
    });
    this.show(new Set(lost.map(({ ops }) => ops[0]!.id)));
    lost.forEach((rejection) => this.emit("rejected", rejection));
    if (lost.length > 0) {
      this.announce();
    }
  }

  private ops(frame: OpsFrame): void {
    const since = this.replica.since;
    if (!since || frame.ver <= since.ver) {
      return;
    }
    if (frame.ver > since.ver + 1) {
      // Never seen from a correct server; resuming closes the gap.
      this.lost();
      return;
    }
    if (frame.conn === this.conn && frame.seq !== undefined) {
      this.outbox.ack(frame.seq, frame.ver); // what is broadcast is durable
    }
    this.settle(this.replica.apply(frame.ver, frame.ops));
    this.caughtUp();
    this.flush();
    this.announce();
  }

  private rej(frame: RejFrame): void {
    if (frame.temporary) {
      if (frame.expected !== undefined && frame.expected < this.outbox.first) {
        return this.lost(); // the welcome will tell from where to number
      }
      // Nothing was consumed, so neither was anything behind it.
      this.outbox.rewind(frame.seq);
      this.timers.arm("resend", frame.retry_after_ms ?? 500, () => this.flush());
      return this.announce();
    }
    const dropped = this.outbox.drop(frame.seq);
    if (dropped) {
      this.show(idsOf([dropped]));
      this.emit("rejected", { ops: dropped.ops, was: dropped.was, code: frame.code, message: frame.message });
    }
    this.flush();
    this.announce();
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
      this.emit("change", change);
    }
  }

  private flush(): void {
    if (this.flushing) {
      return; // an answer that comes while this sends must not overtake
    }
    this.flushing = true;
    while (this.conn && !this.timers.armed("resend")) {
      const frame = this.outbox.take(this.behind === null);
      if (!frame) {
        break;
      }
      this.send({ t: "op", seq: frame.seq, ops: frame.ops });
    }
    this.flushing = false;
  }

  private flushPresence(): void {
    if (!this.conn || !this.presenceDirty || this.timers.armed("presence")) {
      return;
    }
    this.presenceDirty = false;
    this.send({ t: "pres", state: this.state });
    this.timers.arm("presence", PRESENCE_EVERY, () => this.flushPresence());
  }

  private ping(): void {
    this.timers.clear("ping");
    this.send({ t: "ping" });
    this.timers.arm("pong", PONG_WITHIN, () => this.lost());
    this.timers.arm("ping", PING_EVERY, () => this.ping());
  }

  private send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private announce(): void {
    this.emit("status", this.status);
  }

  private setPhase(phase: Phase): void {
    this.phase = phase;
    this.announce();
  }
}
