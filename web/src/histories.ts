import { History, type SavedHistory } from "@easelhq/client";
import type { LocalStore } from "./local-store";

const FORGET_AFTER = 30 * 24 * 3600 * 1000;

/** What each tab of a person did on images, for undo and redo over a reload. */
export class Histories {
  private readonly open = new Map<string, History>();

  constructor(
    private readonly store: LocalStore,
    private readonly person: string,
  ) {}

  /** The history of one image as this client left it. */
  async of(image: string, client: string): Promise<History> {
    let history = this.open.get(image);
    if (!history) {
      const [kept] = await this.store.values<SavedHistory>("histories", [this.person, image, client]);
      history = this.open.get(image) ?? new History(kept);
      this.open.set(image, history);
    }
    return history;
  }

  save(image: string, client: string, history: History): void {
    this.store.write("histories", [[[this.person, image, client], { ...history.saved, at: Date.now() }]]);
  }

  /** Forgets what tabs left that have been closed for long. */
  async prune(now = Date.now()): Promise<void> {
    const keys = await this.store.keys("histories", [this.person]);
    const kept = await this.store.values<{ at?: number }>("histories", [this.person]);
    const old = keys.filter((_, i) => now - (kept[i]?.at ?? 0) > FORGET_AFTER);
    this.store.write("histories", [], old);
  }
}
