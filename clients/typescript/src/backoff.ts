/** Delays between attempts: doubling, bounded, with jitter. */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly random: () => number,
    private readonly first = 250,
    private readonly most = 10_000,
  ) {}

  /** The next delay in milliseconds: between half and all of the doubled base,
   * so that the crowd a restart leaves behind does not come back at once. */
  next(): number {
    const full = Math.min(this.most, this.first * 2 ** this.attempt);
    this.attempt++;
    return full / 2 + (full / 2) * this.random();
  }

  reset(): void {
    this.attempt = 0;
  }
}
