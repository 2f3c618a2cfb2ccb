import type { Peer } from "@easelhq/client";
import { colorOf } from "../colors";
import { h } from "../dom";

export interface FollowingEvents {
  /** Another person is followed, or nobody. */
  changed: () => void;
  look: (view: [number, number, number, number]) => void;
  name: (user: string) => string;
}

/** Whose view this page shows, until its own person moves the picture. */
export class Following {
  /** The user who is followed; "" for nobody. */
  user = "";
  readonly element = h("button", { class: "following", type: "button", hidden: true, onclick: () => this.stop() });

  constructor(private readonly events: FollowingEvents) {}

  /** Follows user, or stops if that is who was followed. */
  toggle(user: string): void {
    this.follow(user === this.user ? "" : user);
  }

  stop(): void {
    this.follow("");
  }

  /** Shows what the followed person looks at, and stops when they have left. */
  along(everyone: ReadonlyMap<string, Peer>): void {
    if (!this.user) {
      return;
    }
    const peers = [...everyone.values()].filter((p) => p.user === this.user);
    if (peers.length === 0) {
      this.stop();
      return;
    }
    const view = peers.find((p) => p.state.view?.length === 4)?.state.view;
    if (view) {
      this.events.look(view as [number, number, number, number]);
    }
  }

  private follow(user: string): void {
    if (this.user === user) {
      return;
    }
    this.user = user;
    this.element.hidden = !user;
    this.element.textContent = user ? `Following ${this.events.name(user)}: stop` : "";
    this.element.style.setProperty("--tint", user ? colorOf(user) : "");
    this.events.changed();
  }
}
