import { afterEach, expect, it, vi } from "vitest";
import { Rest, RestError } from "@easelhq/client";
import { UploadKeys } from "../src/upload-keys";

function storage(): Pick<Storage, "getItem" | "setItem"> {
  const values = new Map<string, string>();
  return { getItem: (name) => values.get(name) ?? null, setItem: (name, value) => void values.set(name, value) };
}

function keysOn(kept: ReturnType<typeof storage>): UploadKeys {
  let next = 0;
  const page = Math.random();
  return new UploadKeys(kept, () => `${page}-${next++}`);
}

const cup = { name: "cup.jpg", size: 10, lastModified: 1 };

/** The key of an attempt, which ends as told. */
async function attempt(send: ReturnType<UploadKeys["of"]>, end?: Error): Promise<string> {
  let used = "";
  await send((key) => ((used = key), end ? Promise.reject(end) : Promise.resolve())).catch(() => {});
  return used;
}

const answered = (status: number) => new RestError(status, "some", "text");

it.each([0, 401, 403, 408, 409, 429, 500, 503])("a file keeps its key after answer %d, also over a reload", async (status) => {
  const kept = storage();
  const send = keysOn(kept).of(cup);
  const first = await attempt(send, answered(status));
  expect(await attempt(send, answered(status))).toBe(first);
  expect(await attempt(keysOn(kept).of(cup))).toBe(first);
});

it.each([413, 415, 422])("a file that was refused with %d is tried again under another key", async (status) => {
  const send = keysOn(storage()).of(cup);
  expect(await attempt(send, answered(status))).not.toBe(await attempt(send));
});

it("a file that is stored is another image when it is chosen again", async () => {
  const kept = storage();
  const keys = keysOn(kept);
  const first = await attempt(keys.of(cup));
  expect(await attempt(keys.of(cup))).not.toBe(first);
  expect(await attempt(keysOn(kept).of(cup))).not.toBe(first);
});

it("equal files have a key each, and files that differ too", async () => {
  const keys = keysOn(storage());
  const files = [cup, cup, { ...cup, name: "mug.jpg" }, { ...cup, size: 11 }, { ...cup, lastModified: 2 }];
  const used = await Promise.all(files.map((file) => attempt(keys.of(file), answered(0))));
  expect(new Set(used).size).toBe(files.length);
});

it("works without a storage", async () => {
  const full = { getItem: () => "no JSON", setItem: () => { throw new Error("full"); } };
  const send = keysOn(full).of(cup);
  expect(await attempt(send, answered(0))).toBe(await attempt(send));
});

afterEach(() => void vi.unstubAllGlobals());

it("an upload carries its key", async () => {
  const headers: Record<string, string> = {};
  vi.stubGlobal(
    "XMLHttpRequest",
    class {
      status = 201;
      responseText = '{"image":{"id":"one"}}';
      upload = {};
      onload = () => {};
      open() {}
      setRequestHeader(name: string, value: string) {
        headers[name] = value;
      }
      send() {
        this.onload();
      }
    },
  );
  const image = await new Rest({ token: "token" }).upload(new File(["x"], "cup.jpg"), { key: "key-1", progress: () => {} });
  expect(image.id).toBe("one");
  expect(headers).toEqual({ Authorization: "Bearer token", "Idempotency-Key": "key-1" });
});
