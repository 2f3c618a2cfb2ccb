import type { Image, Rest } from "./client";
import { h, icon, iconButton } from "./dom";
import { UploadKeys } from "./upload-keys";

const AT_ONCE = 3;

/** Files on their way to the server, with their progress, in a corner. */
export class Uploads {
  readonly element: HTMLElement;
  private readonly list = h("ul", {});
  private readonly title = h("b", {});
  private readonly waiting: (() => void)[] = [];
  private readonly keys = new UploadKeys(sessionStorage);
  private running = 0;
  private open = 0;

  constructor(
    private readonly rest: Rest,
    private readonly done: (image: Image) => void,
  ) {
    const hide = iconButton("close", "Hide finished uploads", () => {
      this.list.querySelectorAll("li.over").forEach((line) => line.remove());
      this.count();
    });
    this.element = h("aside", { class: "uploads card", hidden: true, "aria-label": "Uploads" }, h("header", {}, this.title, hide), this.list);
  }

  add(files: File[]): void {
    for (const file of files) {
      this.open++;
      this.line(file);
    }
    this.count();
    this.next();
  }

  private line(file: File): void {
    const bar = h("progress", { max: 1, value: 0, "aria-label": `Progress of ${file.name}` });
    const note = h("small", {}, "waiting");
    const line = h("li", {}, h("span", { class: "name", title: file.name }, file.name), note, bar);
    this.list.append(line);
    const send = this.keys.of(file);
    const progress = (part: number) => {
      bar.value = part;
      note.textContent = part < 1 ? `${Math.round(part * 100)} %` : "storing";
    };
    const run = () => {
      this.running++;
      line.classList.remove("over", "failed");
      note.textContent = "";
      send((key) => this.rest.upload(file, { key, progress }))
        .then(
          (image) => {
            line.classList.add("over", "done");
            note.replaceChildren(icon("check"));
            this.done(image);
            setTimeout(() => {
              line.remove();
              this.count();
            }, 4000);
          },
          (err: Error) => {
            line.classList.add("over", "failed");
            const again = () => {
              this.open++;
              this.waiting.push(run);
              this.next();
              this.count();
            };
            note.replaceChildren(err.message, " ", h("button", { class: "link", type: "button", onclick: again }, "Try again"));
          },
        )
        .finally(() => {
          this.running--;
          this.open--;
          this.count();
          this.next();
        });
    };
    this.waiting.push(run);
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      this.waiting.shift()!();
    }
  }

  private count(): void {
    this.element.hidden = this.list.childElementCount === 0;
    this.title.textContent = this.open > 0 ? `Uploading ${this.open}` : "Uploads";
  }
}
