import type { Rest } from "@easelhq/client";

/** Fetched thumbnails, kept while the page lives. */
export class Thumbnails {
  private readonly urls = new Map<string, Promise<string>>();
  private readonly seen: IntersectionObserver;
  private readonly waiting = new Map<Element, string>();

  constructor(private readonly rest: Rest) {
    this.seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting) {
            this.load(entry.target as HTMLImageElement);
          }
        }
      },
      { rootMargin: "300px" },
    );
  }

  /** Shows image's thumbnail in img once it comes near the screen. */
  show(img: HTMLImageElement, image: string): void {
    this.waiting.set(img, image);
    this.seen.observe(img);
  }

  private load(img: HTMLImageElement): void {
    this.seen.unobserve(img);
    const id = this.waiting.get(img);
    this.waiting.delete(img);
    if (!id) {
      return;
    }
    this.url(id).then(
      (url) => {
        img.onload = () => img.classList.add("ready");
        img.src = url;
      },
      () => img.parentElement?.classList.add("broken"),
    );
  }

  private url(id: string): Promise<string> {
    let url = this.urls.get(id);
    if (!url) {
      // What has no thumbnail (AVIF) is shown itself.
      const blob = this.rest.thumbnail(id, 512).catch(() => this.rest.file(id));
      url = blob.then((b) => URL.createObjectURL(b));
      url.catch(() => this.urls.delete(id));
      this.urls.set(id, url);
    }
    return url;
  }
}
