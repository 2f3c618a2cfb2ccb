import { newID, type OutboxStorage, type Saved } from "./client";

const TAB = "easel:tab";
const PREFIX = "easel:outbox:";

/** Keeps the outboxes of one person on one image in the browser. */
export function outboxStorage(user: string, image: string): OutboxStorage {
  const key = (client: string) => `${PREFIX}${user}:${image}:${client}`;
  return {
    load(client) {
      try {
        const text = localStorage.getItem(key(client));
        return text ? (JSON.parse(text) as Saved) : null;
      } catch {
        return null;
      }
    },
    save(client, saved) {
      try {
        if (saved) {
          localStorage.setItem(key(client), JSON.stringify(saved));
        } else {
          localStorage.removeItem(key(client));
        }
      } catch {
        // Full or forbidden: edits are still sent, they only do not survive a reload.
      }
    },
  };
}

/**
 * Returns the client id under which to open an image: this tab's, or that of a
 * tab that was closed before all of its edits had arrived. A copied tab has a
 * copy of the id, too; a lock, held until the page goes, tells them apart.
 */
export async function claimClient(user: string, image: string): Promise<string> {
  const mine = await tabClient();
  const prefix = `${PREFIX}${user}:${image}:`;
  const orphans = Object.keys(localStorage)
    .filter((k) => k.startsWith(prefix))
    .map((k) => k.slice(prefix.length));
  if (orphans.includes(mine)) {
    return mine;
  }
  for (const client of orphans) {
    if (await lock(client, 0)) {
      return client;
    }
  }
  return mine;
}

/** The images for which edits of a person wait in this browser. */
export function waitingImages(user: string): Set<string> {
  const prefix = `${PREFIX}${user}:`;
  const keys = Object.keys(localStorage).filter((k) => k.startsWith(prefix));
  return new Set(keys.map((k) => k.slice(prefix.length).split(":")[0]!));
}

let tab: Promise<string> | null = null;

function tabClient(): Promise<string> {
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
function lock(client: string, patience: number): Promise<boolean> {
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
