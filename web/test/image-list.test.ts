import { describe, expect, it } from "vitest";
import type { Image } from "@easelhq/client";
import { EVERYTHING, ImageList } from "../src/image-list";

/** A server with images, two on a page. */
function server(...states: string[]) {
  const rows = states.map((state, i) => ({ id: String(i), metadata: state ? { state } : {}, deleted_at: null }) as unknown as Image);
  const asked: string[] = [];
  return {
    rows,
    asked,
    images: (filter: { cursor?: string; state?: string } = {}) => {
      asked.push(JSON.stringify(filter));
      const all = rows.filter((row) => !filter.state || row.metadata?.state === filter.state);
      const from = Number(filter.cursor ?? 0);
      return Promise.resolve({ images: all.slice(from, from + 2), next_cursor: from + 2 < all.length ? String(from + 2) : null });
    },
    image: (id: string) => {
      const found = rows.find((row) => row.id === id);
      return found ? Promise.resolve(found) : Promise.reject(new Error("gone"));
    },
  };
}

describe("the list of images", () => {
  it("goes on over pages, from an address that was opened alone too", async () => {
    const list = new ImageList(server("", "", "", "", "") as never);
    expect((await list.beside("1", 1))?.id).toBe("2");
    expect((await list.beside("3", 1))?.id).toBe("4");
    expect(await list.beside("4", 1)).toBeNull();
    expect(await list.beside("0", -1)).toBeNull();
    expect(await list.beside("unknown", 1)).toBeNull();
  });

  it("leaves an answer alone that nobody waits for any more", async () => {
    const list = new ImageList(server("", "") as never);
    expect(await list.load(EVERYTHING, () => false)).toBeNull();
    expect([list.images, list.more]).toEqual([[], true]);
  });

  it.each([
    ["the next one", ["", "", ""], "0", "1"],
    ["one on another page", ["", "done", "done", "in_progress"], "0", "3"],
    ["around the end", ["", "done", "in_progress", "done"], "2", "0"],
    ["none but this one", ["done", "", "done"], "1", null],
  ])("finds what is not done: %s", async (_, states, from, want) => {
    const list = new ImageList(server(...states) as never);
    expect((await list.unfinishedAfter(from))?.id ?? null).toBe(want);
  });

  it("believes the image rather than the list", async () => {
    const api = server("", "", "", "");
    const list = new ImageList(api as never);
    await list.load(EVERYTHING);
    api.rows[1] = { ...api.rows[1]!, metadata: { state: "done" } };
    api.rows.splice(2, 1);
    expect((await list.unfinishedAfter("0"))?.id).toBe("3");
  });

  it("looks beyond a list of what is done", async () => {
    const list = new ImageList(server("done", "", "done") as never);
    await list.load({ ...EVERYTHING, state: "done" });
    expect((await list.unfinishedAfter("0"))?.id).toBe("1");
  });
});
