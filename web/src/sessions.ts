import { live, type Me, type Rest, type Session } from "@easelhq/client";
import type { Conflicts } from "./conflicts";
import { toast } from "./dom";
import { Keeper } from "./offline/keeper";
import type { Seen } from "./offline/seen";
import type { Outboxes } from "./outbox-storage";

/** What sessions need of the page. */
interface World {
  me: Me;
  rest: Rest;
  outboxes: Outboxes;
  conflicts: Conflicts;
  seen: Seen;
}

/**
 * The live sessions of this page: that of the image which is open, and those of
 * images that were left, or closed with the browser, before all edits had
 * arrived. The latter go on out of sight until nothing waits any more.
 */
export class Sessions {
  private readonly running = new Map<string, Session>();
  private readonly open = new Set<string>();
  private readonly keepers = new Map<string, Keeper>();

  constructor(private readonly world: World) {}

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
    for (const image of await this.world.outboxes.waiting()) {
      if (!this.running.has(image)) {
        await this.run(image);
      }
      this.settle(image);
    }
  }

  /** Ends all sessions; what waits is kept. */
  close(): void {
    for (const image of [...this.running.keys()]) {
      this.end(image);
    }
  }

  private async run(image: string): Promise<Session> {
    const { me, rest, outboxes, seen } = this.world;
    const [{ client, storage }, kept] = await Promise.all([outboxes.claim(image), seen.snapshotOf(image)]);
    const raced = this.running.get(image);
    if (raced) {
      return raced;
    }
    const session = live(rest, image, { user: me.user_id, name: me.name || me.user_id, client, storage, ...(kept ? { kept } : {}), start: false });
    this.keepers.set(image, new Keeper(session, (now) => seen.snapshot(image, now)));
    this.running.set(image, session);
    session.on("rejected", (rejection) => {
      const open = this.world.conflicts.add(image, rejection);
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
      this.end(image);
    }
  }

  private end(image: string): void {
    const session = this.running.get(image);
    this.running.delete(image); // first: its last word is heard, too
    session?.stop();
    this.keepers.get(image)?.close();
    this.keepers.delete(image);
  }
}
