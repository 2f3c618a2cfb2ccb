import { h, icon, iconButton } from "./dom";
import type { Upload, UploadQueue } from "./upload-queue";

/** For how long a file that is stored stays on the list. */
const LINGER = 4000;

/** The upload queue in a corner of the page: every file, and all of them together. */
export class Uploads {
  readonly element: HTMLElement;
  private readonly list = h("ul", {});
  private readonly title = h("b", {});
  private readonly status = h("small", { role: "status" });
  private readonly all = h("progress", { max: 1, value: 0, "aria-label": "Progress of all uploads" });
  private readonly stop: HTMLButtonElement;
  private readonly lines = new Map<string, Line>();
  private frame = 0;

  constructor(private readonly queue: UploadQueue) {
    this.stop = h("button", { class: "link", type: "button", onclick: () => queue.cancelAll() }, "Cancel all");
    const hide = iconButton("close", "Hide finished uploads", () => queue.putAway());
    const header = h("header", {}, h("span", { class: "uploads-title" }, this.title, this.status), this.stop, hide);
    this.element = h("aside", { class: "uploads card", hidden: true, "aria-label": "Uploads" }, header, this.all, this.list);
    queue.on("change", () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    });
  }

  private draw(): void {
    const { uploads } = this.queue;
    const seen = new Set(uploads.map(({ id }) => id));
    for (const [id, line] of this.lines) {
      if (!seen.has(id)) {
        line.element.remove();
        this.lines.delete(id);
      }
    }
    for (const upload of uploads) {
      let line = this.lines.get(upload.id);
      if (!line) {
        this.lines.set(upload.id, (line = new Line(upload, this.queue)));
        this.list.append(line.element);
      }
      line.draw(upload, this.queue.paused);
    }
    this.sum(uploads);
  }

  private sum(uploads: Upload[]): void {
    const open = uploads.filter(({ state }) => state === "waiting" || state === "sending");
    const refused = uploads.filter(({ state }) => state === "refused").length;
    const sent = uploads.filter(({ state }) => state !== "refused");
    const bytes = (of: (u: Upload) => number) => sent.reduce((sum, u) => sum + of(u), 0);
    this.element.hidden = uploads.length === 0;
    this.all.hidden = this.stop.hidden = open.length === 0;
    this.all.value = bytes((u) => u.size * u.part) / Math.max(1, bytes((u) => u.size));
    this.title.textContent = open.length > 0 ? `Uploading ${sent.length - open.length} of ${sent.length}` : "Uploads";
    const words = [this.queue.paused && open.length > 0 ? "Waiting for the server" : "", refused > 0 ? `${refused} refused` : ""];
    this.status.textContent = words.filter(Boolean).join(", ");
  }
}

/** One file. */
class Line {
  readonly element: HTMLLIElement;
  private readonly bar: HTMLProgressElement;
  private readonly note = h("small", {});
  private readonly cancel: HTMLButtonElement;
  private state = "";
  private gone: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { id, name }: Upload,
    private readonly queue: UploadQueue,
  ) {
    this.bar = h("progress", { max: 1, value: 0, "aria-label": `Progress of ${name}` });
    this.cancel = iconButton("close", `Cancel ${name}`, () => queue.cancel(id));
    this.element = h("li", {}, h("span", { class: "name", title: name }, name), this.note, this.cancel, this.bar);
  }

  draw(upload: Upload, paused: boolean): void {
    const { state, part } = upload;
    this.bar.value = part;
    if (state === "sending") {
      this.note.textContent = part < 1 ? `${Math.round(part * 100)} %` : "storing";
    } else if (state === "waiting") {
      this.note.textContent = paused ? "paused" : "waiting";
    }
    if (state === this.state) {
      return;
    }
    this.state = state;
    this.element.className = { waiting: "", sending: "", done: "over done", refused: "over failed" }[state];
    this.cancel.hidden = state === "done" || state === "refused";
    if (state === "done") {
      this.note.replaceChildren(icon("check"));
      this.gone ??= setTimeout(() => this.queue.cancel(upload.id), LINGER);
    } else if (state === "refused") {
      const again = h("button", { class: "link", type: "button", onclick: () => this.queue.retry(upload.id) }, "Try again");
      this.note.replaceChildren(upload.problem, " ", ...(upload.retryable ? [again] : []));
    }
  }
}
