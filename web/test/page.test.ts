import { describe, expect, it } from "vitest";
import { mayManage } from "../src/roles";
import { parseSearch } from "../src/search";
import { resolveTheme } from "../src/theme";

describe("search", () => {
  it.each([
    ["", {}],
    ["dog.jpg", { filename: "dog.jpg" }],
    ["label:cup", { label: "cup" }],
    ["living Label:cup  room", { filename: "living room", label: "cup" }],
    ['label:"coffee cup" x', { filename: "x", label: "coffee cup" }],
    ['label:"still typ', { label: "still typ" }],
    ["label:", {}],
    ["mylabel:x", { filename: "mylabel:x" }],
    ["by:ann dog label:cup", { filename: "dog", label: "cup", uploaded_by: "ann" }],
  ])("reads %j", (text, want) => expect(parseSearch(text)).toEqual({ filename: "", label: "", uploaded_by: "", ...want }));
});

describe("theme", () => {
  it.each([
    [null, true, "dark"],
    [null, false, "light"],
    ["light", true, "light"],
    ["dark", false, "dark"],
    ["nonsense", true, "dark"],
  ] as const)("of choice %j on a system that is dark %j", (chosen, dark, want) => expect(resolveTheme(chosen, dark)).toBe(want));
});

describe("an image's name and existence", () => {
  it.each([
    ["owner", "bob", true],
    ["admin", "bob", true],
    ["reviewer", "bob", false],
    ["annotator", "bob", false],
    ["annotator", "ann", true],
    ["viewer", "ann", false],
  ])("are for %s with an image of %s: %j", (role, by, want) => expect(mayManage({ user_id: "ann", role }, { uploaded_by: by })).toBe(want));
});
