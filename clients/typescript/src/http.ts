import type { components, paths } from "./api.js";
import { Backoff } from "./backoff.js";
import { newID } from "./id.js";

export type Schemas = components["schemas"];

/** The addresses of the API, as its document names them. */
export type Path = keyof paths;
export type Verb = "get" | "put" | "post" | "patch" | "delete";

/** The verbs that an address knows. */
export type VerbOf<P extends Path> = { [V in Verb]: paths[P][V] extends object ? V : never }[Verb];

type Operation<P extends Path, V extends Verb> = paths[P][V];
type Given<O, Where extends string> = O extends { parameters: { [W in Where]?: infer T } } ? NonNullable<T> : never;
type PathGiven<O> = [Given<O, "path">] extends [never] ? { path?: never } : { path: Given<O, "path"> };
type BodyGiven<O> = O extends { requestBody: { content: infer C } }
  ? { body: C extends { "application/json": infer T } ? T : C extends { "multipart/form-data": unknown } ? FormData : BodyInit }
  : { body?: undefined };

/** What an operation is called with. */
export type Arguments<P extends Path, V extends Verb> = PathGiven<Operation<P, V>> &
  BodyGiven<Operation<P, V>> & {
    query?: Given<Operation<P, V>, "query">;
    header?: Given<Operation<P, V>, "header">;
    signal?: AbortSignal;
  };

type Success<O> = O extends { responses: infer R } ? R[keyof R & (200 | 201 | 202 | 204)] : never;

/** What an operation answers: JSON as it is, nothing for 204, and a Response whose body is still to be read for all else. */
export type Content<P extends Path, V extends Verb> = Success<Operation<P, V>> extends { content: infer C }
  ? C extends { "application/json": infer T }
    ? T
    : C extends object
      ? Response
      : undefined
  : undefined;

/** An answer with the headers that came with it. */
export interface Answer<T> {
  content: T;
  headers: Headers;
}

export interface HttpOptions {
  /** The node's address; by default that of the page. */
  url?: string;
  /** A JWT or a service key; a function is asked at every request. */
  token?: string | (() => string);
  /**
   * For how long a request is repeated whose outcome is not known, or that the
   * server could not take, in milliseconds. 0: it is sent once.
   */
  patience?: number;
  fetch?: typeof fetch;
}

/** An error answer of the server, or `unreachable` (status 0) when there was none. */
export class RestError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What is there now, where a condition did not hold. */
    readonly current?: unknown,
    readonly details: readonly Schemas["Detail"][] = [],
    /** When to ask again, in milliseconds, if the server said so. */
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = "RestError";
  }

  /** Reads an answer that is no success. */
  static of(status: number, text: string, retryAfter: string | null = null): RestError {
    const body = parse(text);
    const seconds = Number(retryAfter ?? NaN);
    const busy = status === 502 || status === 503 || status === 504; // a proxy may be the one that answers
    return new RestError(
      status,
      body?.error ?? (busy ? "unavailable" : "internal"),
      body?.message ?? `The server answered ${status}.`,
      body?.current,
      body?.details ?? [],
      Number.isFinite(seconds) ? seconds * 1000 : undefined,
    );
  }

  /** Whether the same request may succeed later: nothing was judged, or the answer was lost. */
  get temporary(): boolean {
    return (
      ["unreachable", "unavailable", "overloaded", "rate_limited"].includes(this.code) ||
      (this.code === "conflict" && this.retryAfter !== undefined) // the first of this key still runs
    );
  }
}

/**
 * The HTTP interface for one token: every operation of the API's document, typed
 * by it. A write carries an Idempotency-Key, so that a repeat of it, after an
 * answer that was lost, has no second effect.
 */
export class Http {
  private readonly base: string;
  private readonly patience: number;
  private readonly backoff = () => new Backoff(Math.random, 100, 5_000);

  constructor(private readonly options: HttpOptions) {
    this.base = (options.url ?? "").replace(/\/+$/, "");
    this.patience = options.patience ?? 30_000;
  }

  /** The address of a path of the API. */
  address(path: string): string {
    return this.base + path;
  }

