import { describe, expect, it } from "vitest";
import { MemoryStorage, type Annotation, type Change, type OpsFrame } from "../src/index.js";
import type { Welcome } from "../src/protocol.js";
import { Work, type Rejection } from "../src/work.js";

const id = (n: number) => String(n).padStart(32, "0");
const box = (n: number, more: Partial<Annotation> = {}) =>
  ({ id: id(n), image_id: id(0), label: "cup", x: 0.1, y: 0.1, width: 0.1, height: 0.1, confidence: null, created_by: "bob", updated_by: "bob", rev: 1, ...more }) as Annotation;
const welcome = (more: Partial<Welcome> = {}) => ({ t: "welcome", conn: "1", epoch: "e", ver: 1, recovered: false, known: false, role: "annotator", last_seq: 0, last_message: "", peers: null, ...more }) as Welcome;
const version = (ver: number, ...annotations: Annotation[]): OpsFrame => ({ t: "ops", ver, by: "bob", at: "", ops: annotations.map((annotation) => ({ k: "put", id: annotation.id, annotation })) }) as unknown as OpsFrame;

function loaded(...annotations: Annotation[]) {
  const changes: Change[] = [];
  const rejections: Rejection[] = [];
  const work = new Work(
    { image: id(0), user: "ann", client: "c", storage: new MemoryStorage() },
    { changed: (change) => changes.push(change), rejected: (rejection) => rejections.push(rejection) },
  );
  work.welcome(welcome());
  work.snap({ t: "snap", i: 0, last: true, ver: 1, annotations });
  return { work, changes, rejections, label: (n: number) => work.annotations.get(id(n))?.label };
}

const name = (n: number, label: string) => [{ k: "patch" as const, id: id(n), set: { label } }];

describe("an image as it is shown", () => {
  it("has nothing to send before it knows what happened meanwhile", () => {
    const { work } = loaded(box(1));
    work.dropped();
    work.add(name(1, "mug"));
    work.welcome(welcome({ recovered: true, ver: 2 }));
    work.caughtUp();
    expect(work.take()).toBeUndefined();
    work.ops(version(2, box(2)), false);
    expect(work.take()).toMatchObject({ seq: 1, ops: name(1, "mug") });
  });

  it("hands back an edit that others have overtaken, and shows theirs", () => {
    const { work, rejections, label } = loaded(box(1));
    work.dropped();
    work.add(name(1, "mug"));
    expect(label(1)).toBe("mug");
    work.welcome(welcome({ recovered: true, ver: 2 }));
    work.ops(version(2, box(1, { label: "bowl", rev: 2 })), false);
    expect(label(1)).toBe("bowl");
    expect(rejections.map(({ code, ops }) => [code, ops])).toEqual([["conflict", name(1, "mug")]]);
    expect([work.pending, work.take()]).toEqual([0, undefined]);
  });

  it.each([
    [1, "known"],
    [2, "applied"],
    [3, "gap"],
  ] as const)("takes version %i after 1 as %s", (ver, want) => {
    const { work } = loaded(box(1));
    expect(work.ops(version(ver, box(2)), false)).toBe(want);
    expect(work.annotations.size).toBe(want === "applied" ? 2 : 1);
  });

  it("counts what comes back of its own as an answer", () => {
    const { work, label } = loaded(box(1));
    work.add(name(1, "mug"));
    work.take();
    expect(work.unsettled([id(1)])).toBe(true);
    work.ops({ ...version(2, box(1, { label: "mug", rev: 2 })), seq: 1 }, true);
    expect([work.pending, work.unsettled([id(1)]), label(1)]).toEqual([0, false, "mug"]);
  });

  it("sends a temporary refusal and what was behind it once more, in order", () => {
    const { work } = loaded(box(1));
    work.add(name(1, "mug"));
    work.add(name(1, "bowl"));
    expect([work.take()?.seq, work.take()?.seq, work.take()]).toEqual([1, 2, undefined]);
    expect(work.rej({ t: "rej", seq: 1, code: "unavailable", message: "", temporary: true })).toBe("again");
    expect([work.take()?.seq, work.take()?.seq]).toEqual([1, 2]);
  });

  it("is astray when a server waits for what was numbered before", () => {
    const { work } = loaded(box(1));
    work.welcome(welcome({ recovered: true, ver: 1, last_seq: 4 }));
    work.caughtUp();
    work.add(name(1, "mug"));
    expect(work.take()?.seq).toBe(5);
    expect(work.rej({ t: "rej", seq: 5, code: "gap", message: "", temporary: true, expected: 3 })).toBe("astray");
  });

  it("takes a refusal back, and says so", () => {
    const { work, rejections, label } = loaded(box(1));
    work.add(name(1, "mug"));
    work.take();
    expect(work.rej({ t: "rej", seq: 1, code: "invalid", message: "no", temporary: false })).toBe("settled");
    expect([label(1), rejections[0]?.was[id(1)]?.label]).toEqual(["cup", "cup"]);
  });

  it("keeps half a snapshot to itself", () => {
    const { work } = loaded(box(1));
    work.dropped();
    work.welcome(welcome({ ver: 3 }));
    expect(work.snap({ t: "snap", i: 0, last: false, ver: 3, annotations: [box(2)] })).toBe(false);
    work.dropped();
    expect([...work.annotations.keys()]).toEqual([id(1)]);
    expect(work.since).toBeNull();
  });

  it("refuses a transaction that no server would read", () => {
    const { work } = loaded();
    expect(() => work.add([])).toThrow(RangeError);
    expect(() => work.add([{ k: "patch", id: id(1), set: { label: "x".repeat(2e6) } }])).toThrow(RangeError);
    expect(work.pending).toBe(0);
  });
});
