import { Http, RestError, unreachable, type HttpOptions, type Schemas } from "./http.js";
import { newID } from "./id.js";
import type { Annotation, ChatLine, Deed, Image, LabelDefinition, LabelSchema, Me, Op, Patch, Stop } from "./protocol.js";
import { follow, type StreamFrame } from "./stream.js";

/** At most this many versions are read at once. */
const MOST_DEEDS = 20_000;

/** Which images are meant; what is left out filters nothing. */
export interface ImageFilter {
  cursor?: string;
  limit?: number;
  /** A part of the name, in any case. */
  filename?: string;
  /** With an annotation of exactly this label. */
  label?: string;
  uploaded_by?: string;
  /** How far the work on it is: new, in_progress or done, as its metadata say. */
  state?: string;
}

/** Which annotations are meant; what is left out filters nothing. */
export interface AnnotationFilter {
  label?: string;
  minConfidence?: number;
  /** As they were: a version, or a time. */
  at?: number | string;
}

export interface UploadOptions {
  filename?: string;
  /** The same key makes the same image; by default one of its own. */
  key?: string;
  /** Called with 0 to 1, in browsers. */
  progress?: (part: number) => void;
  signal?: AbortSignal;
}

/** How an image is cut into deep-zoom tiles; all is 0 unless the state is "ready". */
export type Tiling = Schemas["Tiles"];

/** What to draw: a box by its sides, or a shape, of which the box follows. */
export type NewAnnotation = Omit<Schemas["DraftBody"], "image_id">;

/** Which predictions to judge: those of ids, at most 500, or all that are sure enough. */
export type Judgement = { ids: string[] } | { min_confidence: number };

/** What to bring back: a version, one annotation, or all before what a user did since a time. */
export type Restoration = { version: number } | { annotation: string; version?: number } | { user: string; since: number | string };

/** A condition on what is stored: only over this ETag, or only where nothing is. */
export type Condition = { etag?: string; absent?: boolean };

export interface PutFile extends Condition {
  type?: string;
  /** Kept beside the file, and answered with it. */
  meta?: Record<string, string>;
}

/**
 * The HTTP half of the server, for one token. Everything that the API's document
 * names can be called through `http`; the methods here are what programs mostly
 * want, and return what they are about. All of them fail with a RestError.
 */
export class Rest {
  readonly http: Http;

  constructor(options: HttpOptions) {
    this.http = new Http(options);
  }

  me(): Promise<Me> {
    return this.http.call("get", "/api/me", {});
  }

  /** A member of the tenant. */
  user(id: string): Promise<Schemas["MemberReply"]> {
    return this.http.call("get", "/api/users/{id}", { path: { id } });
  }

  /** What the tenant uses, and its limits. */
  usage(): Promise<Schemas["UsageAnswer"]> {
    return this.http.call("get", "/api/usage", {});
  }

  /** One page of the tenant's images, newest first; next_cursor is null at the end. */
  images(filter: ImageFilter = {}): Promise<Schemas["ImagesAnswer"]> {
    return this.http.call("get", "/api/images", { query: filter });
  }

  /** How many images there are of each state, of those that a filter leaves. */
  imageStates(filter: Pick<ImageFilter, "filename" | "label" | "uploaded_by"> = {}): Promise<Schemas["ImageProgressReply"]> {
    return this.http.call("get", "/api/images/states", { query: filter });
  }

  /** All images of the tenant, newest first, read as they are taken. */
  async *allImages(filter: ImageFilter = {}): AsyncGenerator<Image> {
    let { cursor } = filter;
    do {
      const page = await this.images({ limit: 500, ...filter, ...(cursor ? { cursor } : {}) });
      yield* page.images;
      cursor = page.next_cursor ?? "";
    } while (cursor);
  }

  async image(id: string): Promise<Image> {
    return (await this.http.call("get", "/api/images/{id}", { path: { id } })).image;
  }

  async rename(id: string, filename: string): Promise<Image> {
    return (await this.http.call("patch", "/api/images/{id}", { path: { id }, body: { filename } })).image;
  }

  /** Replaces an image's metadata. */
  async describe(id: string, metadata: Record<string, unknown>): Promise<Image> {
    return (await this.http.call("patch", "/api/images/{id}", { path: { id }, body: { metadata } })).image;
  }

