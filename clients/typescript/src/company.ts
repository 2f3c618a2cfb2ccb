import type { ClientFrame, Peer, Presence } from "./protocol.js";
import { Timers, type Clock } from "./timers.js";

const PRESENCE_EVERY = 50;

export interface CompanyEvents {
  send: (frame: ClientFrame) => void;
  changed: () => void;
}

/**
 * Who else is at the image, and what this person lets them see: a cursor that moves
 * often is told at most 20 times a second, and all of it again to a new connection.
 */
export class Company {
  readonly peers = new Map<string, Peer>();
  private conn = "";
  private shown: Presence = {};
  private untold = false;
  private readonly timers: Timers<"presence">;

  constructor(
    clock: Clock,
    private readonly events: CompanyEvents,
  ) {
    this.timers = new Timers(clock);
  }

  /** This connection's name among the peers; "" while there is none. */
  get connection(): string {
    return this.conn;
  }

  /** Joins those who are there; they hear of this person with greet. */
  join(conn: string, peers: readonly Peer[]): void {
    this.conn = conn;
    for (const peer of peers) {
      if (peer.conn !== conn) {
        this.peers.set(peer.conn, { ...peer, state: peer.state ?? {} });
      }
    }
  }

  greet(): void {
    this.untold = Object.keys(this.shown).length > 0;
    this.tell();
  }

  show(state: Presence): void {
    this.shown = { ...this.shown, ...state };
    this.untold = true;
    this.tell();
  }

  saw({ conn, user, name, state }: Peer): void {
    if (conn !== this.conn) {
      this.peers.set(conn, { conn, user, name, state: state ?? {} });
      this.events.changed();
    }
  }

  left(conn: string): void {
    if (this.peers.delete(conn)) {
      this.events.changed();
    }
  }

  /** The connection is gone, and with it whoever was seen through it. */
  leave(): void {
    this.timers.clear("presence");
    this.conn = "";
    if (this.peers.size > 0) {
      this.peers.clear();
      this.events.changed();
    }
  }

  private tell(): void {
    if (!this.conn || !this.untold || this.timers.armed("presence")) {
      return;
    }
    this.untold = false;
    this.events.send({ t: "pres", state: this.shown });
    this.timers.arm("presence", PRESENCE_EVERY, () => this.tell());
  }
}
