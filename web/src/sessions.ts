import { Session, type Me, type Rest } from "./client";
import type { Conflicts } from "./conflicts";
import { toast } from "./dom";
import type { Outboxes } from "./outbox-storage";

/**
 * The live sessions of this page: that of the image which is open, and those of
 * images that were left, or closed with the browser, before all edits had
 * arrived. The latter go on out of sight until nothing waits any more.
 */
export class Sessions {
  private readonly running = new Map<string, Session>();
  private readonly open = new Set<string>();

  constructor(
    private readonly me: Me,
    private readonly rest: Rest,
    private readonly token: () => string,
    private readonly outboxes: Outboxes,
    private readonly conflicts: Conflicts,
  ) {}

  /** Returns image's session; it may have been running already. */
  async enter(image: string): Promise<Session> {
    this.open.add(image);
    return this.running.get(image) ?? this.run(image);
  }

  /** Lets go of image: its session ends once all edits have arrived. */
  leave(image: string): void {
    this.open.delete(image);
    this.settle(image);
  }

  /** Sends what earlier pages of this browser did not get through. */
  async drain(): Promise<void> {
    for (const image of await this.outboxes.waiting()) {
      if (!this.running.has(image)) {
        await this.run(image);
      }
      this.settle(image);
    }
  }

  /** Ends all sessions; what waits is kept. */
  close(): void {
    for (const session of this.running.values()) {
      session.stop();
    }
    this.running.clear();
  }

  private async run(image: string): Promise<Session> {
    const { me, rest } = this;
    const { client, storage } = await this.outboxes.claim(image);
    const raced = this.running.get(image);
    if (raced) {
      return raced;
    }
    const url = new URL(`/api/images/${image}/live`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    const session = new Session({
      image,
      user: me.user_id,
      name: me.name || me.user_id,
      url: url.href,
      token: this.token,
      client,
      storage,
      connect: (address, protocols) => new WebSocket(address, protocols) as never,
      probe: () => rest.probe(image),
    });
    this.running.set(image, session);
    session.on("rejected", (rejection) => {
      const open = this.conflicts.add(image, rejection);
      if (open > 0 && !this.open.has(image)) {
        const run = () => (location.hash = `#/images/${image}`);
        toast("An edit on an image that you left was not saved.", "error", { label: "Look", run });
      }
    });
    session.on("status", () => this.settle(image));
    session.start();
    return session;
  }

  private settle(image: string): void {
    const session = this.running.get(image);
    if (!session || this.open.has(image)) {
      return;
    }
    const { pending, phase } = session.status;
    if (pending === 0 || phase === "stopped") {
      this.running.delete(image);
      session.stop();
    }
  }
}