  /** Hides an image; it can be restored for some time. */
  async remove(id: string): Promise<void> {
    await this.http.call("delete", "/api/images/{id}", { path: { id } });
  }

  async restore(id: string): Promise<Image> {
    return (await this.http.call("post", "/api/images/{id}/restore", { path: { id } })).image;
  }

  /** An address of the picture that works without a token, for an hour. */
  url(id: string): Promise<Schemas["UrlAnswer"]> {
    return this.http.call("get", "/api/images/{id}/url", { path: { id } });
  }

  /** The picture itself. It is fetched, not linked, so that no address carries a secret. */
  async file(id: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.http.call("get", "/api/images/{id}/file", { path: { id }, ...(signal ? { signal } : {}) })).blob();
  }

  async thumbnail(id: string, size: number, signal?: AbortSignal): Promise<Blob> {
    return (await this.http.call("get", "/api/images/{id}/thumbnail", { path: { id }, query: { size }, ...(signal ? { signal } : {}) })).blob();
  }

  /** How the image is cut into deep-zoom tiles, if it is. */
  tiling(id: string): Promise<Tiling> {
    return this.http.call("get", "/api/images/{id}/tiles", { path: { id } });
  }

  /** One tile, by its level, column and row. */
  async tile(id: string, [level, column, row]: readonly [number, number, number], signal?: AbortSignal): Promise<Blob> {
    const path = { id, level: String(level), tile: `${column}_${row}` };
    return (await this.http.call("get", "/api/images/{id}/tiles/{level}/{tile}", { path, ...(signal ? { signal } : {}) })).blob();
  }

  /** The image's annotations with their history, as a SQLite file. */
  async sqlite(id: string): Promise<Blob> {
    return (await this.http.call("get", "/api/images/{id}/sqlite", { path: { id } })).blob();
  }

  /** Stores a picture. */
  async upload(content: Blob, options: UploadOptions = {}): Promise<Image> {
    const name = options.filename ?? (content as Partial<File>).name ?? "image";
    const form = new FormData();
    form.append("image", content, name);
    const key = options.key ?? newID();
    if (options.progress && typeof XMLHttpRequest !== "undefined") {
      return this.watched(form, key, options.progress, options.signal);
    }
    const given = { header: { "Idempotency-Key": key }, body: form, ...(options.signal ? { signal: options.signal } : {}) };
    return (await this.http.call("post", "/api/images/upload", given)).image;
  }

  /** Sends a form once; only XMLHttpRequest tells how far it is. */
  private watched(form: FormData, key: string, progress: (part: number) => void, signal?: AbortSignal): Promise<Image> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.http.address("/api/images/upload"));
      request.setRequestHeader("Authorization", `Bearer ${this.http.token}`);
      request.setRequestHeader("Idempotency-Key", key);
      request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
      request.onerror = () => reject(unreachable());
      request.onabort = () => reject(signal?.reason as Error);
      request.onload = () => {
        if (request.status === 201) {
          resolve((JSON.parse(request.responseText) as Schemas["ImageAnswer"]).image);
        } else {
          reject(RestError.of(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        }
      };
      signal?.addEventListener("abort", () => request.abort(), { once: true });
      request.send(form);
    });
  }

  /** All annotations of an image at one version, newest first, and the version. */
  annotations(image: string, { at, ...filter }: AnnotationFilter = {}): Promise<Schemas["ListAnswer"]> {
    return this.http.call("get", "/api/images/{id}/annotations", { path: { id: image }, query: { ...filter, ...(at === undefined ? {} : { at: String(at) }) } });
  }

  /** An image's annotations as they were at a version. */
  async annotationsAt(image: string, version: number): Promise<Annotation[]> {
    return (await this.annotations(image, { at: version })).annotations;
  }

  async annotation(image: string, id: string): Promise<Annotation> {
    return (await this.http.call("get", "/api/images/{id}/annotations/{annotationId}", { path: { id: image, annotationId: id } })).annotation;
  }

  /** Makes an annotation. */
  async draw(image: string, draft: NewAnnotation): Promise<Annotation> {
    return (await this.http.call("post", "/api/annotations", { body: { image_id: image, ...draft } })).annotation;
  }

  /** Makes 1 to 500 annotations, on any images, all or none; returns their ids in order. */
  async drawAll(drafts: (NewAnnotation & { image_id: string })[]): Promise<string[]> {
    return (await this.http.call("post", "/api/annotations/bulk", { body: { annotations: drafts } })).ids;
  }

  /** Changes what set names; with a rev, only while the annotation still has it. */
  async change(image: string, id: string, set: Patch, rev?: number): Promise<Annotation> {
    const given = { path: { id: image, annotationId: id }, body: set as Schemas["PatchBody"], ...ifRev(rev) };
    return (await this.http.call("patch", "/api/images/{id}/annotations/{annotationId}", given)).annotation;
  }

  /** Deletes an annotation; with a rev, only while it still has it. */
  async removeAnnotation(image: string, id: string, rev?: number): Promise<void> {
    await this.http.call("delete", "/api/images/{id}/annotations/{annotationId}", { path: { id: image, annotationId: id }, ...ifRev(rev) });
  }

  /** Applies ops as one transaction, as the live socket does. A seq that was judged already gets that verdict again. */
  apply(image: string, client: string, seq: number, ops: Op[]): Promise<Schemas["AckAnswer"]> {
    return this.http.call("post", "/api/images/{id}/ops", { path: { id: image }, body: { client, seq, ops: ops as Schemas["OpBody"][] } });
  }

  /** What was done to an image's annotations after version since, oldest first. */
  async ops(image: string, since: number): Promise<Deed[]> {
    const deeds: Deed[] = [];
    let cursor = "";
    do {
      const page = await this.http.call("get", "/api/images/{id}/ops", { path: { id: image }, query: { since, limit: 1000, ...(cursor ? { cursor } : {}) } });
      deeds.push(...(page.ops as Deed[]));
      cursor = page.next_cursor ?? "";
    } while (cursor && deeds.length < MOST_DEEDS);
    return deeds;
  }

  /** The image's stream without a socket: what is there, and every version after. It goes on over lost connections until it is left. */
  events(image: string, signal?: AbortSignal): AsyncGenerator<StreamFrame> {
    return follow(this.http, image, signal);
  }

  /** Brings back what was, as new ops; returns how many annotations changed. */
  async revert(image: string, what: Restoration): Promise<number> {
    return (await this.http.call("post", "/api/images/{id}/revert", { path: { id: image }, body: what })).reverted;
  }

  /** Makes predictions people's annotations; returns how many. */
  accept(image: string, which: Judgement): Promise<number> {
    return this.judge("/api/images/{id}/predictions/accept", image, which);
  }

  /** Deletes predictions; returns how many. */
  reject(image: string, which: Judgement): Promise<number> {
    return this.judge("/api/images/{id}/predictions/reject", image, which);
  }

  private async judge(path: "/api/images/{id}/predictions/accept" | "/api/images/{id}/predictions/reject", id: string, body: Judgement): Promise<number> {
    for (let judged = 0; ; ) {
      const answer = await this.http.call("post", path, { path: { id }, body });
      judged += answer.judged;
      if (!answer.more) {
        return judged;
      }
    }
  }

  /** The last messages of an image's chat, newest first; after one, if it is named. */
  async messages(image: string, after?: string): Promise<ChatLine[]> {
    return (await this.http.call("get", "/api/images/{id}/messages", { path: { id: image }, query: after ? { after } : {} })).messages;
  }

  async say(image: string, text: string): Promise<ChatLine> {
    return (await this.http.call("post", "/api/images/{id}/messages", { path: { id: image }, body: { text } })).message;
  }

  /** The label schema. */
  schema(): Promise<LabelSchema> {
    return this.http.call("get", "/api/schema", {});
  }

  /** Replaces the label schema if it is still that version; else the error has the newest as current. */
  putSchema(version: number, schema: { open: boolean; labels: LabelDefinition[] }): Promise<LabelSchema> {
    return this.http.call("put", "/api/schema", { header: { "If-Match": `"${version}"` }, body: schema as Schemas["SchemaBody"] });
  }

  async schemaVersions(): Promise<Schemas["SchemaVersion"][]> {
    return (await this.http.call("get", "/api/schema/versions", {})).versions;
  }

  /** A small value, or null where there is none. */
  async value(key: string): Promise<{ content: Uint8Array; etag: string } | null> {
    const found = await orNull(this.http.ask("get", "/api/kv/{key}", { path: { key } }));
    return found && { content: new Uint8Array(await found.content.arrayBuffer()), etag: found.headers.get("ETag") ?? "" };
  }

  /** Stores a small value, to 1 MiB, for ttl seconds if that is given. */
  putValue(key: string, content: BodyInit, { ttl, ...condition }: Condition & { ttl?: number } = {}): Promise<Schemas["StoredAnswer"]> {
    return this.http.call("put", "/api/kv/{key}", { path: { key }, query: ttl === undefined ? {} : { ttl }, header: conditions(condition), body: content });
  }

  async deleteValue(key: string, condition: Condition = {}): Promise<void> {
    await this.http.call("delete", "/api/kv/{key}", { path: { key }, header: conditions(condition) });
  }

  /** One page of the keys that begin with prefix, in byte order. */
  values(prefix = "", cursor = ""): Promise<Schemas["KeysAnswer"]> {
    return this.http.call("get", "/api/kv", { query: { prefix, ...(cursor ? { cursor } : {}) } });
  }

  /** A stored file with its headers, still to be read; null where there is none. */
  async stored(name: string): Promise<Response | null> {
    return orNull(this.http.call("get", "/api/files/{name}", { path: { name } }));
  }

  putFile(name: string, content: BodyInit, { type, meta = {}, ...condition }: PutFile = {}): Promise<Schemas["StoredAnswer"]> {
    const header: Record<string, string> = conditions(condition);
    if (type) {
      header["Content-Type"] = type;
    }
    for (const [field, value] of Object.entries(meta)) {
      header[`X-Easel-Meta-${field}`] = value;
    }
    return this.http.call("put", "/api/files/{name}", { path: { name }, header, body: content });
  }

  async deleteFile(name: string, condition: Condition = {}): Promise<void> {
    await this.http.call("delete", "/api/files/{name}", { path: { name }, header: conditions(condition) });
  }

  /** One page of the files whose names begin with prefix. */
  files(prefix = "", cursor = ""): Promise<Schemas["FilesAnswer"]> {
    return this.http.call("get", "/api/files", { query: { prefix, ...(cursor ? { cursor } : {}) } });
  }

  /** One page of the tenant's service keys, newest first. */
  keys(cursor = ""): Promise<Schemas["ServiceKeysAnswer"]> {
    return this.http.call("get", "/api/keys", { query: cursor ? { cursor } : {} });
  }

  /** Makes a service key, which is in this answer only; without a ttl (seconds) it does not expire. */
  createKey(name: string, role: Schemas["KeyBody"]["role"], ttl?: number): Promise<Schemas["KeyAnswer"]> {
    return this.http.call("post", "/api/keys", { body: { name, role, ...(ttl === undefined ? {} : { ttl }) } });
  }

  async deleteKey(id: string): Promise<void> {
    await this.http.call("delete", "/api/keys/{id}", { path: { id } });
  }

  /** A ticket for addresses of one image, valid for a minute, where no header can be set. */
  ticket(image: string): Promise<Schemas["TicketAnswer"]> {
    return this.http.call("post", "/api/tickets", { body: { image_id: image } });
  }

  /** Says why a live socket did not open. */
  async probe(image: string): Promise<"reachable" | "unreachable" | Stop> {
    try {
      await this.image(image);
      return "reachable";
    } catch (err) {
      const status = err instanceof RestError ? err.status : 0;
      const reasons: Record<number, Stop> = { 401: "unauthenticated", 403: "forbidden", 404: "missing", 410: "missing" };
      return reasons[status] ?? "unreachable";
    }
  }
}

function ifRev(rev: number | undefined): { header?: { "If-Match": string } } {
  return rev === undefined ? {} : { header: { "If-Match": `"${rev}"` } };
}

function conditions({ etag, absent }: Condition): Record<string, string> {
  return { ...(etag ? { "If-Match": etag } : {}), ...(absent ? { "If-None-Match": "*" } : {}) };
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (err) {
    if (err instanceof RestError && err.status === 404) {
      return null;
    }
    throw err;
  }
}
