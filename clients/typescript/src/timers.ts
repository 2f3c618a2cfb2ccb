/** How time passes; tests bring their own. */
export interface Clock {
  setTimeout?: (fn: () => void, ms: number) => number;
  clearTimeout?: (timer: number) => void;
}

/** Timers with names: arming one again replaces it. */
export class Timers<Name extends string> {
  private readonly running = new Map<Name, number>();
  private readonly later: (fn: () => void, ms: number) => number;
  private readonly cancel: (timer: number) => void;

  constructor(clock: Clock) {
    this.later = clock.setTimeout ?? ((fn, ms) => setTimeout(fn, ms) as unknown as number);
    this.cancel = clock.clearTimeout ?? ((timer) => clearTimeout(timer));
  }

  /** Whether the timer has been armed and has neither run nor been cleared. */
  armed(name: Name): boolean {
    return this.running.has(name);
  }

  arm(name: Name, ms: number, fn: () => void): void {
    this.clear(name);
    const timer = this.later(() => {
      this.running.delete(name);
      fn();
    }, ms);
    this.running.set(name, timer);
  }

  clear(...names: Name[]): void {
    for (const name of names) {
      const timer = this.running.get(name);
      if (timer !== undefined) {
        this.cancel(timer);
        this.running.delete(name);
      }
    }
  }
}
