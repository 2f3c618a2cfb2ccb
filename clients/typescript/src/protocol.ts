/** The words of the live socket `easel.v1`, as they travel; nouns that HTTP knows too are the API document's. */

import type { components } from "./api.js";

type Schemas = components["schemas"];

export const SUBPROTOCOL = "easel.v1";

/** Frames that may be unanswered at once. */
export const WINDOW = 32;

/** Ops of one frame. */
export const MAX_OPS = 500;

/** The longest frame that the server reads, in bytes. */
export const MAX_FRAME = 64 * 1024;

export type Point = [number, number];

/** An upright rectangle in fractions of the image. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What an annotation looks like, in fractions of the image; absent for a plain box. */
export type Shape = Schemas["Shape"];

export type Attributes = Schemas["Attributes"];

/** One annotation of an image; x, y, width and height are its bounding box. */
export type Annotation = Schemas["Annotation"];

/** What an author says of an annotation; the rest is the server's. */
export interface Draft {
  label: string;
  x: number;
  y: number;
  width: number;
  height: number;
  confidence?: number | null;
  /** In a patch, null makes it a plain box. */
  shape?: Shape | null;
  attributes?: Attributes;
  source?: string;
  model?: string;
}

/**
 * Registers to change: geometry as a whole, label, confidence, and each attribute by
 * itself; an attribute that is null is removed.
 */
export type Patch = Partial<Omit<Draft, "attributes">> & { attributes?: Record<string, Attributes[string] | null> };

export type Op =
  | { k: "put"; id: string; annotation: Draft }
  | { k: "patch"; id: string; set: Patch; base?: number }
  | { k: "del"; id: string; base?: number };

/** One op as everyone is shown it. */
export interface Effect {
  k: "put" | "patch" | "del";
  id: string;
  annotation?: Annotation;
}

/** An image; pages and programs are free to keep what they like in its metadata. */
export type Image = Schemas["Image"];

/** One version of an image: who did what, and when. */
export interface Deed {
  ver: number;
  by: string;
  at: string;
  ops: Effect[];
}

/** Who a token is for. */
export type Me = Schemas["MeAnswer"];

/** What the tenant's people draw; version 0: nobody has said. */
export type LabelSchema = Schemas["SchemaAnswer"];

/** A label that the tenant draws with. */
export type LabelDefinition = Schemas["Label"];

/** What a person shows of themselves; never stored. */
export interface Presence {
  cursor?: [number, number];
  selection?: string[];
  draft?: { x: number; y: number; width: number; height: number };
  view?: number[];
}

export interface Peer {
  conn: string;
  user: string;
  name: string;
  state: Presence;
}

export type ChatLine = Schemas["Message"];

export interface Since {
  epoch: string;
  ver: number;
}

export type ClientFrame =
  | { t: "hello"; client: string; since?: Since; name?: string }
  | { t: "op"; seq: number; ops: Op[] }
  | { t: "pres"; state: Presence }
  | { t: "chat"; text: string }
  | { t: "auth"; token: string }
  | { t: "ping" };

export interface Welcome {
  t: "welcome";
  conn: string;
  epoch: string;
  ver: number;
  recovered: boolean;
  known: boolean;
  role: string;
  last_seq: number;
  image: Image;
  last_message: string;
  peers: Peer[] | null;
  limits?: Record<string, number>;
}

export interface OpsFrame {
  t: "ops";
  ver: number;
  by: string;
  conn?: string;
  seq?: number;
  at: string;
  ops: Effect[];
}

export interface SnapFrame {
  t: "snap";
  i: number;
  n?: number;
  last: boolean;
  ver: number;
  annotations: Annotation[] | null;
}

export interface AckFrame {
  t: "ack";
  seq: number;
  ver: number;
  results: { id: string; rev: number }[];
}

export interface RejFrame {
  t: "rej";
  seq: number;
  code: string;
  message: string;
  temporary: boolean;
  expected?: number;
  retry_after_ms?: number;
  current?: unknown;
  details?: { path: string; message: string }[];
}

export type ServerFrame =
  | Welcome
  | OpsFrame
  | SnapFrame
  | AckFrame
  | RejFrame
  | ({ t: "pres" } & Peer)
  | { t: "left"; conn: string }
  | ({ t: "chat" } & ChatLine)
  | { t: "image"; image: Image }
  | { t: "pong"; ver: number }
  | { t: "err"; code: string; message: string; retry_after_ms?: number; temporary?: boolean }
  | { t: "bye"; reason: string; after_ms?: number };

/** What to do about a closed socket. */
export type Verdict = "retry" | "replaced" | Stop;

/** Why a session ends for good, until somebody changes something. */
export type Stop = "unauthenticated" | "forbidden" | "missing" | "outdated" | "quota" | "refused";

/** Reads a close code: 44xx do not come back unchanged, all others do. */
export function onClose(code: number): Verdict {
  switch (code) {
    case 4401:
      return "unauthenticated";
    case 4403:
      return "forbidden";
    case 4404:
      return "missing";
    case 4409:
      return "replaced";
    case 4426:
      return "outdated";
    case 4429:
      return "quota";
    case 1009:
      return "refused";
    default:
      return code >= 4400 && code < 4500 ? "refused" : "retry";
  }
}
