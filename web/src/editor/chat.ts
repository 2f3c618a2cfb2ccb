import type { App } from "../app";
import type { ChatLine, Peer, Session } from "@easelhq/client";
import { colorOf } from "../colors";
import { h, iconButton, toast } from "../dom";

const MOST_TEXT = 4000;

/** What people say to each other about one image. */
export class Chat {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly list = h("ol", {});
  private readonly scroller = h("div", { class: "chat-lines", role: "log", "aria-label": "Messages", tabindex: "0" }, this.list);
  private readonly input: HTMLInputElement;
  private readonly lines = new Map<string, ChatLine>();
  private readonly names: Map<string, string>;
  private session: Session | null = null;
  private saying = "";

  constructor(
    private readonly app: App,
    private readonly image: string,
  ) {
    this.names = new Map([[app.me.user_id, app.me.name || app.me.user_id]]);
    this.input = h("input", {
      class: "field",
      placeholder: "Say something",
      "aria-label": "Message",
      autocomplete: "off",
      maxlength: MOST_TEXT,
    });
    this.button = iconButton("chat", "Chat (C)", () => this.toggle(), { "aria-pressed": "false" });
    this.element = h(
      "section",
      { class: "chat", hidden: true, "aria-label": "Chat" },
      h("header", {}, h("b", {}, "Chat"), h("span", { class: "grow" }), iconButton("close", "Close chat", () => this.toggle())),
      this.scroller,
      app.me.role !== "viewer" && h("form", { onsubmit: (e: Event) => (e.preventDefault(), this.say()) }, this.input),
    );
    this.draw();
  }

  /** Speaks through a session from now on. */
  follow(session: Session): void {
    this.session = session;
  }

  /** Reads what was said before, and while this page was away. */
  async catchUp(): Promise<void> {
    try {
      this.add(await this.app.rest.messages(this.image));
    } catch {
      // The next welcome asks again.
    }
  }

  hear(line: ChatLine): void {
    if (line.by === this.app.me.user_id && line.text === this.saying) {
      this.saying = "";
      this.input.value = "";
      this.input.readOnly = false;
    }
    if (this.element.hidden && line.by !== this.app.me.user_id) {
      this.button.classList.add("unread");
      this.button.setAttribute("aria-label", "Chat (C), new messages");
    }
    this.add([line]);
  }

  meet(peers: ReadonlyMap<string, Peer>): void {
    for (const { user, name } of peers.values()) {
      if (name && this.names.get(user) !== name) {
        this.names.set(user, name);
        this.draw();
      }
    }
  }

  /** The connection is lost: what was being said stays in the field. */
  lost(): void {
    this.saying = "";
    this.input.readOnly = false;
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    this.button.setAttribute("aria-pressed", String(!this.element.hidden));
    if (this.element.hidden) {
      this.button.focus();
    } else {
      this.button.classList.remove("unread");
      this.button.setAttribute("aria-label", "Chat (C)");
      this.scroller.scrollTop = this.scroller.scrollHeight;
      this.input.focus();
    }
  }

  private say(): void {
    const text = this.input.value.trim();
    if (!text || this.saying) {
      return;
    }
    if (this.session?.status.phase !== "live") {
      toast("There is no connection. Your message is kept in the field.", "error");
      return;
    }
    this.saying = text;
    this.input.readOnly = true; // until it comes back, stored
    this.session.say(text);
  }

  private add(lines: ChatLine[]): void {
    for (const line of lines) {
      this.lines.set(line.id, line);
    }
    this.draw();
  }

  private draw(): void {
    const sorted = [...this.lines.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(-100);
    const below = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 40;
    this.list.replaceChildren(
      ...sorted.map((line) =>
        h(
          "li",
          {},
          h("b", { style: `--tint: ${colorOf(line.by)}` }, this.names.get(line.by) ?? line.by),
          h("time", { datetime: line.at }, new Date(line.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
          h("p", {}, line.text),
        ),
      ),
    );
    if (sorted.length === 0) {
      this.list.append(h("li", { class: "none" }, "Nobody has said anything yet."));
    }
    if (below) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
  }
}
