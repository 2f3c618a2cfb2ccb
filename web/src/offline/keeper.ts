import type { Kept, Session } from "@easelhq/client";

/** How often a changing image is kept, by how much there is to write. */
const EVERY = 5_000;
const EVERY_LARGE = 30_000;
const LARGE = 2_000;

/**
 * Keeps what a session has confirmed, for a page that opens without a server: soon
 * after it changed, at once when the connection is lost, and when the page goes.
 */
export class Keeper {
  private written = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly off: (() => void)[];

  constructor(
    private readonly session: Session,
    private readonly write: (kept: Kept) => void,
  ) {
    const hidden = () => document.visibilityState === "hidden" && this.keep();
    const gone = () => this.keep();
    addEventListener("pagehide", gone);
    document.addEventListener("visibilitychange", hidden);
    this.off = [
      session.on("change", () => this.soon()),
      session.on("status", ({ phase }) => (phase === "waiting" ? this.keep() : this.soon())),
      () => removeEventListener("pagehide", gone),
      () => document.removeEventListener("visibilitychange", hidden),
    ];
  }

  close(): void {
    this.keep();
    this.off.forEach((off) => off());
  }

  private soon(): void {
    this.timer ??= setTimeout(() => this.keep(), this.session.annotations.size > LARGE ? EVERY_LARGE : EVERY);
  }

  private keep(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { kept } = this.session;
    const now = kept ? `${kept.since.epoch}:${kept.since.ver}` : "";
    if (kept && now !== this.written) {
      this.written = now;
      this.write(kept);
    }
  }
}
