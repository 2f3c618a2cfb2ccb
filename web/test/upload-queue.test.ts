import { RestError, type Image } from "@easelhq/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { UploadQueue } from "../src/upload-queue";

/** A store that a test can give to the next page. */
class Store {
  readonly kept = new Map<string, unknown>();

  write(_: string, puts: Iterable<readonly [unknown[], unknown]>): void {
    for (const [key, value] of puts) {
      this.kept.set(JSON.stringify(key), value);
    }
  }

  clear(_: string, prefix: unknown[]): void {
    for (const key of this.under(prefix)) {
      this.kept.delete(JSON.stringify(key));
    }
  }

  keys(_: string, prefix: unknown[]): Promise<never> {
    return Promise.resolve(this.under(prefix) as never);
  }

  values(_: string, prefix: unknown[]): Promise<never> {
    return Promise.resolve(this.under(prefix).map((key) => this.kept.get(JSON.stringify(key))) as never);
  }

  private under(prefix: unknown[]): unknown[][] {
    return [...this.kept.keys()].map((key) => JSON.parse(key) as unknown[]).filter((key) => prefix.every((part, i) => key[i] === part));
  }
}

/** Requests on their way, which a test answers. */
class Server {
  readonly open: { key: string; name: string; end: (err?: unknown) => void }[] = [];
  readonly keys: string[] = [];

  upload(file: Blob, { key, filename, signal }: { key?: string; filename?: string; signal?: AbortSignal }): Promise<Image> {
    this.keys.push(key!);
    return new Promise((resolve, reject) => {
      const request = {
        key: key!,
        name: filename!,
        end: (err?: unknown) => {
          this.open.splice(this.open.indexOf(request), 1);
          err ? reject(err as Error) : resolve({ id: key, filename, size: file.size } as Image);
        },
      };
      signal!.addEventListener("abort", () => request.end(new Error("aborted")));
      this.open.push(request);
    });
  }
}

const file = (name: string) => new File(["content"], name, { lastModified: 1 });
const answered = (status: number, message = "text") => new RestError(status, "some", message);
const settle = () => vi.advanceTimersByTimeAsync(0);

let store: Store;
let server: Server;

function page(): UploadQueue {
  return new UploadQueue(server, store, "studio/ann");
}

beforeEach(() => {
  vi.useFakeTimers();
  const session = new Map<string, string>();
  vi.stubGlobal("sessionStorage", { getItem: (name: string) => session.get(name) ?? null, setItem: (name: string, value: string) => void session.set(name, value) });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
  store = new Store();
  server = new Server();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("sends a few at once, in order", async () => {
  const queue = page();
  await queue.resume();
  queue.add(["a", "b", "c", "d", "e"].map(file));
  expect(server.open.map((r) => r.name)).toEqual(["a", "b", "c"]);
  server.open[1]!.end();
  await settle();
  expect(server.open.map((r) => r.name)).toEqual(["a", "c", "d"]);
});

it.each([0, 401, 409, 429, 500, 503])("keeps a file and its key after answer %d, and waits before it tries one", async (status) => {
  const queue = page();
  await queue.resume();
  queue.add(["a", "b", "c", "d"].map(file));
  const [first] = server.keys;
  [...server.open].forEach((r) => r.end(answered(status)));
  await settle();
  expect([server.open.length, queue.paused, store.kept.size]).toEqual([0, true, 4]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.open.map((r) => r.key)).toEqual([first]);
  server.open[0]!.end();
  await settle();
  expect([server.open.length, queue.paused, store.kept.size]).toEqual([3, false, 3]);
});

it.each([403, 413, 415, 422])("lets a file that was refused with %d not stop the others", async (status) => {
  const queue = page();
  await queue.resume();
  queue.add(["a", "b"].map(file));
  server.open[0]!.end(answered(status));
  server.open[0]!.end();
  await settle();
  expect(queue.uploads.map((u) => u.state)).toEqual(["refused", "done"]);
  const before = server.keys[0];
  queue.retry(queue.uploads[0]!.id);
  expect(server.open[0]!.key).not.toBe(before);
});

it("says how large a file may be", async () => {
  const queue = page();
  await queue.resume();
  queue.add([new File([new Uint8Array(3 << 20)], "a")]);
  server.open[0]!.end(answered(413, "the body is larger than 2097152 bytes"));
  await settle();
  expect(queue.uploads[0]).toMatchObject({ problem: "Too large: 3 MB, at most 2 MB.", retryable: false });
});

it("goes on in the next page under the same keys, and knows a file that is chosen again", async () => {
  const before = page();
  await before.resume();
  before.add(["a", "b", "b"].map(file));
  const keys = [...server.keys];
  expect(new Set(keys).size).toBe(3);
  before.close();
  await settle();

  const after = page();
  await after.resume();
  after.add(["a", "b", "b", "b"].map(file));
  expect(server.open.map((r) => r.key)).toEqual(keys);
  expect(after.uploads).toHaveLength(4);
});

it("takes over what was chosen before the store was open, and forgets what is cancelled", async () => {
  const queue = page();
  queue.add([file("a"), file("b")]);
  await queue.resume();
  expect(store.kept.size).toBe(2);
  queue.cancel(queue.uploads[0]!.id);
  queue.cancelAll();
  await settle();
  expect([queue.uploads.length, store.kept.size, server.open.length]).toEqual([0, 0, 0]);
});

it("shows what was refused again, until it is put away", async () => {
  const before = page();
  await before.resume();
  before.add([file("a")]);
  server.open[0]!.end(answered(415));
  await settle();
  before.close();
  const after = page();
  await after.resume();
  expect(after.uploads).toMatchObject([{ name: "a", state: "refused" }]);
  after.putAway();
  expect(store.kept.size).toBe(0);
});
