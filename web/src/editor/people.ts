import type { Annotation, Peer } from "@easelhq/client";
import { colorOf, initials } from "../colors";
import { h } from "../dom";

const MOST_FACES = 6;

/** The faces of those who look at the same image: a click follows where one looks. */
export class People {
  readonly element = h("span", { class: "people", role: "group", "aria-label": "People here" });
  private readonly faces = new Map<string, HTMLButtonElement>();
  private readonly more = h("span", { class: "avatar rest", hidden: true });

  constructor(private readonly follow: (user: string) => void) {}

  show(peers: ReadonlyMap<string, Peer>, annotations: ReadonlyMap<string, Annotation>, followed: string): void {
    const users = new Map<string, { name: string; doing: string }>();
    for (const peer of peers.values()) {
      const before = users.get(peer.user);
      users.set(peer.user, { name: peer.name || peer.user, doing: doing(peer, annotations) || (before?.doing ?? "") });
    }
    for (const [user, face] of this.faces) {
      if (!users.has(user)) {
        face.remove();
        this.faces.delete(user);
      }
    }
    let shown = 0;
    for (const [user, { name, doing }] of users) {
      const face = this.faces.get(user) ?? this.add(user, name);
      face.hidden = ++shown > MOST_FACES;
      const what = doing ? `${name}, ${doing}` : name;
      set(face, "title", name);
      set(face, "aria-label", `Follow ${what}`);
      set(face, "data-doing", doing);
      set(face, "aria-pressed", String(user === followed));
    }
    this.more.hidden = users.size <= MOST_FACES;
    this.more.textContent = `+${users.size - MOST_FACES}`;
  }

  private add(user: string, name: string): HTMLButtonElement {
    const style = `--tint: ${colorOf(user)}`;
    // The letters are drawn by the style sheet: they are no part of the button's name.
    const face = h("button", { class: "avatar", type: "button", style, "data-user": user, "data-initials": initials(name), onclick: () => this.follow(user) });
    this.faces.set(user, face);
    this.element.append(face, this.more);
    return face;
  }
}

function doing({ state }: Peer, annotations: ReadonlyMap<string, Annotation>): string {
  if (state.draft) {
    return state.selection?.length ? "moving a box" : "drawing";
  }
  const held = (state.selection ?? []).map((id) => annotations.get(id)).filter((a) => a !== undefined);
  return held.length > 1 ? `editing ${held.length} boxes` : held[0] ? `editing “${held[0].label}”` : "";
}

/** Sets an attribute only if it differs: cursors move many times a second. */
function set(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}
