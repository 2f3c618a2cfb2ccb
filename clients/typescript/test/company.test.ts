import { describe, expect, it } from "vitest";
import { Clock } from "./clock.js";
import { Company } from "../src/company.js";
import type { ClientFrame, Peer } from "../src/protocol.js";

const peer = (conn: string): Peer => ({ conn, user: conn, name: conn, state: {} });

function company() {
  const clock = new Clock();
  const sent: ClientFrame[] = [];
  let changes = 0;
  const there = new Company({ setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout }, { send: (frame) => sent.push(frame), changed: () => changes++ });
  return { there, clock, sent, changes: () => changes };
}

describe("the people at an image", () => {
  it("are all but oneself", () => {
    const { there } = company();
    there.join("1", [peer("1"), peer("2")]);
    there.saw(peer("1"));
    there.saw(peer("3"));
    there.left("2");
    expect([...there.peers.keys()]).toEqual(["3"]);
  });

  it("hear of a cursor at most once in 50 ms, and of its last place", () => {
    const { there, clock, sent } = company();
    there.join("1", []);
    there.show({ cursor: [0, 0] });
    there.show({ cursor: [0.1, 0] });
    there.show({ cursor: [0.2, 0], selection: ["a"] });
    clock.advance(49);
    expect(sent).toHaveLength(1);
    clock.advance(1);
    expect(sent.slice(1)).toEqual([{ t: "pres", state: { cursor: [0.2, 0], selection: ["a"] } }]);
  });

  it("hear all of it again after a lost connection, and nothing in between", () => {
    const { there, sent, changes } = company();
    there.join("1", [peer("2")]);
    there.show({ selection: ["a"] });
    there.leave();
    there.show({ cursor: [0, 0] });
    expect([sent.length, there.peers.size, there.connection, changes()]).toEqual([1, 0, "", 1]);
    there.join("3", []);
    there.greet();
    expect(sent.at(-1)).toEqual({ t: "pres", state: { selection: ["a"], cursor: [0, 0] } });
  });
});