  /** The token as it is now; "" if there is none. */
  get token(): string {
    const { token = "" } = this.options;
    return typeof token === "function" ? token() : token;
  }

  /** Calls an operation and returns what it answers. */
  async call<P extends Path, V extends VerbOf<P>>(verb: V, path: P, given: Arguments<P, V>): Promise<Content<P, V>> {
    return (await this.ask(verb, path, given)).content;
  }

  /** Calls an operation and returns what it answers, with the headers. */
  async ask<P extends Path, V extends VerbOf<P>>(verb: V, path: P, given: Arguments<P, V>): Promise<Answer<Content<P, V>>> {
    const { path: names = {}, query = {}, header = {}, body, signal } = given as Loose;
    const headers = new Headers();
    for (const [name, value] of Object.entries(header)) {
      headers.set(name, String(value));
    }
    let content = body as BodyInit | undefined;
    if (isJSON(body)) {
      headers.set("Content-Type", "application/json");
      content = JSON.stringify(body);
    }
    const response = await this.send(verb, fill(path, names, query), { headers, ...(content === undefined ? {} : { body: content }), ...(signal ? { signal } : {}) });
    return { content: (await contentOf(response, verb === "get" && BYTES.has(path))) as Content<P, V>, headers: response.headers };
  }

  /** Sends a request until its outcome is known; the answer is a success. */
  async send(verb: Verb, path: string, init: { headers: Headers; body?: BodyInit; signal?: AbortSignal }): Promise<Response> {
    if (verb !== "get" && this.patience > 0 && !init.headers.has("Idempotency-Key")) {
      init.headers.set("Idempotency-Key", newID());
    }
    const until = Date.now() + this.patience;
    const again = init.body instanceof ReadableStream ? null : this.backoff(); // a stream is read once
    for (;;) {
      try {
        return await this.once(verb, path, init);
      } catch (err) {
        const wait = err instanceof RestError && err.temporary && again ? Math.max(again.next(), err.retryAfter ?? 0) : Infinity;
        if (Date.now() + wait > until) {
          throw err;
        }
        await pause(wait, init.signal);
      }
    }
  }

  private async once(verb: Verb, path: string, init: { headers: Headers; body?: BodyInit; signal?: AbortSignal }): Promise<Response> {
    const { token } = this;
    if (token) {
      init.headers.set("Authorization", `Bearer ${token}`);
    }
    let response: Response;
    try {
      response = await (this.options.fetch ?? fetch)(this.address(path), {
        method: verb.toUpperCase(),
        ...init,
        ...(init.body instanceof ReadableStream ? { duplex: "half" } : {}),
      } as RequestInit);
    } catch (err) {
      throw init.signal?.aborted ? err : unreachable();
    }
    if (!response.ok) {
      throw RestError.of(response.status, await response.text().catch(() => ""), response.headers.get("Retry-After"));
    }
    return response;
  }
}

/** Nobody answered. */
export function unreachable(): RestError {
  return new RestError(0, "unreachable", "The server cannot be reached.");
}

interface Loose {
  path?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  header?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

function fill(path: string, names: Record<string, string>, query: Record<string, string | number | undefined>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return asked.length > 0 ? `${filled}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}` : filled;
}

/** Whether a body is to be sent as JSON: a plain object, and nothing that fetch knows. */
function isJSON(body: unknown): body is object {
  return typeof body === "object" && body !== null && Object.getPrototypeOf(body) === Object.prototype;
}

/** What is stored here has the type that its author gave it, which may be JSON. */
const BYTES = new Set<Path>(["/api/files/{name}", "/api/kv/{key}"]);

async function contentOf(response: Response, bytes: boolean): Promise<unknown> {
  if (response.status === 204) {
    return undefined;
  }
  const json = response.headers.get("Content-Type")?.startsWith("application/json");
  return json && !bytes ? response.json() : response;
}

function parse(text: string): Partial<Schemas["ErrorBody"]> | null {
  try {
    return JSON.parse(text) as Partial<Schemas["ErrorBody"]>;
  } catch {
    return null;
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
