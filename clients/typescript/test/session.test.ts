import { beforeEach, describe, expect, it } from "vitest";
import { Clock } from "./clock.js";
import { FakeImage, type FakeConnection } from "./fake-image.mjs";
import { Session, type OutboxStorage, type Rejection, type Saved, type SessionOptions, type Socket } from "../src/index.js";
import { onClose } from "../src/protocol.js";

class Wire implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  connection: FakeConnection | null = null;

  send(text: string): void {
    this.connection?.receive(JSON.parse(text));
  }

  close(): void {
    this.connection?.gone();
    this.connection = null;
  }
}

class World {
  readonly clock = new Clock();
  readonly image = new FakeImage("0".repeat(32));
  readonly disk = new Map<string, Saved>();
  readonly protocols: string[][] = [];
  wires: Wire[] = [];
  reachable = true;
  found: Awaited<ReturnType<SessionOptions["probe"]>> = "unreachable";

  storage(user: string): OutboxStorage {
    return {
      load: (client) => structuredClone(this.disk.get(`${user}/${client}`) ?? null),
      save: (client, saved) => {
        if (saved) {
          this.disk.set(`${user}/${client}`, structuredClone(saved));
        } else {
          this.disk.delete(`${user}/${client}`);
        }
      },
    };
  }

  session(user: string, client: string): Session {
    const session = new Session({
      image: this.image.id,
      user,
      url: "ws://node/live",
      token: () => `token-of-${user}`,
      client,
      storage: this.storage(user),
      random: () => 0.5,
      setTimeout: this.clock.setTimeout,
      clearTimeout: this.clock.clearTimeout,
      probe: () => Promise.resolve(this.found),
      connect: (_, protocols) => this.connect(user, protocols),
    });
    return session;
  }

  connect(user: string, protocols: string[]): Socket {
    this.protocols.push(protocols);
    const wire = new Wire();
    this.wires.push(wire);
    queueMicrotask(() => {
      if (!this.reachable) {
        wire.onclose?.({ code: 1006, reason: "" });
        return;
      }
      wire.connection = this.image.connect(
        user,
        (frame) => wire.onmessage?.({ data: JSON.stringify(frame) }),
        (code) => wire.onclose?.({ code, reason: "" }),
      );
      wire.onopen?.();
    });
    return wire;
  }

  /** Cuts every connection, as a killed server does. */
  cut(code = 1006): void {
    for (const c of [...this.image.connections]) {
      c.close(code);
    }
  }

  /** Lets time pass, and what is due happen. */
  async settle(ms = 0): Promise<void> {
    const step = 250; // less than any time-out
    for (let left = ms; ; left -= step) {
      for (let i = 0; i < 5; i++) {
        await Promise.resolve();
      }
      if (left <= 0) {
        return;
      }
      this.clock.advance(Math.min(left, step));
    }
  }
}

const box = (x = 0.1, label = "cat") => ({ label, x, y: 0.1, width: 0.2, height: 0.2 });

let world: World;
beforeEach(() => {
  world = new World();
});

const labels = (s: Session) => [...s.annotations.values()].map((a) => a.label).sort();

describe("together", () => {
  it("offers the protocol and the token, and says hello first", async () => {
    const ann = world.session("ann", "tab-1");
    ann.start();
    await world.settle();
    expect(world.protocols).toEqual([["easel.v1", "bearer.token-of-ann"]]);
    expect([...world.image.connections][0]!.received[0]).toEqual({ t: "hello", client: "tab-1" });
    expect(ann.status).toEqual({ phase: "live", pending: 0, stop: null });
  });

  it("shows an edit at once, and to the others when it is durable", async () => {
    const [ann, bob] = [world.session("ann", "a"), world.session("bob", "b")];
    ann.start();
    bob.start();
    const id = ann.put(box());
    expect(ann.annotations.get(id)?.rev).toBe(0);
    expect(ann.status.pending).toBe(1);
    await world.settle();
    expect(bob.annotations.get(id)?.created_by).toBe("ann");
    expect(ann.annotations.get(id)?.rev).toBe(1);
    bob.patch(id, { x: 0.5 });
    await world.settle();
    expect(ann.annotations.get(id)?.x).toBe(0.5);
    bob.remove(id);
    await world.settle();
    expect(ann.annotations.size).toBe(0);
    expect([ann.status.pending, bob.status.pending]).toEqual([0, 0]);
  });

  it("knows who is there, and forgets who left", async () => {
    const [ann, bob] = [world.session("ann", "a"), world.session("bob", "b")];
    ann.start();
    await world.settle();
    bob.start();
    await world.settle();
    bob.presence({ cursor: [0.3, 0.4] });
    await world.settle();
    expect([...ann.peers.values()].map((p) => [p.user, p.state.cursor])).toEqual([["bob", [0.3, 0.4]]]);
    expect([...bob.peers.values()].map((p) => p.user)).toEqual(["ann"]);
    bob.stop();
    await world.settle();
    expect(ann.peers.size).toBe(0);
  });

  it("sends the newest cursor only, at most 20 times a second", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    for (let i = 0; i < 100; i++) {
      ann.presence({ cursor: [i / 100, 0] });
      await world.settle(10);
    }
    await world.settle(100);
    const sent = [...world.image.connections][0]!.received.filter((f) => f.t === "pres");
    expect(sent.length).toBeLessThanOrEqual(21);
    expect(sent.at(-1).state.cursor).toEqual([0.99, 0]);
  });
});

