import type { Annotation, ChatLine, Effect, Image, Stop } from "./protocol.js";

/** One version of an image: who did what, and when. */
export interface Deed {
  ver: number;
  by: string;
  at: string;
  ops: Effect[];
}

/** A label that the tenant draws with. */
export interface LabelDefinition {
  name: string;
  /** #rrggbb; absent: the page chooses. */
  color?: string;
  /** The character that chooses it. */
  key?: string;
  attributes?: object[];
}

/** What the tenant's people draw. */
export interface LabelSchema {
  /** 0: nobody has put one. */
  version: number;
  /** Whether other labels are welcome. */
  open: boolean;
  labels: LabelDefinition[];
  updated_by: string;
  updated_at: string | null;
}

const MOST_DEEDS = 20_000;

export interface Me {
  user_id: string;
  tenant: string;
  role: string;
  name: string;
}

/** An error answer of the server, or `unreachable` when there was none. */
export class RestError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What is there now, where a condition did not hold. */
    readonly current?: unknown,
  ) {
    super(message);
    this.name = "RestError";
  }
}

/** The HTTP half of the server, for one token. */
export class Rest {
  constructor(
    private readonly token: () => string,
    private readonly base = "",
  ) {}

  me(): Promise<Me> {
    return this.json<Me>("GET", "/api/me");
  }

  images(cursor = "", filename = "", label = ""): Promise<{ images: Image[] | null; next_cursor?: string | null }> {
    const query = new URLSearchParams({ limit: "60" });
    if (cursor) {
      query.set("cursor", cursor);
    }
    if (filename) {
      query.set("filename", filename);
    }
    if (label) {
      query.set("label", label);
    }
    return this.json("GET", `/api/images?${query}`);
  }

  /** The label schema. The browser asks with the ETag that it has. */
  schema(): Promise<LabelSchema> {
    return this.json("GET", "/api/schema");
  }

  /** Replaces the label schema if it is still that version; else the error has the newest as current. */
  putSchema(version: number, schema: Pick<LabelSchema, "open" | "labels">): Promise<LabelSchema> {
    return this.json("PUT", "/api/schema", schema, { "If-Match": `"${version}"` });
  }

  async image(id: string): Promise<Image> {
    return (await this.json<{ image: Image }>("GET", `/api/images/${id}`)).image;
  }

  async rename(id: string, filename: string): Promise<Image> {
    return (await this.json<{ image: Image }>("PATCH", `/api/images/${id}`, { filename })).image;
  }

  /** Replaces an image's metadata. */
  async describe(id: string, metadata: Record<string, unknown>): Promise<Image> {
    return (await this.json<{ image: Image }>("PATCH", `/api/images/${id}`, { metadata })).image;
  }

  /** The last messages of an image's chat, newest first. */
  async messages(id: string): Promise<ChatLine[]> {
    return (await this.json<{ messages: ChatLine[] | null }>("GET", `/api/images/${id}/messages`)).messages ?? [];
  }

  async remove(id: string): Promise<void> {
    await this.call("DELETE", `/api/images/${id}`);
  }

  async restore(id: string): Promise<Image> {
    return (await this.json<{ image: Image }>("POST", `/api/images/${id}/restore`)).image;
  }

  /** What was done to an image's annotations after version since, oldest first. */
  async ops(id: string, since: number): Promise<Deed[]> {
    const deeds: Deed[] = [];
    let cursor = "";
    do {
      const query = new URLSearchParams({ since: String(since), limit: "1000", ...(cursor ? { cursor } : {}) });
      const page = await this.json<{ ops: Deed[] | null; next_cursor?: string | null }>("GET", `/api/images/${id}/ops?${query}`);
      deeds.push(...(page.ops ?? []));
      cursor = page.next_cursor ?? "";
    } while (cursor && deeds.length < MOST_DEEDS);
    return deeds;
  }

  /** An image's annotations as they were at a version. */
  async annotationsAt(id: string, version: number): Promise<Annotation[]> {
    return (await this.json<{ annotations: Annotation[] | null }>("GET", `/api/images/${id}/annotations?at=${version}`)).annotations ?? [];
  }

  /** Brings back what was, as new ops; returns how many annotations changed. */
  async revert(id: string, what: { version: number } | { annotation: string; version?: number }): Promise<number> {
    return (await this.json<{ reverted: number }>("POST", `/api/images/${id}/revert`, what)).reverted;
  }

  /** The picture itself. It is fetched, not linked, so that no address carries a secret. */
  async file(id: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.call("GET", `/api/images/${id}/file`, signal)).blob();
  }

  async thumbnail(id: string, size: number, signal?: AbortSignal): Promise<Blob> {
    return (await this.call("GET", `/api/images/${id}/thumbnail?size=${size}`, signal)).blob();
  }

  /**
   * Uploads a file; the same key makes the same image. Progress is called with 0
   * to 1; only XMLHttpRequest tells it.
   */
  upload(file: File, key: string, progress: (part: number) => void): Promise<Image> {
    return new Promise((resolve, reject) => {
      const form = new FormData();
      form.append("image", file, file.name);
      const request = new XMLHttpRequest();
      request.open("POST", `${this.base}/api/images/upload`);
      request.setRequestHeader("Authorization", `Bearer ${this.token()}`);
      request.setRequestHeader("Idempotency-Key", key);
      request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
      request.onerror = () => reject(new RestError(0, "unreachable", "The server cannot be reached."));
      request.onload = () => {
        const body = parse(request.responseText);
        if (request.status === 201 && body?.image) {
          resolve(body.image as Image);
        } else {
          reject(failure(request.status, body));
        }
      };
      request.send(form);
    });
  }

  /** Says why a live socket did not open. */
  async probe(id: string): Promise<"reachable" | "unreachable" | Stop> {
    try {
      await this.image(id);
      return "reachable";
    } catch (err) {
      const status = err instanceof RestError ? err.status : 0;
      const reasons: Record<number, Stop> = { 401: "unauthenticated", 403: "forbidden", 404: "missing", 410: "missing" };
      return reasons[status] ?? "unreachable";
    }
  }

  private async json<T>(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<T> {
    return (await (await this.call(method, path, undefined, body, headers)).json()) as T;
  }

  private async call(method: string, path: string, signal?: AbortSignal, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.base + path, {
        method,
        headers: { Authorization: `Bearer ${this.token()}`, ...headers, ...(body ? { "Content-Type": "application/json" } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        ...(signal ? { signal } : {}),
      });
    } catch (err) {
      if (signal?.aborted) {
        throw err;
      }
      throw new RestError(0, "unreachable", "The server cannot be reached.");
    }
    if (!response.ok) {
      throw failure(response.status, parse(await response.text()));
    }
    return response;
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function failure(status: number, body: Record<string, unknown> | null): RestError {
  return new RestError(
    status,
    typeof body?.error === "string" ? body.error : "internal",
    typeof body?.message === "string" ? body.message : `The server answered ${status}.`,
    body?.current,
  );
}
