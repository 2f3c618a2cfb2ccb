import { expect, it } from "vitest";
import { beyond } from "../src/offline/seen";

it.each([
  [[], 10, []],
  [[["a", 1, 4], ["b", 2, 4]], 10, []],
  [[["a", 1, 4], ["b", 3, 4], ["c", 2, 4]], 10, ["a"]],
  [[["a", 3, 11], ["b", 2, 1]], 10, ["a", "b"]],
] as [[string, number, number][], number, string[]][])("of %j beyond %d goes %j", (kept, most, want) => {
  expect(beyond(kept.map(([key, at, weight]) => ({ key, at, weight })), most)).toEqual(want);
});