describe("connections that are lost", () => {
  it("keeps what was drawn meanwhile, and sends it once", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    ann.put(box(0.1, "before"));
    await world.settle();
    world.reachable = false;
    world.cut();
    ann.put(box(0.2, "offline 1"));
    ann.put(box(0.3, "offline 2"));
    expect(ann.status).toEqual({ phase: "waiting", pending: 2, stop: null });
    await world.settle(60_000);
    world.reachable = true;
    await world.settle(20_000);
    expect(ann.status).toEqual({ phase: "live", pending: 0, stop: null });
    expect(world.image.applied).toBe(3);
    expect(labels(ann)).toEqual(["before", "offline 1", "offline 2"]);
  });

  it("sends what was drawn in an offline hour once, over a reload", async () => {
    const first = world.session("ann", "a");
    first.start();
    await world.settle();
    world.reachable = false;
    world.cut();
    for (let i = 0; i < 150; i++) {
      first.put(box(i / 1000, `offline ${i}`));
    }
    first.stop();
    const second = world.session("ann", "a");
    second.start();
    expect(second.status.pending).toBe(150);
    world.reachable = true;
    await world.settle(60_000);
    expect(second.status).toEqual({ phase: "live", pending: 0, stop: null });
    expect([world.image.applied, world.image.annotations.size]).toEqual([150, 150]);
    expect(world.disk.size).toBe(0);
  });

  it("hands back what others changed meanwhile, and sends the rest without a gap", async () => {
    const ann = world.session("ann", "a");
    const rejected: Rejection[] = [];
    ann.on("rejected", (r) => rejected.push(r));
    ann.start();
    await world.settle();
    const [moved, other] = [ann.put(box(0.1, "moved")), ann.put(box(0.2, "other"))];
    await world.settle();
    world.reachable = false;
    world.cut();
    const place = (x: number) => ({ x, y: 0.5, width: 0.1, height: 0.1 });
    ann.patch(moved, place(0.6));
    ann.patch(other, place(0.7));
    world.image.write("bob", [{ k: "patch", id: moved, set: place(0.3) }]);
    world.reachable = true;
    await world.settle(60_000);
    expect(rejected.map((r) => [r.code, r.ops[0]!.id])).toEqual([["conflict", moved]]);
    expect(ann.annotations.get(moved)!.x).toBe(0.3);
    expect(world.image.annotations.get(other).x).toBe(0.7);
    expect(ann.status.pending).toBe(0);
  });

  it("resumes from its version instead of loading everything again", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    world.cut();
    world.image.write("bob", [{ k: "put", id: "f".repeat(32), annotation: box() }]);
    await world.settle(1_000);
    const [hello] = [...world.image.connections][0]!.received;
    expect(hello.since).toEqual({ epoch: "epoch-1", ver: 0 });
    expect(ann.annotations.size).toBe(1);
  });

  it("starts over with a snapshot when history was cut", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    ann.put(box());
    await world.settle();
    world.image.epoch = "epoch-2";
    world.image.annotations = new Map();
    world.cut();
    await world.settle(1_000);
    expect(ann.annotations.size).toBe(0);
    expect(ann.status.phase).toBe("live");
  });

  it("repeats an op whose ack was lost without a second effect", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    world.image.intercept = (frame) => {
      // Applied and stored, but the connection dies before the answer.
      world.image.intercept = null;
      const c = [...world.image.connections][0]!;
      const send = c.send;
      c.send = () => {};
      c.op(frame);
      c.send = send;
      world.cut();
      return "silence";
    };
    ann.put(box());
    expect(ann.status.pending).toBe(1);
    await world.settle(5_000);
    expect(ann.status.pending).toBe(0);
    expect(world.image.applied).toBe(1);
    expect(ann.annotations.size).toBe(1);
  });

  it("backs off, and comes back at once when it is nudged", async () => {
    world.reachable = false;
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle(60_000);
    for (let i = 0; i < 30; i++) {
      await world.settle(10_000);
    }
    const attempts = world.wires.length;
    expect(attempts).toBeLessThan(60);
    world.reachable = true;
    ann.nudge();
    await world.settle();
    expect(ann.status.phase).toBe("live");
  });

  it("notices a connection on which nothing arrives any more", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    const dead = [...world.image.connections][0]!;
    dead.receive = () => {};
    await world.settle(30_000);
    await world.settle(5_000);
    expect(ann.status.phase).toBe("live");
    expect(world.wires.length).toBe(2);
  });

  it("follows a bye to wherever the server is next", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    [...world.image.connections][0]!.send({ t: "bye", reason: "draining", after_ms: 1000 });
    expect(ann.status.phase).toBe("waiting");
    await world.settle(900);
    expect(world.wires.length).toBe(1);
    await world.settle(1_000);
    expect(ann.status.phase).toBe("live");
  });
});

