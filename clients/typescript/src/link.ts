import { Backoff } from "./backoff.js";
import { onClose, SUBPROTOCOL, type ClientFrame, type ServerFrame, type Stop } from "./protocol.js";
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

export type Phase =
  | "connecting" // the first connection, or one being made again
  | "loading" // welcomed, the snapshot is on its way
  | "live"
  | "waiting" // for the next attempt
  | "stopped";

/** How the server is reached. */
export interface LinkOptions extends Clock {
  /** The address of the image's live socket. */
  url: string;
  /** The bearer token, asked for at every connection. */
  token: () => string;
  connect: (url: string, protocols: string[]) => Socket;
  /** Asked when a socket never opened, because a browser does not say why. */
  probe: () => Promise<"reachable" | "unreachable" | Stop>;
  random?: () => number;
}

export interface LinkEvents {
  /** What a connection begins with. */
  hello: () => ClientFrame;
  frame: (frame: ServerFrame) => void;
  /** A connection or an attempt has ended: what was in flight may not have arrived. */
  dropped: () => void;
  /** Another connection goes on under this one's client id. */
  replaced: () => void;
  phase: () => void;
}

const PING_EVERY = 20_000;
const PONG_WITHIN = 8_000;
const OPEN_WITHIN = 15_000;
const STABLE_AFTER = 5_000;

/** How often in a row another connection may take this one's place. */
const MOST_REPLACEMENTS = 5;

/**
 * The connection to an image and its ups and downs: makes sockets until it is told to
 * stop or a server says that it is no use, notices one that is dead, and waits longer
 * after each failure. It reads no frame; what they mean is its owner's business.
 */
export class Link {
  private socket: Socket | null = null;
  private at: Phase = "connecting";
  private reason: Stop | null = null;
  private replacements = 0;
  private readonly backoff: Backoff;
  private readonly random: () => number;
  private readonly timers: Timers<"retry" | "ping" | "pong" | "open" | "stable">;

  constructor(
    private readonly options: LinkOptions,
    private readonly events: LinkEvents,
  ) {
    this.random = options.random ?? Math.random;
    this.backoff = new Backoff(this.random);
    this.timers = new Timers(options);
  }

  get phase(): Phase {
    return this.at;
  }

  /** Why it has stopped; null while it has not, or was told to. */
  get stop(): Stop | null {
    return this.reason;
  }

  /** Makes a connection now, instead of one that there may be. */
  open(): void {
    this.timers.clear("retry");
    this.drop();
    this.reason = null;
    this.enter("connecting");
    let opened = false;
    const socket = this.options.connect(this.options.url, [SUBPROTOCOL, `bearer.${this.options.token()}`]);
    this.socket = socket;
    this.timers.arm("open", OPEN_WITHIN, () => this.lost());
    socket.onopen = () => {
      opened = true;
      this.send(this.events.hello());
    };
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data === "string") {
        this.timers.clear("pong");
        this.events.frame(JSON.parse(event.data) as ServerFrame);
      }
    };
    socket.onclose = (event) => {
      if (this.socket === socket) {
        opened ? this.closed(event.code) : this.refused();
      }
    };
    socket.onerror = () => {
      if (this.socket === socket && !opened) {
        this.refused();
      }
    };
  }

  /** Tries again at once, because the network may be back; or asks whether it is still there. */
  nudge(): void {
    if (this.at === "waiting") {
      this.again();
    } else if (this.at === "live") {
      this.ping();
    }
  }

  /** Makes a connection as if none had failed before. */
  again(): void {
    this.backoff.reset();
    this.open();
  }

  /** The server has welcomed this connection. */
  welcomed(phase: "loading" | "live"): void {
    this.timers.clear("open");
    this.enter(phase);
  }

  /** Watches over a connection that was welcomed. */
  watch(): void {
    this.timers.arm("stable", STABLE_AFTER, () => {
      this.backoff.reset();
      this.replacements = 0;
    });
    this.ping();
  }

  /** All that there is has been loaded. */
  live(): void {
    this.enter("live");
  }

  /** Says a frame, if anybody is there to hear it. */
  send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** Gives a connection up and waits for the next attempt; at least so many milliseconds, if a server said so. */
  lost(after?: number): void {
    this.drop();
    this.enter("waiting");
    const wait = after === undefined ? this.backoff.next() : after + 250 * this.random();
    this.timers.arm("retry", wait, () => this.open());
  }

  halt(reason: Stop | null): void {
    this.timers.clear("retry");
    this.drop();
    this.reason = reason;
    this.enter("stopped");
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
    this.events.replaced();
    if (++this.replacements > MOST_REPLACEMENTS) {
      this.halt("refused");
      return;
    }
    this.lost();
  }

  /** The socket never opened. Only an HTTP request can tell why. */
  private refused(): void {
    this.drop();
    this.enter("waiting");
    void this.options.probe().then((found) => {
      if (this.at !== "waiting" || this.socket) {
        return;
      }
      if (found === "reachable" || found === "unreachable") {
        this.lost();
      } else {
        this.halt(found);
      }
    });
  }

  /** Lets go of the socket and of all that belonged to it. */
  private drop(): void {
    this.timers.clear("ping", "pong", "open", "stable");
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
    this.events.dropped();
  }

  private ping(): void {
    this.timers.clear("ping");
    this.send({ t: "ping" });
    this.timers.arm("pong", PONG_WITHIN, () => this.lost());
    this.timers.arm("ping", PING_EVERY, () => this.ping());
  }

  private enter(phase: Phase): void {
    this.at = phase;
    this.events.phase();
  }
}
