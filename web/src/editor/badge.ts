import type { Status, Stop } from "@easelhq/client";
import { h } from "../dom";

const STOPS: Record<Stop, string> = {
  unauthenticated: "Signed out",
  forbidden: "No access",
  missing: "Image is gone",
  outdated: "Reload the page",
  quota: "Limit reached",
  refused: "Connection refused",
};

/** Tells whether everything is saved, in words that change as it happens. */
export class Badge {
  readonly element = h("span", { class: "badge", role: "status", "data-state": "connecting" }, "Connecting…");
  private calm: ReturnType<typeof setTimeout> | undefined;

  show(status: Status): void {
    clearTimeout(this.calm);
    const [state, text] = words(status);
    // A save that takes no time is not worth a flicker.
    if (state === "saving" && this.element.dataset.state === "saved") {
      this.calm = setTimeout(() => this.set(state, text), 150);
    } else {
      this.set(state, text);
    }
  }

  private set(state: string, text: string): void {
    this.element.dataset.state = state;
    if (this.element.textContent !== text) {
      this.element.textContent = text;
    }
  }
}

function words({ phase, pending, stop }: Status): [state: string, text: string] {
  const waiting = pending > 0 ? `: ${pending} waiting` : "";
  switch (phase) {
    case "live":
      return pending > 0 ? ["saving", "Saving…"] : ["saved", "Saved"];
    case "stopped":
      return ["stopped", (stop ? STOPS[stop] : "Closed") + waiting];
    case "waiting":
      return ["offline", `Offline${waiting}`];
    default:
      return pending > 0 ? ["offline", `Offline${waiting}`] : ["connecting", "Connecting…"];
  }
}
