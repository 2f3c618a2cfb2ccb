import { expect, it } from "vitest";
import type { LabelSchema } from "@easelhq/client";
import { colorOf, inkOn } from "../src/colors";
import { Labels } from "../src/labels";

const schema = (version: number, open: boolean): LabelSchema => ({
  version,
  open,
  labels: [{ name: "cat", color: "#00ff00", key: "1" }, { name: "dog" }],
  updated_by: "eve",
  updated_at: null,
});

async function labels(answer: () => Promise<LabelSchema>): Promise<Labels> {
  const all = new Labels({ schema: answer });
  await all.refresh();
  return all;
}

it("gives the schema's colours and keys, and words their own", async () => {
  const all = await labels(async () => schema(1, true));
  expect(["cat", "dog", "cup"].map((name) => all.color(name))).toEqual(["#00ff00", colorOf("dog"), colorOf("cup")]);
  expect([all.keyOf("cat"), all.keyOf("dog"), all.chosenBy("1"), all.chosenBy("2")]).toEqual(["1", "", "cat", undefined]);
  expect(["cat", "1", "2"].map((text) => all.meant(text))).toEqual(["cat", "cat", "2"]);
});

it.each([
  [true, ["cat", "dog", "cup"], false],
  [false, ["cat", "dog"], true],
])("offers others only where they are welcome: %j", async (open, offered, unwanted) => {
  const all = await labels(async () => schema(1, open));
  expect(all.offer(["cup", "cat"])).toEqual(offered);
  expect([all.unwanted("cup"), all.unwanted("cat")]).toEqual([unwanted, false]);
});

it("goes on with what it has when nobody answers, and with nothing else before", async () => {
  const all = await labels(() => Promise.reject(new Error("unreachable")));
  expect([all.offer(["cup"]), all.unwanted("cup"), all.color("cup")]).toEqual([["cup"], false, colorOf("cup")]);
});

it("tells of a newer schema, and does not go back", async () => {
  const all = await labels(async () => schema(2, false));
  const heard: number[] = [];
  all.on("change", ({ version }) => heard.push(version));
  [2, 1, 3].forEach((version) => all.take(schema(version, true)));
  expect(heard).toEqual([3]);
});

it.each([
  ["#ffff00", "#000"],
  ["#00ff00", "#000"],
  ["#1d4b9e", "#fff"],
  ["#000000", "#fff"],
])("writes on %s in %s", (color, ink) => expect(inkOn(color)).toBe(ink));
