/** Rows beyond each end of what is to be seen, so that scrolling shows no gap. */
const SPARE = 12;

/** Until the first row has been measured, in pixels. */
const ROW = 37;

/**
 * A list of any length of which only the rows in sight, and some around them, are in
 * the page. All rows are of one height. A row is one element for as long as it is in
 * the page: one that is taken out, even to be put back, loses a click in progress.
 */
export class VirtualList<T> {
  private items: readonly T[] = [];
  private height = ROW;
  private measured = false;
  private frame = 0;
  private readonly above = spacer();
  private readonly below = spacer();
  private readonly resized: ResizeObserver;

  constructor(
    /** The list, which scrolls. */
    readonly element: HTMLElement,
    /** Makes the row of an item, or the same element again. */
    private readonly row: (item: T, index: number) => HTMLElement,
  ) {
    element.addEventListener("scroll", () => this.later(), { passive: true });
    this.resized = new ResizeObserver(() => this.later());
    this.resized.observe(element);
  }

  show(items: readonly T[]): void {
    this.items = items;
    this.draw();
  }

  /** Scrolls as little as shows an item. */
  reveal(index: number): void {
    if (index < 0 || index >= this.items.length) {
      return;
    }
    const [top, room] = [index * this.height, this.element.clientHeight];
    if (top < this.element.scrollTop) {
      this.element.scrollTop = top;
    } else if (top + this.height > this.element.scrollTop + room) {
      this.element.scrollTop = top + this.height - room;
    }
    this.draw();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.resized.disconnect();
  }

  private later(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { items, element } = this;
    if (items.length === 0) {
      return; // the list says why
    }
    const first = Math.max(0, Math.min(items.length - 1, Math.floor(element.scrollTop / this.height)) - SPARE);
    const last = Math.min(items.length, first + Math.ceil(element.clientHeight / this.height) + 2 * SPARE);
    const rows = items.slice(first, last).map((item, i) => {
      const row = this.row(item, first + i);
      row.setAttribute("aria-setsize", String(items.length));
      row.setAttribute("aria-posinset", String(first + i + 1));
      return row;
    });
    this.above.style.height = `${first * this.height}px`;
    this.below.style.height = `${(items.length - last) * this.height}px`;
    this.put([this.above, ...rows, this.below]);
    if (!this.measured && rows[0]!.offsetHeight > 0) {
      this.measured = true;
      if (rows[0]!.offsetHeight !== this.height) {
        this.height = rows[0]!.offsetHeight;
        this.draw();
      }
    }
  }

  /** Makes these the list's elements, and moves none that stays. */
  private put(rows: readonly HTMLElement[]): void {
    const stay = new Set<Element>(rows);
    for (const child of [...this.element.children]) {
      if (!stay.has(child)) {
        child.remove();
      }
    }
    let at = this.element.firstElementChild;
    for (const row of rows) {
      if (row === at) {
        at = at.nextElementSibling;
      } else {
        this.element.insertBefore(row, at);
      }
    }
  }
}

function spacer(): HTMLElement {
  const element = document.createElement("li");
  element.className = "spacer";
  element.setAttribute("aria-hidden", "true");
  return element;
}
