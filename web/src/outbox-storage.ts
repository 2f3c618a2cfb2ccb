import { newID, type OutboxStorage, type Saved } from "@easelhq/client";
import type { LocalStore } from "./local-store";

const TAB = "easel:tab";
/** Where earlier versions of the page kept outboxes, in localStorage. */
const OLD = "easel:outbox:";

type Frame = Saved["frames"][number];

/** What has to be written so that a browser that keeps before keeps after. */
export function difference(before: ReadonlyMap<number, Frame>, after: readonly Frame[]): { puts: Frame[]; deletes: number[] } {
  const left = new Set(before.keys());
  const puts: Frame[] = [];
  for (const frame of after) {
    left.delete(frame.seq);
    const old = before.get(frame.seq);
    if (!old || old.ops !== frame.ops || old.sent !== frame.sent) {
      puts.push(frame);
    }
  }
  return { puts, deletes: [...left] };
}

/** The outboxes of one person in this browser. */
export class Outboxes {
  constructor(
    private readonly store: LocalStore,
    private readonly person: string,
  ) {}

  /** Takes over what an earlier version of the page kept for user. */
  adopt(user: string): void {
    for (const key of Object.keys(localStorage).filter((k) => k.startsWith(`${OLD}${user}:`))) {
      const [image, client] = key.slice(`${OLD}${user}:`.length).split(":");
      try {
        const { frames } = JSON.parse(localStorage.getItem(key) ?? "") as Saved;
        this.store.write("frames", frames.map((frame) => [[this.person, image!, client!, frame.seq], frame] as const));
      } catch {
        // Not an outbox.
      }
      localStorage.removeItem(key);
    }
  }

  /** The images for which edits wait. */
  async waiting(): Promise<Set<string>> {
    return new Set((await this.store.keys("frames", [this.person])).map((key) => String(key[1])));
  }

  /**
   * Returns the client id under which to open an image, with what it still has to
   * send: this tab's, or that of a tab that was closed before all of its edits had
   * arrived. A copied tab has a copy of the id, too; a lock, held until the page
   * goes, tells them apart.
   */
  async claim(image: string): Promise<{ client: string; storage: OutboxStorage }> {
    const mine = await tabClient();
    const orphans = new Set((await this.store.keys("frames", [this.person, image])).map((key) => String(key[2])));
    let client = mine;
    if (!orphans.has(mine)) {
      for (const other of orphans) {
        if (await lock(other, 300)) {
          client = other;
          break;
        }
      }
    }
    const frames = await this.store.values<Frame>("frames", [this.person, image, client]);
    return { client, storage: this.storage(image, client, frames) };
  }

  private storage(image: string, owner: string, loaded: Frame[]): OutboxStorage {
    const kept = new Map<string, Map<number, Frame>>([[owner, new Map(loaded.map((frame) => [frame.seq, frame]))]]);
    return {
      load: (client) => (client === owner && loaded.length > 0 ? { frames: loaded } : null),
      save: (client, saved) => {
        const key = (seq: number) => [this.person, image, client, seq];
        const after = saved?.frames ?? [];
        const { puts, deletes } = difference(kept.get(client) ?? new Map(), after);
        if (puts.length + deletes.length > 0) {
          this.store.write(
            "frames",
            puts.map((frame) => [key(frame.seq), frame] as const),
            deletes.map(key),
          );
        }
        kept.set(client, new Map(after.map((frame) => [frame.seq, frame])));
      },
    };
  }
}

let tab: Promise<string> | null = null;

/** This tab's client id; it stays over reloads. */
export function tabClient(): Promise<string> {
  tab ??= (async () => {
    const kept = sessionStorage.getItem(TAB);
    // The page that is being reloaded may hold its lock for a moment.
    if (kept && (await lock(kept, 500))) {
      return kept;
    }
    const fresh = newID();
    sessionStorage.setItem(TAB, fresh);
    await lock(fresh, 0);
    return fresh;
  })();
  return tab;
}

const held = new Set<string>();

/** Takes a client's lock for the rest of the page's life. */
export function lock(client: string, patience: number): Promise<boolean> {
  if (!navigator.locks || held.has(client)) {
    return Promise.resolve(!held.has(client) || !navigator.locks);
  }
  return new Promise((resolve) => {
    const options: LockOptions = patience > 0 ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true };
    navigator.locks
      .request(`${TAB}:${client}`, options, (granted) => {
        resolve(granted !== null);
        if (granted) {
          held.add(client);
          return new Promise<void>(() => {}); // never released
        }
        return undefined;
      })
      .catch(() => resolve(false));
  });
}