describe("reloads", () => {
  it("shows and sends what an earlier page did not get through", async () => {
    world.reachable = false;
    const before = world.session("ann", "a");
    before.start();
    before.put(box(0.1, "kept"));
    before.stop();
    const after = world.session("ann", "a");
    after.start();
    expect(labels(after)).toEqual(["kept"]);
    world.reachable = true;
    await world.settle(20_000);
    expect(world.image.applied).toBe(1);
    expect(world.disk.size).toBe(0);
  });

  it("numbers new edits after those that the server remembers", async () => {
    const before = world.session("ann", "a");
    before.start();
    await world.settle();
    before.put(box(0.1, "one"));
    before.put(box(0.2, "two"));
    await world.settle();
    before.stop();
    const after = world.session("ann", "a");
    after.start();
    after.put(box(0.3, "three")); // numbered 1 until the welcome
    await world.settle();
    expect(labels(after)).toEqual(["one", "three", "two"]);
    expect(after.status.pending).toBe(0);
  });

  it("starts at 1 again when the server has forgotten the client", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    ann.put(box(0.1, "one"));
    await world.settle();
    world.image.intercept = () => "silence";
    ann.put(box(0.2, "two"));
    world.image.intercept = null;
    world.image.verdicts.clear();
    world.cut();
    await world.settle(1_000);
    expect(ann.status.pending).toBe(0);
    expect(labels(ann)).toEqual(["one", "two"]);
  });
});

