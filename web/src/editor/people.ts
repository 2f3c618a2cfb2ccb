import type { Peer } from "../client";
import { colorOf, initials } from "../colors";
import { h } from "../dom";

const MOST_FACES = 5;

/** The faces of those who look at the same image. */
export class People {
  readonly element = h("span", { class: "people", "aria-label": "People here" });
  private drawn = "";

  show(peers: ReadonlyMap<string, Peer>): void {
    const users = new Map([...peers.values()].map((p) => [p.user, p.name || p.user]));
    const key = JSON.stringify([...users]);
    if (key === this.drawn) {
      return;
    }
    this.drawn = key;
    const faces = [...users].slice(0, MOST_FACES).map(([user, name]) =>
      h("span", { class: "avatar", title: name, style: `--tint: ${colorOf(user)}` }, initials(name)),
    );
    if (users.size > MOST_FACES) {
      faces.push(h("span", { class: "avatar rest" }, `+${users.size - MOST_FACES}`));
    }
    this.element.replaceChildren(...faces);
  }
}
