import { describe, expect, it } from "vitest";
import { misfit, misfits, problemOf, read, type AttributeDefinition, type Reading } from "../src/attributes";

const size: AttributeDefinition = { name: "size", type: "number", min: 1, max: 40 };
const fur: AttributeDefinition = { name: "fur", type: "select", values: ["short", "long"], required: true };
const ripe: AttributeDefinition = { name: "ripe", type: "boolean" };
const note: AttributeDefinition = { name: "note", type: "text" };

describe("what is put into a field", () => {
  it.each<[string, AttributeDefinition, Reading]>([
    ["12", size, { value: 12 }],
    [" 1.5 ", size, { value: 1.5 }],
    ["1,5", size, { value: 1.5 }],
    ["", size, { value: null }],
    ["41", size, { problem: "This must be from 1 to 40." }],
    ["0", { ...size, max: undefined }, { problem: "This must be at least 1." }],
    ["50", { ...size, min: undefined }, { problem: "This must be at most 40." }],
    ["twelve", size, { problem: "This must be a number." }],
    ["1e999", size, { problem: "This must be a number." }],
    ["long", fur, { value: "long" }],
    ["bald", fur, { problem: "This must be one of short, long." }],
    ["", fur, { problem: "This is required." }],
    ["true", ripe, { value: true }],
    ["false", ripe, { value: false }],
    ["maybe", ripe, { problem: "This must be yes or no." }],
    [" kept as it is ", note, { value: " kept as it is " }],
    ["é".repeat(1000), note, { value: "é".repeat(1000) }],
    ["é".repeat(1001), note, { problem: "This must have at most 1000 characters." }],
  ])("%j", (text, a, want) => expect(read(text, a)).toEqual(want));
});

describe("what does not fit", () => {
  it("is told of values of another schema", () => {
    expect(misfit(99, size)).toBe("This must be from 1 to 40.");
    expect(misfit("12", size)).toBe("This must be a number.");
    expect(misfit(undefined, fur)).toBe("This is required.");
    expect(misfit(undefined, size)).toBe("");
    expect(misfit("short", fur)).toBe("");
  });

  it("is counted", () => {
    expect(misfits(undefined, [size, fur, ripe])).toBe(1);
    expect(misfits({ size: 99, fur: "short", other: 1 }, [size, fur, ripe])).toBe(1);
    expect(misfits({ fur: "long" }, [size, fur])).toBe(0);
  });
});

describe("an attribute of a schema", () => {
  it.each<[string, AttributeDefinition, string[], string]>([
    ["fits", size, ["fur"], ""],
    ["has no name", { ...size, name: "" }, [], "An attribute needs a name of 1 to 64 characters."],
    ["is there twice", size, ["size"], "“size” is there twice."],
    ["has no choices", { ...fur, values: [] }, [], "“fur” needs 1 to 100 choices."],
    ["has a choice twice", { ...fur, values: ["a", "a"] }, [], "A choice of “fur” is there twice."],
    ["has crossed limits", { ...size, min: 41 }, [], "The least of “size” is above its most."],
  ])("that %s", (_, a, others, want) => expect(problemOf(a, others)).toBe(want));
});
