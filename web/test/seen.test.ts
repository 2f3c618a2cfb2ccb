import { expect, it } from "vitest";
import type { Image } from "@easelhq/client";
import type { LocalStore } from "../src/local-store";
import { Seen, beyond } from "../src/offline/seen";

it.each([
  [[], 10, []],
  [[["a", 1, 4], ["b", 2, 4]], 10, []],
  [[["a", 1, 4], ["b", 3, 4], ["c", 2, 4]], 10, ["a"]],
  [[["a", 3, 11], ["b", 2, 1]], 10, ["a", "b"]],
] as [[string, number, number][], number, string[]][])("of %j beyond %d goes %j", (kept, most, want) => {
  expect(beyond(kept.map(([key, at, weight]) => ({ key, at, weight })), most)).toEqual(want);
});

it("keeps nothing that arrives after all was forgotten", () => {
  const done: string[] = [];
  const store = { write: (name: string) => done.push(`write ${name}`), clear: (name: string) => done.push(`clear ${name}`) };
  const seen = new Seen(store as unknown as LocalStore, "ann");
  seen.rows([{ id: "1" } as Image]);
  seen.clear();
  const then = done.length;
  seen.rows([{ id: "2" } as Image]);
  seen.picture("2", "file", new Blob());
  seen.schema({ version: 1, labels: [] } as never);
  seen.snapshot("2", {} as never);
  expect(done.slice(0, 1)).toEqual(["write rows"]);
  expect(done.slice(then)).toEqual([]);
});
