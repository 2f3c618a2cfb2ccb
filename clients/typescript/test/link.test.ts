import { describe, expect, it } from "vitest";
import { Clock } from "./clock.js";
import { Link, type LinkOptions, type Socket } from "../src/link.js";

class Wire implements Socket {
  readonly sent: string[] = [];
  open = true;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  send(text: string): void {
    this.sent.push((JSON.parse(text) as { t: string }).t);
  }

  close(): void {
    this.open = false;
  }

  ends(code: number): void {
    this.onclose?.({ code, reason: "" });
  }
}

function linked(found: Awaited<ReturnType<LinkOptions["probe"]>> = "unreachable") {
  const clock = new Clock();
  const wires: Wire[] = [];
  const told: string[] = [];
  const link = new Link(
    {
      url: "ws://node/live",
      token: () => "token",
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      random: () => 1,
      connect: () => (wires.push(new Wire()), wires.at(-1)!),
      probe: () => Promise.resolve(found),
    },
    {
      hello: () => ({ t: "hello", client: "c" }),
      frame: (frame) => {
        told.push(frame.t);
        if (frame.t === "welcome") {
          link.welcomed("live");
          link.watch();
        }
      },
      dropped: () => told.push("dropped"),
      replaced: () => told.push("replaced"),
      phase: () => told.push(link.phase),
    },
  );
  const says = (t: string) => wires.at(-1)!.onmessage!({ data: JSON.stringify({ t }) });
  const up = () => {
    wires.at(-1)!.onopen!();
    says("welcome");
  };
  return { clock, wires, told, link, says, up };
}

describe("a link", () => {
  it("says hello, and is live when it was welcomed", () => {
    const { link, wires, told, up } = linked();
    link.open();
    up();
    expect(told).toEqual(["dropped", "connecting", "welcome", "live"]);
    expect(wires[0]!.sent).toEqual(["hello", "ping"]);
  });

  it("waits twice as long after each failure, and starts over once it was stable", () => {
    const { link, wires, clock, up } = linked();
    link.open();
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      wires.at(-1)!.onopen!();
      const [made, from] = [wires.length, clock.now];
      wires.at(-1)!.ends(1006);
      while (wires.length === made) {
        clock.advance(1);
      }
      waits.push(clock.now - from);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000]);
    up();
    wires.at(-1)!.onmessage!({ data: '{"t":"pong"}' });
    clock.advance(5_000);
    wires.at(-1)!.ends(1006);
    clock.advance(250);
    expect(wires).toHaveLength(9);
  });

  it("gives a connection up that does not answer a ping", () => {
    const { link, wires, clock, says, up } = linked();
    link.open();
    up();
    says("pong");
    clock.advance(20_000);
    expect(wires[0]!.sent).toEqual(["hello", "ping", "ping"]);
    clock.advance(8_000);
    expect([link.phase, wires[0]!.open]).toEqual(["waiting", false]);
  });

  it("gives a socket up that does not open", () => {
    const { link, clock } = linked();
    link.open();
    clock.advance(15_000);
    expect(link.phase).toBe("waiting");
  });

  it("hears nothing of a socket that it has let go", () => {
    const { link, wires, told, up } = linked();
    link.open();
    up();
    const { onmessage, onclose } = wires[0]!;
    link.open();
    const before = told.length;
    onmessage!({ data: '{"t":"pong"}' });
    onclose!({ code: 4401, reason: "" });
    expect([told.length, link.phase]).toEqual([before, "connecting"]);
  });

  it.each([
    [4401, "unauthenticated"],
    [4404, "missing"],
    [1009, "refused"],
  ])("stops at close code %i: %s", (code, stop) => {
    const { link, wires, clock, up } = linked();
    link.open();
    up();
    wires[0]!.ends(code);
    clock.advance(60_000);
    expect([link.phase, link.stop, wires.length]).toEqual(["stopped", stop, 1]);
  });

  it("takes another name when it is replaced, and gives up when that goes on", () => {
    const { link, wires, told, clock } = linked();
    link.open();
    for (let i = 0; i < 6; i++) {
      wires.at(-1)!.onopen!();
      wires.at(-1)!.ends(4409);
      clock.advance(10_000);
    }
    expect(told.filter((t) => t === "replaced")).toHaveLength(6);
    expect([link.phase, link.stop]).toEqual(["stopped", "refused"]);
  });

  it.each([
    ["reachable", "waiting", null],
    ["unreachable", "waiting", null],
    ["unauthenticated", "stopped", "unauthenticated"],
  ] as const)("asks why a socket never opened: %s", async (found, phase, stop) => {
    const { link, wires } = linked(found);
    link.open();
    wires[0]!.ends(1006);
    await Promise.resolve();
    expect([link.phase, link.stop]).toEqual([phase, stop]);
  });
});
