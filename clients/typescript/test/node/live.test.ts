import { describe, expect, it } from "vitest";
import { live, MemoryStorage, newID, type Op, type Session } from "../../src/index.js";
import { aNode, pixel } from "./world.js";

const cup = { label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2 };

/** Resolves when the view of a session shows a fact. */
function shows(session: Session, fact: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => fact() && (leave(), resolve());
    const leave = session.on("change", look);
    look();
  });
}

describe.skipIf(!process.env.EASEL_BIN || typeof WebSocket === "undefined")("the live socket of a real node", () => {
  const node = aNode();

  it("shows everyone the same, and every op once, over a crash of the node", async () => {
    const rest = await node.rest("ann");
    const { id } = await rest.upload(pixel);
    const ann = live(rest, id, { name: "Ann" });
    const bob = live(await node.rest("bob"), id, { name: "Bob" });
    await Promise.all([ann.ready(), bob.ready()]);
    const first = ann.put(cup);
    await shows(bob, () => bob.annotations.has(first));

    await node.it.kill();
    const ids = Array.from({ length: 500 }, () => ann.put(cup)); // while nobody is there
    bob.patch(first, { label: "mug" });
    await node.it.again();
    await Promise.all([ann.saved(), bob.saved()]);

    await shows(bob, () => bob.annotations.size === 501);
    await shows(ann, () => ann.annotations.get(first)?.label === "mug");
    const puts = (await rest.ops(id, 0)).flatMap((deed) => deed.ops).filter((op) => op.k === "put");
    expect(puts.map((op) => op.id)).toEqual([first, ...ids]);
    expect(ann.status.pending).toBe(0);
    ann.stop();
    bob.stop();
  });

  it("sends what an earlier session left, under the same numbers", async () => {
    const rest = await node.rest("ann");
    const { id } = await rest.upload(pixel);
    const storage = new MemoryStorage();
    const client = newID();
    const earlier = live(rest, id, { client, storage });
    await earlier.ready();
    const mine = earlier.put(cup);
    earlier.stop(); // before the answer
    const later = live(rest, id, { client, storage });
    await later.saved();
    await later.ready();
    expect([...later.annotations.keys()]).toEqual([mine]);
    expect((await rest.ops(id, 0)).length).toBe(1);
    later.stop();
  });

  it("says why an edit was refused, and takes it back", async () => {
    const rest = await node.rest("ann");
    const { id } = await rest.upload(pixel);
    const session = live(rest, id);
    await session.ready();
    const refused: Op[] = [];
    session.on("rejected", (rejection) => refused.push(...rejection.ops));
    session.put({ ...cup, label: "" });
    await session.saved();
    expect(refused).toHaveLength(1);
    expect(session.annotations.size).toBe(0);
    session.stop();
    await expect(session.ready()).rejects.toThrow("stopped");
  });

  it("stops where nothing can be had", async () => {
    await expect(live(await node.rest("ann"), newID()).ready()).rejects.toThrow("missing");
  });
});
