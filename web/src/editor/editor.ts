import type { App, View } from "../app";
import { History, RestError, newID, type Image, type Op, type Rejection, type Session } from "../client";
import { h, icon, iconButton, toast, type Icon } from "../dom";
import { showHelp } from "../dialog";
import { mayManage } from "../roles";
import { toggleTheme } from "../theme";
import { Badge } from "./badge";
import { Batch } from "./batch";
import { Chat } from "./chat";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { People } from "./people";
import { Popover } from "./popover";
import { Stage, type Box } from "./stage";

const LAST_LABEL = "easel:label";

/** One image, full page: draw, move, label, delete, and see the others do so. */
export function openEditor(app: App, id: string): View {
  return new Editor(app, id);
}

class Editor implements View {
  readonly element: HTMLElement;
  private readonly closing = new AbortController();
  private readonly badge = new Badge();
  private readonly people = new People();
  private readonly panel: Panel;
  private readonly stageElement = h("div", { class: "stage" });
  private readonly notice = h("div", { class: "notice", hidden: true, role: "alert" });
  private readonly title = h("b", { class: "title" }, "…");
  private readonly details = h("small", {});
  private readonly tools: Record<"select" | "box", HTMLButtonElement>;
  private session: Session | null = null;
  private stage: Stage | null = null;
  private overlay: Overlay | null = null;
  private popover: Popover | null = null;
  private pictureURL = "";
  private tool: "select" | "box" = "box";
  private panning = false;
  private gone = false;
  private focusNext = "";
  private readonly chat: Chat;
  private readonly history: History;
  /** What the session changed since the last frame. */
  private readonly changes = new Batch((change) => {
    this.stage?.apply(change);
    this.refresh();
  });
  private readonly undoButton = iconButton("undo", "Undo (Ctrl+Z)", () => this.takeBack(true), { disabled: true });
  private readonly redoButton = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => this.takeBack(false), { disabled: true });
  private picked: { id: string; x: number; y: number } | null = null;
  /** Letters typed between the end of a drag and its box: they are its label. */
  private typedEarly: string | null = null;
  private waitingUndo: (() => void) | null = null;
  private image: Image | null = null;

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {
    this.history = app.histories.get(id) ?? new History();
    app.histories.set(id, this.history);
    this.chat = new Chat(app, id);
    this.panel = new Panel({
      select: (box) => this.select([box]),
      remove: (box) => this.remove([box]),
    });
    this.tools = {
      select: this.toolButton("select", "Select and pan (V)", "select"),
      box: this.toolButton("box", "Draw boxes (B)", "box"),
    };
    this.element = h(
      "main",
      { class: "editor" },
      h(
        "header",
        { class: "bar" },
        h("a", { class: "icon-button", href: "#/", "aria-label": "All images", title: "All images" }, icon("back")),
        h("span", { class: "titles" }, this.title, this.details),
        this.badge.element,
        h("span", { class: "grow" }),
        this.people.element,
        h(
          "span",
          { class: "group" },
          this.chat.button,
          iconButton("theme", "Light or dark", toggleTheme),
          iconButton("help", "Keyboard help (?)", showHelp),
          iconButton("left", "Previous image (←)", () => this.step(-1)),
          iconButton("right", "Next image (→)", () => this.step(1)),
        ),
      ),
      h(
        "div",
        { class: "workspace" },
        h(
          "section",
          { class: "stage-frame" },
          this.stageElement,
          h(
            "div",
            { class: "toolbar card", role: "toolbar", "aria-label": "Tools" },
            this.tools.select,
            this.tools.box,
            h("hr", {}),
            this.undoButton,
            this.redoButton,
            h("hr", {}),
            iconButton("plus", "Zoom in (+)", () => this.stage?.zoom(1.4)),
            iconButton("minus", "Zoom out (−)", () => this.stage?.zoom(1 / 1.4)),
            iconButton("fit", "Fit to screen (0)", () => this.stage?.fit()),
          ),
          this.notice,
        ),
        h("div", { class: "side" }, this.panel.element, this.chat.element),
      ),
    );
    this.badge.element.title = "Edits are saved by themselves";
    this.stageElement.append(h("span", { class: "spinner", role: "status", "aria-label": "Loading" }));
    this.listen();
    void this.open();
  }

  close(): void {
    this.closing.abort();
    this.session?.presence({ cursor: undefined, selection: undefined, draft: undefined });
    this.app.sessions.leave(this.id);
    this.changes.close();
    this.overlay?.close();
    this.panel.close();
    this.stage?.close();
    if (this.pictureURL) {
      URL.revokeObjectURL(this.pictureURL);
    }
  }

  private async open(): Promise<void> {
    const { rest, sessions } = this.app;
    const session = await sessions.enter(this.id);
    if (this.closing.signal.aborted) {
      return;
    }
    this.follow(session);
    try {
      const image = await rest.image(this.id);
      this.describe(image);
      // A browser does not show TIFF: a large thumbnail stands in for it.
      const picture = image.content_type === "image/tiff" ? rest.thumbnail(this.id, 2048) : rest.file(this.id, this.closing.signal);
      this.pictureURL = URL.createObjectURL(await picture);
      const stage = await Stage.open(this.freshStage(), this.pictureURL, {
        drawn: (box) => this.drawn(box),
        dragging: (box, at) => this.session?.presence({ draft: at, selection: [box] }),
        moved: (boxes) => this.moved(boxes),
        selected: () => this.selectionChanged(),
        placed: () => this.placed(),
      });
      if (this.closing.signal.aborted) {
        stage.close();
        return;
      }
      this.stageReady(stage);
    } catch (err) {
      if (!this.closing.signal.aborted) {
        this.failed(err);
      }
    }
  }

  private follow(session: Session): void {
    const { app } = this;
    const on: Session["on"] = (kind, fn) => {
      const off = session.on(kind, fn);
      this.closing.signal.addEventListener("abort", off);
      return off;
    };
    on("status", (status) => {
      this.badge.show(status);
      if (status.phase !== "live") {
        this.chat.lost();
        this.waitingUndo = null;
      } else if (this.waitingUndo) {
        queueMicrotask(() => this.waitingUndo?.());
      }
      if (status.stop === "unauthenticated") {
        app.signOut("Your token has expired. Edits that wait are kept in this browser.");
      } else if (status.stop === "missing") {
        this.deleted(true);
      }
    });
    on("change", (change) => this.changes.add(change));
    on("peers", () => this.refreshPeople());
    on("welcome", () => {
      this.modes();
      void this.chat.catchUp();
    });
    on("chat", (line) => this.chat.hear(line));
    on("rejected", (r) => this.rejected(r));
    on("problem", (p) => toast(p.message, "error"));
    on("image", (image) => {
      this.describe(image);
      this.deleted(image.deleted_at !== null && image.deleted_at !== undefined);
    });
    this.session = session;
    this.chat.follow(session);
    if (session.status.phase === "live") {
      void this.chat.catchUp();
    }
    this.badge.show(session.status);
    this.refresh();
  }

  private freshStage(): HTMLElement {
    const surface = h("div", { class: "surface" });
    this.stageElement.prepend(surface);
    return surface;
  }

  private stageReady(stage: Stage): void {
    this.stageElement.querySelector(".spinner")?.remove();
    this.stage = stage;
    this.overlay = new Overlay(stage);
    this.popover = new Popover(stage, {
      label: (box, label) => {
        localStorage.setItem(LAST_LABEL, label);
        if (this.editable && this.session?.annotations.has(box)) {
          this.commit([{ k: "patch", id: box, set: { label } }]);
        }
      },
      remove: (box) => this.remove([box]),
      done: () => this.select([]),
    });
    this.stageElement.append(this.overlay.element, this.popover.element);
    this.trackCursor(stage);
    this.modes();
    stage.apply({ upserted: [...(this.session?.annotations.values() ?? [])], removed: [] });
    this.refresh();
    this.element.dataset.ready = "true";
  }

  private failed(err: unknown): void {
    if (err instanceof RestError && err.status === 401) {
      this.app.signOut("Your token has expired.");
      return;
    }
    const missing = err instanceof RestError && (err.status === 404 || err.status === 410);
    const text = missing ? "This image does not exist, or was deleted." : err instanceof Error ? err.message : "Something went wrong.";
    this.stageElement.replaceChildren(
      h(
        "div",
        { class: "blank", role: "alert" },
        icon("image"),
        h("h2", {}, missing ? "No such image" : "The picture did not come"),
        h("p", { class: "muted" }, text),
        missing
          ? h("span", { class: "group" }, h("a", { class: "button", href: "#/" }, "All images"), err.status === 410 && this.restoreButton())
          : h("button", { class: "button", type: "button", onclick: () => dispatchEvent(new HashChangeEvent("hashchange")) }, "Try again"),
      ),
    );
  }

  private describe(image: Image): void {
    this.image = image;
    this.title.textContent = image.filename;
    this.title.title = image.filename;
    this.details.textContent = image.width > 0 ? `${image.width} × ${image.height}` : "";
    document.title = `${image.filename} · Easel`;
  }

  private deleted(gone: boolean): void {
    this.gone = gone;
    this.notice.hidden = !gone;
    this.notice.replaceChildren(gone ? "This image was deleted. It can be looked at, but not changed. " : "");
    if (gone && this.image && mayManage(this.app.me, this.image)) {
      this.notice.append(this.restoreButton());
    }
    this.modes();
  }

  private restoreButton(): HTMLElement {
    const restore = () =>
      this.app.rest.restore(this.id).then(
        () => dispatchEvent(new HashChangeEvent("hashchange")),
        (err: Error) => toast(err.message, "error"),
      );
    return h("button", { class: "button", type: "button", onclick: () => void restore() }, "Restore");
  }

  private get editable(): boolean {
    return !this.gone && (this.session?.role || this.app.me.role) !== "viewer";
  }

  private modes(): void {
    const drawing = this.tool === "box" && !this.panning;
    this.stage?.setMode(drawing, this.editable);
    this.tools.box.disabled = !this.editable;
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String((this.editable ? this.tool : "select") === name));
    }
  }

  private drawn(box: Box): void {
    const label = localStorage.getItem(LAST_LABEL) || "object";
    const id = newID();
    this.commit([{ k: "put", id, annotation: { label, ...box } }]);
    this.session!.presence({ draft: undefined });
    this.focusNext = id;
    this.select([id]);
  }

  private moved(boxes: Map<string, Box>): void {
    this.session?.presence({ draft: undefined });
    const known = [...boxes].filter(([id]) => this.session?.annotations.has(id));
    if (known.length > 0) {
      this.commit(known.map(([id, set]) => ({ k: "patch", id, set })));
    }
    this.refresh();
  }

  private remove(ids: string[]): void {
    const known = ids.filter((id) => this.session?.annotations.has(id));
    if (this.editable && known.length > 0) {
      this.commit(known.map((id) => ({ k: "del", id })));
    }
  }

  /** A large selection is several transactions, each of which fits in a frame. */
  private commit(ops: Op[]): void {
    const most = 200;
    this.history.record(this.session!.annotations, ops);
    this.send(ops, most);
    this.refresh();
  }

  private send(ops: Op[], most: number): void {
    for (let i = 0; i < ops.length; i += most) {
      this.session!.commit(ops.slice(i, i + most));
    }
    this.changes.flush(); // an own edit is on the picture when this returns
  }

  /** Undoes (or does again) this person's last deed, as far as nobody has changed it since. */
  private takeBack(back: boolean): void {
    const { session, history } = this;
    if (!session || !this.editable) {
      return;
    }
    if (session.unsettled(history.touches(back))) {
      // Only a confirmed edit has the rev that protects the work of others.
      if (session.status.phase === "live") {
        this.waitingUndo = () => this.takeBack(back);
      } else {
        toast("This edit has not reached the server yet. It can be undone when you are online again.");
      }
      return;
    }
    this.waitingUndo = null;
    const plan = back ? history.undo(session.annotations) : history.redo(session.annotations);
    if (!plan) {
      toast(back ? "There is nothing to undo." : "There is nothing to redo.");
      return;
    }
    if (plan.ops.length > 0) {
      this.send(plan.ops, 200);
    }
    if (plan.kept.length > 0) {
      const people = [...new Set(plan.kept.map((k) => k.by ?? "somebody"))].map((user) => this.nameOf(user)).join(", ");
      toast(`Left alone, because it was changed since: ${plan.kept.length === 1 ? "1 box" : `${plan.kept.length} boxes`} (${people}).`, "error");
    }
    this.refresh();
  }

  private nameOf(user: string): string {
    const peer = [...(this.session?.peers.values() ?? [])].find((p) => p.user === user);
    return user === this.app.me.user_id ? "you" : (peer?.name || user);
  }

  private rejected({ code, message, ops }: Rejection): void {
    this.history.forget(new Set(ops.map((op) => op.id)));
    this.refresh();
    if (code === "gone" && ops.every((op) => op.k === "del")) {
      return; // two people deleted the same box
    }
    const box = this.session?.annotations.get(ops[0]!.id);
    const what = ops.length > 1 ? `${ops.length} changes` : box ? `your change of “${box.label}”` : "your change";
    const why: Record<string, string> = {
      gone: this.gone ? "the image was deleted." : "somebody deleted that box in the meantime.",
      conflict: box ? `${this.nameOf(box.updated_by)} changed it in the meantime.` : "somebody changed it in the meantime.",
      forbidden: "your role does not allow it.",
    };
    toast(`Not saved: ${what}, because ${why[code] ?? message}`, "error");
  }

  private select(ids: string[]): void {
    this.changes.flush();
    this.stage?.select(ids);
    this.selectionChanged();
  }

  private selectionChanged(): void {
    this.session?.presence({ selection: this.stage?.selection ?? [] });
    this.refresh();
  }

  private refresh(): void {
    if (!this.session) {
      return;
    }
    const { annotations } = this.session;
    const selected = this.stage?.selection ?? [];
    this.panel.show(annotations, selected, this.editable);
    this.refreshPeople();
    this.undoButton.disabled = !this.editable || !this.history.canUndo;
    this.redoButton.disabled = !this.editable || !this.history.canRedo;
    const one = selected.length === 1 && this.editable ? (annotations.get(selected[0]!) ?? null) : null;
    const focus = one !== null && one.id === this.focusNext;
    this.popover?.show(one, this.knownLabels(), focus);
    if (focus) {
      this.popover?.type(this.typedEarly ?? "");
      this.typedEarly = null;
      this.focusNext = "";
    }
  }

  /** Cursors move many times a second: the rest of the page is left alone. */
  private refreshPeople(): void {
    if (this.session) {
      this.people.show(this.session.peers);
      this.chat.meet(this.session.peers);
      this.panel.hold(this.session.peers);
      this.overlay?.show(this.session.annotations, this.session.peers);
    }
  }

  /** Labels in use, most used first. */
  private knownLabels(): string[] {
    const counts = new Map<string, number>();
    for (const a of this.session!.annotations.values()) {
      counts.set(a.label, (counts.get(a.label) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]).map(([label]) => label);
  }

  private placed(): void {
    this.overlay?.place();
    this.popover?.place();
  }

  private trackCursor(stage: Stage): void {
    const { signal } = this.closing;
    let start: [number, number] | null = null;
    let pressed: { x: number; y: number } | null = null;
    stage.element.addEventListener(
      "pointerdown",
      (e) => {
        const onHandle = e.target instanceof Element && e.target.closest(".a9s-handle, .a9s-shape-handle, .a9s-edge-handle");
        pressed = e.isPrimary && e.button === 0 && start === null && !onHandle ? { x: e.clientX, y: e.clientY } : null;
        start = this.tool === "box" && !this.panning && this.editable && !onHandle ? stage.fromScreen(e) : null;
      },
      { signal, capture: true },
    );
    stage.element.addEventListener(
      "pointermove",
      (e) => {
        const at = stage.fromScreen(e);
        const draft = start && {
          x: Math.min(start[0], at[0]),
          y: Math.min(start[1], at[1]),
          width: Math.abs(at[0] - start[0]),
          height: Math.abs(at[1] - start[1]),
        };
        this.session?.presence({ cursor: at, ...(draft ? { draft } : {}) });
      },
      { signal, capture: true },
    );
    addEventListener(
      "pointerup",
      (e) => {
        const still = pressed && Math.hypot(e.clientX - pressed.x, e.clientY - pressed.y) < 4;
        pressed = null;
        if (still && !(e.target instanceof Element && e.target.closest(".popover, .toolbar"))) {
          setTimeout(() => !this.closing.signal.aborted && this.pick(stage, e)); // after Annotorious' own idea of it
        }
        if (start) {
          start = null;
          if (!still) {
            this.typedEarly = "";
            setTimeout(() => (this.typedEarly = null), 1500);
          }
          this.session?.presence({ draft: undefined });
        }
      },
      { signal, capture: true },
    );
    stage.element.addEventListener("pointerleave", () => this.session?.presence({ cursor: undefined }), { signal });
  }

  /** Selects the smallest box at a click; clicking again goes to the next larger one. */
  private pick(stage: Stage, at: PointerEvent): void {
    const slack = at.pointerType === "touch" ? 14 : 5;
    const hits = stage.boxesAt(at, this.session?.annotations.values() ?? [], slack);
    const before = this.picked;
    const again = before && Math.hypot(at.clientX - before.x, at.clientY - before.y) < 6 && hits.length > 0;
    const index = again ? (hits.indexOf(before.id) + 1) % hits.length : 0;
    const id = hits[index];
    this.picked = id ? { id, x: at.clientX, y: at.clientY } : null;
    this.select(id ? [id] : []);
  }

  private step(by: number): void {
    const list = this.app.listed;
    const go = () => {
      const at = this.app.listed.findIndex((image) => image.id === this.id);
      const next = this.app.listed[at + by];
      if (next && at >= 0) {
        location.hash = `#/images/${next.id}`;
      } else {
        toast(by > 0 ? "This is the last image." : "This is the first image.");
      }
    };
    if (list.length > 0) {
      go();
      return;
    }
    this.app.rest.images().then(
      (page) => {
        this.app.listed = page.images ?? [];
        go();
      },
      (err: Error) => toast(err.message, "error"),
    );
  }

  private toolButton(name: Icon, label: string, tool: "select" | "box"): HTMLButtonElement {
    return iconButton(name, label, () => this.setTool(tool), { "aria-pressed": "false" });
  }

  private setTool(tool: "select" | "box"): void {
    this.tool = tool;
    this.modes();
  }

  private listen(): void {
    const { signal } = this.closing;
    addEventListener("keydown", (e) => this.keydown(e), { signal, capture: true });
    addEventListener("keyup", (e) => e.key === " " && this.pan(false), { signal });
    addEventListener("blur", () => this.pan(false), { signal });
    addEventListener("online", () => this.session?.nudge(), { signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.session?.nudge(), { signal });
  }

  private pan(on: boolean): void {
    if (this.panning !== on) {
      this.panning = on;
      this.modes();
    }
  }

  private keydown(e: KeyboardEvent): void {
    if (document.querySelector("dialog[open]")) {
      return;
    }
    const typing = e.target instanceof HTMLElement && e.target.closest("input, textarea, select");
    if (typing) {
      return;
    }
    if ((e.ctrlKey || e.metaKey) && ["z", "y"].includes(e.key.toLowerCase())) {
      e.stopImmediatePropagation(); // Annotorious would undo behind the session's back
      e.preventDefault();
      this.takeBack(e.key.toLowerCase() === "z" && !e.shiftKey);
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey) {
      return;
    }
    if (this.typedEarly !== null && e.key.length === 1) {
      this.typedEarly += e.key;
      e.preventDefault();
      e.stopImmediatePropagation();
      return;
    }
    const actions: Record<string, () => void> = {
      Delete: () => this.remove(this.stage?.selection ?? []),
      Backspace: () => this.remove(this.stage?.selection ?? []),
      Escape: () => {
        this.stage?.cancelDrawing();
        this.select([]);
      },
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      "?": showHelp,
      c: () => this.chat.toggle(),
      v: () => this.setTool("select"),
      b: () => this.setTool("box"),
      "+": () => this.stage?.zoom(1.4),
      "=": () => this.stage?.zoom(1.4),
      "-": () => this.stage?.zoom(1 / 1.4),
      "0": () => this.stage?.fit(),
      " ": () => this.pan(true),
    };
    const action = actions[e.key];
    const onButton = e.target instanceof HTMLElement && e.target.closest("button, a");
    if (action && !(e.key === " " && onButton)) {
      e.preventDefault();
      e.stopImmediatePropagation();
      if (!e.repeat || e.key === "+" || e.key === "-") {
        action();
      }
    }
  }
}
