import type { Box } from "@easelhq/client";

/** Cells along each side. */
const CELLS = 64;

/** What covers more cells than this is asked every time. */
const MOST_CELLS = 256;

interface Entry {
  id: string;
  box: Box;
  cells: readonly number[]; // empty: it is among the wide ones
  seen: number;
}

/** Finds boxes, in fractions of the image, by where they are: a grid of buckets. */
export class SpatialIndex {
  private readonly entries = new Map<string, Entry>();
  private readonly cells = new Map<number, Set<Entry>>();
  private readonly wide = new Set<Entry>();
  private search = 0;

  get size(): number {
    return this.entries.size;
  }

  set(id: string, box: Box): void {
    this.delete(id);
    const cells = covered(box);
    const entry: Entry = { id, box, cells: cells ?? [], seen: 0 };
    this.entries.set(id, entry);
    if (!cells) {
      this.wide.add(entry);
    }
    for (const cell of entry.cells) {
      let bucket = this.cells.get(cell);
      if (!bucket) {
        this.cells.set(cell, (bucket = new Set()));
      }
      bucket.add(entry);
    }
  }

  delete(id: string): void {
    const entry = this.entries.get(id);
    if (!entry) {
      return;
    }
    this.entries.delete(id);
    this.wide.delete(entry);
    for (const cell of entry.cells) {
      const bucket = this.cells.get(cell)!;
      bucket.delete(entry);
      if (bucket.size === 0) {
        this.cells.delete(cell);
      }
    }
  }

  /** The ids of all boxes that touch a part of the image, in no order. */
  within(part: Box): string[] {
    const found: string[] = [];
    const cells = covered(part);
    if (!cells) {
      for (const entry of this.entries.values()) {
        if (touch(entry.box, part)) {
          found.push(entry.id);
        }
      }
      return found;
    }
    this.search++;
    for (const group of [this.wide, ...cells.map((cell) => this.cells.get(cell))]) {
      for (const entry of group ?? []) {
        if (entry.seen !== this.search && touch(entry.box, part)) {
          entry.seen = this.search;
          found.push(entry.id);
        }
      }
    }
    return found;
  }
}

/** The cells under a box; null if they are many. */
function covered(box: Box): number[] | null {
  const cell = (v: number) => Math.min(CELLS - 1, Math.max(0, Math.floor(v * CELLS)));
  const [left, right] = [cell(box.x), cell(box.x + box.width)];
  const [top, bottom] = [cell(box.y), cell(box.y + box.height)];
  if ((right - left + 1) * (bottom - top + 1) > MOST_CELLS) {
    return null;
  }
  const cells: number[] = [];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      cells.push(y * CELLS + x);
    }
  }
  return cells;
}

/** Whether two boxes have a point in common. */
export function touch(a: Box, b: Box): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}
