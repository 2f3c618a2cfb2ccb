import { describe, expect, it } from "vitest";
import type { Annotation } from "@easelhq/client";
import { ALL, Visible, wants, type Wanted } from "../src/editor/filter";
import { sureness } from "../src/editor/paint";
import { part, surestFirst } from "../src/editor/proposals";

const one = (id: string, over: Partial<Annotation> = {}) => ({ id, label: "cup", created_by: "ann", confidence: null, ...over }) as Annotation;
const map = (...all: Annotation[]) => new Map(all.map((a) => [a.id, a]));

describe("what is wanted", () => {
  const a = one("a", { confidence: 0.5 });
  it.each<[Partial<Wanted>, Partial<Annotation>, boolean]>([
    [{}, {}, true],
    [{ label: "cup" }, {}, true],
    [{ label: "cu" }, {}, false],
    [{ person: "bob" }, {}, false],
    [{ text: "an" }, {}, true],
    [{ text: "cup a" }, {}, true],
    [{ text: "bob" }, {}, false],
    [{ confidence: 0.5 }, {}, true],
    [{ confidence: 0.6 }, {}, false],
    [{ confidence: 0.1 }, { confidence: null }, false],
    [{ proposals: false }, {}, true],
    [{ proposals: false }, { source: "model" }, false],
  ])("%j", (w, over, want) => expect(wants({ ...ALL, ...w }, { ...a, ...over })).toBe(want));
});

describe("what is visible", () => {
  const [cup, plate] = [one("a"), one("b", { label: "plate" })];

  it("is everything without a filter", () => {
    const all = map(cup, plate);
    expect(new Visible().of(all)).toBe(all);
  });

  it("changes with what is wanted", () => {
    const [visible, all] = [new Visible(), map(cup, plate)];
    expect(visible.want({ ...ALL, label: "cup" }, all)).toEqual({ upserted: [], removed: ["b"] });
    expect([...visible.of(all).keys()]).toEqual(["a"]);
    expect(visible.want({ ...ALL, label: "plate" }, all)).toEqual({ upserted: [plate], removed: ["a"] });
    expect(visible.want(ALL, all)).toEqual({ upserted: [cup], removed: [] });
  });

  it("follows edits into sight and out of it", () => {
    const [visible, all] = [new Visible(), map(cup, plate)];
    visible.want({ ...ALL, label: "cup" }, all);
    const [renamed, other] = [{ ...cup, label: "mug" }, { ...plate, label: "cup" }];
    expect(visible.take({ upserted: [renamed, other], removed: [] })).toEqual({ upserted: [other], removed: ["a"] });
    expect(visible.take({ upserted: [renamed], removed: ["b"] })).toEqual({ upserted: [], removed: ["b"] });
  });

  it("keeps what was just drawn, until something else is wanted", () => {
    const [visible, all] = [new Visible(), map(cup)];
    visible.want({ ...ALL, label: "cup" }, all);
    visible.pin("b");
    expect(visible.take({ upserted: [plate], removed: [] }).upserted).toEqual([plate]);
    all.set("b", plate);
    expect(visible.want({ ...ALL, person: "ann", label: "cup" }, all).removed).toEqual(["b"]);
  });
});

describe("predictions", () => {
  const [sure, unsure, silent] = [one("a", { confidence: 0.9 }), one("b", { confidence: 0.2 }), one("c")];

  it("are parted by a threshold, which says nothing of those that say nothing", () => {
    expect(part([sure, unsure, silent], 0.9)).toEqual({ sure: [sure], unsure: [unsure] });
    expect(part([sure, unsure, silent], 0)).toEqual({ sure: [sure, unsure], unsure: [] });
  });

  it("are listed with the surest first", () => {
    expect(surestFirst([silent, unsure, sure])).toEqual([sure, unsure, silent]);
  });

  it("have colours that tell how sure they are", () => {
    expect(new Set([0, 0.3, 0.5, 0.7, 1, null].map(sureness)).size).toBe(6);
    expect(sureness(0.99)).toBe(sureness(1));
  });
});
