import type { App } from "../app";
import { toast } from "../dom";

/** How many of a kind, in words. */
export function count(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? `1 ${one}` : `${n} ${many}`;
}

/** The roles that accept, reject and revert. The server has the last word. */
export function mayReview(role: string): boolean {
  return role === "reviewer" || role === "admin" || role === "owner";
}

/** Predictions that one request judges. */
const MOST_IDS = 500;

/**
 * What a reviewer asks the server to do to an image as a whole: judge predictions,
 * bring something back. Each can be undone for as long as the line that tells of it
 * is shown, and from the history afterwards.
 */
export class Judging {
  constructor(
    private readonly app: App,
    private readonly image: string,
  ) {}

  async judge(accept: boolean, ids: readonly string[]): Promise<void> {
    const deed = accept ? "accepted" : "rejected";
    await this.act(
      async () => {
        let judged = 0;
        for (let i = 0; i < ids.length; i += MOST_IDS) {
          const some = { ids: ids.slice(i, i + MOST_IDS) };
          judged += await (accept ? this.app.rest.accept(this.image, some) : this.app.rest.reject(this.image, some));
        }
        return judged;
      },
      (n) => (n > 0 ? `${count(n, "prediction")} ${deed}.` : "Somebody else has judged this already."),
    );
  }

  /** Accepts all predictions that are at least so sure. */
  async acceptFrom(confidence: number): Promise<void> {
    await this.act(
      () => this.app.rest.accept(this.image, { min_confidence: confidence }),
      (n) => `${count(n, "prediction")} accepted.`,
    );
  }

  /** Brings something back; resolves to whether that worked. */
  revert(what: Parameters<App["rest"]["revert"]>[1], said: (n: number) => string): Promise<boolean> {
    return this.act(() => this.app.rest.revert(this.image, what), said);
  }

  /** Does something to the image, tells how many annotations it changed, and offers to undo it. */
  private async act(deed: () => Promise<number>, said: (n: number) => string): Promise<boolean> {
    const { rest, me } = this.app;
    try {
      const { version } = await rest.image(this.image);
      const n = await deed();
      // What is undone is all that this person did since: a reviewer who goes on working
      // uses the history instead, so the offer is short.
      const undo = () =>
        void rest.revert(this.image, { user: me.user_id, since: version }).then(
          (back) => toast(`Undone: ${count(back, "annotation")}.`),
          (err: Error) => toast(err.message, "error"),
        );
      toast(said(n), "info", n > 0 ? { label: "Undo", run: undo } : undefined);
      return true;
    } catch (err) {
      toast(err instanceof Error ? err.message : "That did not work.", "error");
      return false;
    }
  }
}
