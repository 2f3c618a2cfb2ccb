import { newID } from "./id.js";
import { MemoryStorage, type OutboxStorage } from "./outbox.js";
import type { Kept } from "./replica.js";
import type { Rest } from "./rest.js";
import type { Socket } from "./link.js";
import { Session } from "./session.js";

export interface LiveOptions {
  /** What others see of who this is. */
  name?: string;
  /** The user whom own edits show before the server has answered. */
  user?: string;
  /**
   * The id under which edits are numbered. Who comes back under the same id, with
   * the same storage, sends what was left without an answer, once in effect.
   */
  client?: string;
  /** Where edits without an answer are kept; by default in memory. */
  storage?: OutboxStorage;
  /** What an earlier session had confirmed (`session.kept`): shown at once, and gone on from. */
  kept?: Kept;
  /** Whether to connect at once; by default it does. */
  start?: boolean;
  /** Makes sockets where there is no global WebSocket, as in Node before 22. */
  connect?: (url: string, protocols: string[]) => Socket;
}

/** Opens the live session of an image, and connects it. */
export function live(rest: Rest, image: string, options: LiveOptions = {}): Session {
  const url = new URL(rest.http.address(`/api/images/${encodeURIComponent(image)}/live`), globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const session = new Session({
    image,
    user: options.user ?? options.name ?? "",
    ...(options.name ? { name: options.name } : {}),
    url: url.href,
    token: () => rest.http.token,
    client: options.client ?? newID(),
    storage: options.storage ?? new MemoryStorage(),
    connect: options.connect ?? connect,
    ...(options.kept ? { kept: options.kept } : {}),
    probe: () => rest.probe(image),
  });
  if (options.start ?? true) {
    session.start();
  }
  return session;
}

function connect(url: string, protocols: string[]): Socket {
  if (typeof WebSocket === "undefined") {
    throw new Error("there is no WebSocket here: give live() a connect, or run Node 20 with --experimental-websocket");
  }
  return new WebSocket(url, protocols) as unknown as Socket;
}