describe("refusals", () => {
  it("takes back what was refused, and says so", async () => {
    const ann = world.session("ann", "a");
    const rejections: Rejection[] = [];
    ann.on("rejected", (r) => rejections.push(r));
    ann.start();
    await world.settle();
    const id = ann.put(box(0.1));
    await world.settle();
    world.image.intercept = (f) => ({ t: "rej", seq: f.seq, code: "invalid", message: "too wide", temporary: false });
    ann.patch(id, { x: 0.7 });
    expect(rejections.map((r) => r.code)).toEqual(["invalid"]);
    expect(ann.annotations.get(id)?.x).toBe(0.1);
    expect(ann.status.pending).toBe(0);
  });

  it("repeats in order what was refused for now", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    let times = 0;
    world.image.intercept = (f) =>
      f.seq === 1 && times++ < 1 ? { t: "rej", seq: 1, code: "rate_limited", message: "slower", temporary: true } : null;
    for (let i = 0; i < 5; i++) {
      ann.put(box(0.1, `box ${i}`));
    }
    expect(ann.status.pending).toBe(5);
    await world.settle(5_000);
    expect(ann.status.pending).toBe(0);
    expect(world.image.log.map((b) => b.ops[0].annotation.label)).toEqual([0, 1, 2, 3, 4].map((i) => `box ${i}`));
  });

  it("leaves at most 32 frames unanswered", async () => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    world.image.intercept = () => "silence";
    for (let i = 0; i < 100; i++) {
      ann.put(box());
    }
    expect([...world.image.connections][0]!.received.filter((f) => f.t === "op").length).toBe(32);
    world.image.intercept = null;
    world.cut();
    await world.settle(2_000);
    expect(ann.status.pending).toBe(0);
    expect(world.image.applied).toBe(100);
  });

  it("refuses a transaction that no server would read", () => {
    const ann = world.session("ann", "a");
    expect(() => ann.commit([])).toThrow(RangeError);
    const ops = Array.from({ length: 500 }, (_, i) => ({ k: "put" as const, id: `${i}`.padStart(32, "0"), annotation: box(0.1, "é".repeat(100)) }));
    expect(() => ann.commit(ops)).toThrow(RangeError);
    expect(() => ann.commit(ops.slice(0, 100))).not.toThrow();
  });

  it("goes on under a new client id when a copy of it took the old one", async () => {
    const [one, two] = [world.session("ann", "a"), world.session("ann", "a")];
    one.start();
    await world.settle();
    two.start();
    await world.settle(1_000);
    one.put(box(0.1, "one"));
    two.put(box(0.2, "two"));
    await world.settle(1_000);
    expect([one.status.phase, two.status.phase]).toEqual(["live", "live"]);
    expect(labels(one)).toEqual(["one", "two"]);
    expect(labels(two)).toEqual(["one", "two"]);
    expect(new Set([...world.image.connections].map((c) => c.client)).size).toBe(2);
  });

  it.each([
    [4400, "refused"],
    [4401, "unauthenticated"],
    [4403, "forbidden"],
    [4404, "missing"],
    [4426, "outdated"],
    [4429, "quota"],
    [1009, "refused"],
  ] as const)("stops at close code %d: %s", async (code, reason) => {
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    world.cut(code);
    await world.settle(60_000);
    expect(ann.status.phase).toBe("stopped");
    expect(ann.status.stop).toBe(reason);
    expect(world.wires.length).toBe(1);
    ann.nudge();
    await world.settle(1_000);
    expect(world.wires.length).toBe(1);
    ann.authenticate("another token"); // something has changed
    await world.settle();
    expect(ann.status.phase).toBe("live");
  });

  it.each([1000, 1001, 1006, 1011, 4500, 4503, 4508, 4510, 4512])("comes back after close code %d", async (code) => {
    expect(onClose(code)).toBe("retry");
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle();
    world.cut(code);
    await world.settle(1_000);
    expect(ann.status.phase).toBe("live");
  });

  it("asks why a socket never opened", async () => {
    world.reachable = false;
    world.found = "missing";
    const ann = world.session("ann", "a");
    ann.start();
    await world.settle(60_000);
    expect(ann.status.stop).toBe("missing");
    expect(world.wires.length).toBe(1);
  });
});

describe("any interleaving", () => {
  it("ends with every replica equal to the image, and nothing applied twice", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      world = new World();
      let state = seed;
      const random = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      const people = ["ann", "bob", "cy"].map((user) => world.session(user, `tab-of-${user}`));
      people.forEach((p) => p.start());
      let edits = 0;
      for (let step = 0; step < 120; step++) {
        const p = people[Math.floor(random() * people.length)]!;
        const ids = [...p.annotations.keys()];
        const id = ids[Math.floor(random() * ids.length)];
        const dice = random();
        if (dice < 0.35) {
          p.put(box(random() * 0.5));
          edits++;
        } else if (dice < 0.6 && id) {
          p.patch(id, { x: random() * 0.5 });
        } else if (dice < 0.7 && id) {
          p.remove(id);
        } else if (dice < 0.78) {
          world.cut(random() < 0.5 ? 1006 : 4503);
        } else if (dice < 0.84) {
          world.reachable = !world.reachable;
        } else {
          await world.settle(Math.floor(random() * 2_000));
        }
      }
      world.reachable = true;
      for (let i = 0; i < 20; i++) {
        await world.settle(3_000);
      }
      const want = [...world.image.annotations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      for (const p of people) {
        expect(p.status.pending, `seed ${seed}`).toBe(0);
        const got = [...p.annotations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(got, `seed ${seed}`).toEqual(want);
      }
      const puts = world.image.log.flatMap((b) => b.ops).filter((e) => e.k === "put");
      expect(puts.length, `seed ${seed}`).toBe(edits);
      expect(world.disk.size).toBe(0);
    }
  });
});
