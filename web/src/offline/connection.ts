import { h } from "../dom";

const FIRST = 1000;
const MOST = 10_000;

/**
 * Whether the server answers, as far as the page has noticed. While it does not, a
 * note says so, and the server is asked again and again.
 */
export class Connection {
  readonly note = h("div", { class: "offline-note", role: "status", hidden: true });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST;

  constructor(
    /** Asks the server for anything; fails while it cannot be reached. */
    private readonly ask: () => Promise<unknown>,
    private readonly back: () => void,
  ) {
    addEventListener("online", this.again);
  }

  get lost(): boolean {
    return !this.note.hidden;
  }

  /** Takes in whether an answer came. */
  heard(there: boolean): void {
    if (there === !this.lost) {
      return;
    }
    clearTimeout(this.timer);
    this.note.hidden = there;
    this.note.replaceChildren(there ? "" : "Offline. You see what this browser has kept; what you change is sent when the server is back.");
    this.wait = FIRST;
    if (there) {
      this.back();
    } else {
      this.later();
    }
  }

  close(): void {
    clearTimeout(this.timer);
    removeEventListener("online", this.again);
    this.note.remove();
  }

  private readonly again = () => {
    if (this.lost) {
      clearTimeout(this.timer);
      this.ask().then(
        () => this.heard(true),
        () => this.later(),
      );
    }
  };

  private later(): void {
    this.timer = setTimeout(this.again, this.wait);
    this.wait = Math.min(MOST, this.wait * 2);
  }
}
