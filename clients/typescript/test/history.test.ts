import { beforeEach, describe, expect, it } from "vitest";
import { History, patched, type Annotation, type Op, type Plan } from "../src/index.js";

/** An image that applies ops as the server does, without a base's race. */
class Board {
  readonly view = new Map<string, Annotation>();

  apply(by: string, ops: Op[]): void {
    for (const op of ops) {
      const now = this.view.get(op.id);
      if (op.k === "del") {
        this.view.delete(op.id);
      } else if (op.k === "patch") {
        this.view.set(op.id, { ...patched(now!, op.set), confidence: op.set.confidence ?? now!.confidence, updated_by: by, rev: now!.rev + 1 });
      } else {
        const at = "2026-01-01T00:00:00.000Z";
        const server = { id: op.id, image_id: "i", created_by: by, created_at: at, updated_by: by, updated_at: at, rev: 1 };
        this.view.set(op.id, { confidence: null, ...op.annotation, ...server } as Annotation);
      }
    }
  }
}

const draft = { label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2 };
const moved = { x: 0.5, y: 0.1, width: 0.2, height: 0.2 };

let board: Board;
let history: History;
beforeEach(() => {
  board = new Board();
  history = new History();
});

function act(...ops: Op[]): void {
  history.record(board.view, ops);
  board.apply("ann", ops);
}

function run(plan: Plan | null): Plan {
  board.apply("ann", plan!.ops);
  return plan!;
}

describe("undo", () => {
  it("takes back and does again, naming the rev it was decided on", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: moved });
    expect(run(history.undo(board.view)).ops).toEqual([{ k: "patch", id: "a", set: { x: 0.1, y: 0.1, width: 0.2, height: 0.2 }, base: 2 }]);
    expect(run(history.redo(board.view)).ops).toEqual([{ k: "patch", id: "a", set: moved, base: 3 }]);
    run(history.undo(board.view));
    expect(run(history.undo(board.view)).ops).toEqual([{ k: "del", id: "a", base: 5 }]);
    expect(history.undo(board.view)).toBeNull();
  });

  it("takes drawing and naming for one deed", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: { label: "mug" } });
    run(history.undo(board.view));
    expect(board.view.size).toBe(0);
    run(history.redo(board.view));
    expect([...board.view.values()][0]!.label).toBe("mug");
  });

  it("leaves alone what another has changed since, and says whose it is", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: moved });
    board.apply("bob", [{ k: "patch", id: "a", set: { ...moved, x: 0.7 } }]);
    expect(history.undo(board.view)).toEqual({ ops: [], kept: [{ id: "a", by: "bob" }] });
    expect(history.undo(board.view)).toEqual({ ops: [], kept: [{ id: "a", by: "bob" }] });
    expect(history.canRedo).toBe(false);
  });

  it("takes back a move under another's new label", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: moved });
    board.apply("bob", [{ k: "patch", id: "a", set: { label: "mug" } }]);
    run(history.undo(board.view));
    expect(board.view.get("a")).toMatchObject({ x: 0.1, label: "mug" });
  });

  it("takes back one attribute and leaves those of others", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: { attributes: { age: 3 } } });
    board.apply("bob", [{ k: "patch", id: "a", set: { attributes: { fur: "short" } } }]);
    expect(run(history.undo(board.view)).ops).toEqual([{ k: "patch", id: "a", set: { attributes: { age: null } }, base: 3 }]);
    expect(board.view.get("a")!.attributes).toEqual({ fur: "short" });
    expect(history.undo(board.view), "bob has worked on it").toEqual({ ops: [], kept: [{ id: "a", by: "ann" }] });
  });

  it("brings a deleted box back under a new id that older deeds follow", () => {
    act({ k: "put", id: "a", annotation: draft });
    act({ k: "patch", id: "a", set: moved });
    act({ k: "del", id: "a" });
    const [put] = run(history.undo(board.view)).ops;
    expect(put).toMatchObject({ k: "put", annotation: { label: "cup", x: 0.5 } });
    expect(put!.id).not.toBe("a");
    expect(run(history.undo(board.view)).ops).toMatchObject([{ k: "patch", id: put!.id, set: { x: 0.1 } }]);
  });

  it("does what it can of a deed with several boxes", () => {
    act({ k: "put", id: "a", annotation: draft }, { k: "put", id: "b", annotation: draft });
    board.apply("bob", [{ k: "del", id: "b" }]);
    expect(run(history.undo(board.view))).toEqual({ ops: [{ k: "del", id: "a", base: 1 }], kept: [{ id: "b", by: null }] });
  });

  it("forgets what was refused, and what was undone once something new is done", () => {
    act({ k: "put", id: "a", annotation: draft });
    history.forget(new Set(["a"]));
    expect(history.canUndo).toBe(false);
    act({ k: "put", id: "b", annotation: draft });
    run(history.undo(board.view));
    act({ k: "put", id: "c", annotation: draft });
    expect(history.canRedo).toBe(false);
  });
});
