/** Timers that run when a test says so. */
export class Clock {
  now = 0;
  private timers = new Map<number, { at: number; fn: () => void }>();
  private next = 1;

  setTimeout = (fn: () => void, ms: number): number => {
    this.timers.set(this.next, { at: this.now + ms, fn });
    return this.next++;
  };

  clearTimeout = (timer: number): void => {
    this.timers.delete(timer);
  };

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) {
        break;
      }
      this.timers.delete(due[0]);
      this.now = due[1].at;
      due[1].fn();
    }
    this.now = end;
  }
}
