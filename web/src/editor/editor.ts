import type { App, View } from "../app";
import { History, RestError, draftOf, newID, type Annotation, type Image, type Op, type Rejection, type Session } from "../client";
import { colorOf } from "../colors";
import { h, icon, iconButton, toast, type Icon } from "../dom";
import { askText, showHelp } from "../dialog";
import { mayManage } from "../roles";
import { STATES, stateOf } from "../states";
import { toggleTheme } from "../theme";
import { Badge } from "./badge";
import { Batch } from "./batch";
import { Chat } from "./chat";
import { ConflictList } from "./conflicts";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { People } from "./people";
import { Popover } from "./popover";
import { shift, type Place } from "./shapes";
import { Stage, type DrawingTool } from "./stage";
import { Timeline } from "./timeline";

const LAST_LABEL = "easel:label";

type Tool = "select" | "box" | "polygon" | "ellipse" | "path" | "point";

/** What Annotorious calls our tools; points are not drawn but clicked. */
const DRAWS: Partial<Record<Tool, DrawingTool>> = { box: "rectangle", polygon: "polygon", ellipse: "ellipse", path: "path" };

/** One image, full page: draw, move, label, delete, and see the others do so. */
export function openEditor(app: App, id: string): View {
  return new Editor(app, id);
}

class Editor implements View {
  readonly element: HTMLElement;
  private readonly closing = new AbortController();
  private readonly badge = new Badge();
  private readonly people = new People((user) => this.accompany(user === this.followed ? "" : user));
  private readonly panel: Panel;
  private readonly stageElement = h("div", { class: "stage" });
  /** Whose view this page shows; "" for its own. */
  private followed = "";
  private readonly following = h("button", { class: "following", type: "button", hidden: true, onclick: () => this.accompany("") });
  private readonly notice = h("div", { class: "notice", hidden: true, role: "alert" });
  private readonly title = h("b", { class: "title" }, "…");
  private readonly details = h("small", {});
  private readonly state = h(
    "select",
    { class: "field state-field", "aria-label": "State of this image", hidden: true, onchange: () => void this.setState(this.state.value) },
    ...Object.entries(STATES).map(([value, text]) => h("option", { value }, text)),
  );
  private readonly tools: Record<Tool, HTMLButtonElement>;
  private session: Session | null = null;
  private stage: Stage | null = null;
  private overlay: Overlay | null = null;
  private popover: Popover | null = null;
  private pictureURL = "";
  private tool: Tool = "box";
  private panning = false;
  private gone = false;
  private focusNext = "";
  private readonly chat: Chat;
  private readonly conflicts: ConflictList;
  private readonly timeline: Timeline;
  /** The annotations of an earlier version, while that is shown. */
  private then: ReadonlyMap<string, Annotation> | null = null;
  private history = new History();
  /** The picture could not be had; the next connection asks again. */
  private pictureMissing = false;
  /** What the session changed since the last frame. */
  private readonly changes = new Batch((change) => {
    if (!this.then) {
      this.stage?.apply(change);
    }
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
    this.chat = new Chat(app, id);
    this.conflicts = new ConflictList(id, app.conflicts, {
      commit: (ops) => this.commit(ops),
      look: (box) => this.select([box]),
      annotation: (box) => this.session?.annotations.get(box),
      name: (user) => this.nameOf(user),
    });
    this.closing.signal.addEventListener("abort", app.conflicts.on("change", (image) => image === id && this.conflicts.draw()));
    this.timeline = new Timeline(app, id, {
      show: (then) => this.travel(then),
      name: (user) => (user === app.me.user_id ? "You" : this.nameOf(user)),
    });
    this.panel = new Panel({
      select: (box) => this.select([box]),
      remove: (box) => this.remove([box]),
    });
    this.tools = {
      select: this.toolButton("select", "Select and pan (V)", "select"),
      box: this.toolButton("box", "Draw boxes (B)", "box"),
      polygon: this.toolButton("polygon", "Draw polygons (P): click the corners, then the first one again", "polygon"),
      ellipse: this.toolButton("ellipse", "Draw ellipses (E)", "ellipse"),
      path: this.toolButton("path", "Draw lines (L): click, and double-click at the end", "path"),
      point: this.toolButton("point", "Set points (O)", "point"),
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
        this.state,
        h("span", { class: "grow" }),
        this.people.element,
        h(
          "span",
          { class: "group" },
          this.timeline.button,
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
            this.tools.polygon,
            this.tools.ellipse,
            this.tools.path,
            this.tools.point,
            iconButton("tag", "Tag the image (T)", () => void this.addTag()),
            h("hr", {}),
            this.undoButton,
            this.redoButton,
            h("hr", {}),
            iconButton("plus", "Zoom in (+)", () => this.stage?.zoom(1.4)),
            iconButton("minus", "Zoom out (−)", () => this.stage?.zoom(1 / 1.4)),
            iconButton("fit", "Fit to screen (0)", () => this.stage?.fit()),
          ),
          this.notice,
          this.following,
          this.timeline.element,
        ),
        h("div", { class: "side" }, this.conflicts.element, this.panel.element, this.chat.element),
      ),
    );
    this.badge.element.title = "Edits are saved by themselves";
    this.stageElement.append(h("span", { class: "spinner", role: "status", "aria-label": "Loading" }));
    this.listen();
    void this.open();
  }

  close(): void {
    this.closing.abort();
    this.session?.presence({ cursor: undefined, selection: undefined, draft: undefined, view: undefined });
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
    const session = await this.app.sessions.enter(this.id);
    this.history = await this.app.histories.of(this.id, session.client);
    if (this.closing.signal.aborted) {
      return;
    }
    this.follow(session);
    await this.openPicture();
  }

  private async openPicture(): Promise<void> {
    const { rest } = this.app;
    this.pictureMissing = false;
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
        steered: () => this.accompany(""),
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
      if (status.phase === "live" && this.pictureMissing) {
        this.stageElement.replaceChildren();
        void this.openPicture();
      }
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
    this.conflicts.draw();
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
    this.pictureMissing = err instanceof RestError && err.code === "unreachable";
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
    this.state.hidden = false;
    this.state.disabled = !mayManage(this.app.me, image);
    this.state.value = stateOf(image);
  }

  /** Says how far the work on this image is; whoever may rename it may say so. */
  private async setState(state: string): Promise<void> {
    try {
      const now = await this.app.rest.image(this.id); // metadata is replaced as a whole
      this.describe(await this.app.rest.describe(this.id, { ...now.metadata, state }));
    } catch (err) {
      toast(err instanceof Error ? err.message : "The state was not saved.", "error");
      if (this.image) {
        this.describe(this.image);
      }
    }
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
    return !this.gone && !this.then && (this.session?.role || this.app.me.role) !== "viewer";
  }

  private modes(): void {
    this.stage?.setMode((!this.panning && DRAWS[this.tool]) || null, this.editable);
    for (const [name, button] of Object.entries(this.tools)) {
      button.disabled = name !== "select" && !this.editable;
    }
    for (const [name, button] of Object.entries(this.tools)) {
      button.setAttribute("aria-pressed", String((this.editable ? this.tool : "select") === name));
    }
  }

  /** Says something of the image as a whole. */
  private async addTag(): Promise<void> {
    const label = this.editable && (await askText("Tag the image", "Tag", ""));
    if (label && this.editable) {
      this.commit([{ k: "put", id: newID(), annotation: { label: [...label].slice(0, 100).join(""), x: 0, y: 0, width: 1, height: 1, shape: { type: "tag" } } }]);
    }
  }

  private drawn(box: Place): void {
    const label = localStorage.getItem(LAST_LABEL) || "object";
    const id = newID();
    this.commit([{ k: "put", id, annotation: { label, ...box } }]);
    this.session!.presence({ draft: undefined });
    this.focusNext = id;
    this.select([id]);
  }

  private moved(boxes: Map<string, Place>): void {
    this.session?.presence({ draft: undefined });
    const known = [...boxes].filter(([id]) => this.session?.annotations.has(id));
    if (known.length > 0) {
      this.commit(known.map(([id, set]) => ({ k: "patch", id, set })));
    }
    this.refresh();
  }

  private get selected(): Annotation[] {
    return (this.stage?.selection ?? []).map((id) => this.session?.annotations.get(id)).filter((a) => a !== undefined);
  }

  /** Moves what is selected by so many pixels of the screen. */
  private nudge(dx: number, dy: number): void {
    const pixel = this.stage?.pixel();
    if (this.editable && pixel && this.selected.length > 0) {
      this.commit(this.selected.map((a) => ({ k: "patch", id: a.id, set: shift(a, dx * pixel.x, dy * pixel.y) })));
    }
  }

  /** Puts a copy beside what is selected, and selects it. */
  private duplicate(): void {
    const pixel = this.stage?.pixel();
    if (!this.editable || !pixel || this.selected.length === 0) {
      return;
    }
    const copies = this.selected.map((a) => ({ ...draftOf(a), ...shift(a, 12 * pixel.x, 12 * pixel.y) }));
    const ops = copies.map((annotation): Op => ({ k: "put", id: newID(), annotation }));
    this.commit(ops);
    this.select(ops.map((op) => op.id));
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
    this.keepHistory();
    this.send(ops, most);
    this.refresh();
  }

  private keepHistory(): void {
    this.app.histories.save(this.id, this.session!.client, this.history);
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
    if (!session || !session.loaded || !this.editable) {
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
    this.keepHistory();
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

  /** The list beside the picture tells what was not saved, and lets its author decide. */
  private rejected({ ops }: Rejection): void {
    this.history.forget(new Set(ops.map((op) => op.id)));
    this.keepHistory();
    this.refresh();
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
    const annotations = this.shown;
    const selected = this.stage?.selection ?? [];
    this.panel.show(annotations, selected, this.editable);
    this.conflicts.draw();
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
      this.people.show(this.session.peers, this.session.annotations, this.followed);
      this.lookAlong();
      this.chat.meet(this.session.peers);
      this.panel.hold(this.session.peers);
      this.overlay?.show(this.shown, this.session.peers);
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

  /** What is shown: the image as it is, or as it was. */
  private get shown(): ReadonlyMap<string, Annotation> {
    return this.then ?? this.session?.annotations ?? new Map();
  }

  /** Shows another version, or null for the present one. */
  private travel(then: ReadonlyMap<string, Annotation> | null): void {
    if (!this.session || then === this.then) {
      return;
    }
    this.select([]);
    const before = this.shown;
    this.then = then;
    const after = this.shown;
    this.stage?.apply({ upserted: [...after.values()], removed: [...before.keys()].filter((id) => !after.has(id)) });
    this.element.classList.toggle("past", then !== null);
    this.modes();
    this.refresh();
  }

  /** Shows what another person looks at, until this one moves the picture. */
  private accompany(user: string): void {
    if (this.followed === user) {
      return;
    }
    this.followed = user;
    const name = user && this.nameOf(user);
    this.following.hidden = !user;
    this.following.textContent = user ? `Following ${name}: stop` : "";
    this.following.style.setProperty("--tint", user ? colorOf(user) : "");
    this.refreshPeople();
  }

  private lookAlong(): void {
    if (!this.followed) {
      return;
    }
    const peers = [...this.session!.peers.values()].filter((p) => p.user === this.followed);
    if (peers.length === 0) {
      this.accompany("");
      return;
    }
    const view = peers.find((p) => p.state.view?.length === 4)?.state.view;
    if (view) {
      this.stage?.look(view as [number, number, number, number]);
    }
  }

  private placed(): void {
    if (this.stage) {
      const view = this.stage.view();
      this.session?.presence({ view });
      this.element.dataset.zoom = (1 / view[2]!).toFixed(2);
    }
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
    if (this.tool === "polygon" || this.tool === "path") {
      return; // a click is a corner
    }
    const [x, y] = stage.fromScreen(at);
    if (this.tool === "point" && this.editable && x >= 0 && y >= 0 && x <= 1 && y <= 1) {
      this.drawn({ x, y, width: 0, height: 0, shape: { type: "point", points: [[x, y]] } });
      return;
    }
    const slack = at.pointerType === "touch" ? 14 : 5;
    const hits = stage.boxesAt(at, this.shown.values(), slack);
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

  private toolButton(name: Icon, label: string, tool: Tool): HTMLButtonElement {
    return iconButton(name, label, () => this.setTool(tool), { "aria-pressed": "false" });
  }

  private setTool(tool: Tool): void {
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
      if (this.timeline.open && typing.matches("input[type=range]") && (e.key === "Escape" || e.key === "h")) {
        e.preventDefault();
        this.timeline.toggle();
      }
      return;
    }
    if ((e.ctrlKey || e.metaKey) && ["z", "y"].includes(e.key.toLowerCase())) {
      e.stopImmediatePropagation(); // Annotorious would undo behind the session's back
      e.preventDefault();
      this.takeBack(e.key.toLowerCase() === "z" && !e.shiftKey);
      return;
    }
    if (e.ctrlKey || e.metaKey) {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
      if (move || e.key.toLowerCase() === "d") {
        e.preventDefault();
        e.stopImmediatePropagation();
        move ? this.nudge(move[0]! * (e.shiftKey ? 10 : 1), move[1]! * (e.shiftKey ? 10 : 1)) : this.duplicate();
      }
      return;
    }
    if (e.altKey) {
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
        this.accompany("");
        this.stage?.cancelDrawing();
        this.select([]);
      },
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      "?": showHelp,
      c: () => this.chat.toggle(),
      h: () => this.timeline.toggle(),
      v: () => this.setTool("select"),
      b: () => this.setTool("box"),
      p: () => this.setTool("polygon"),
      e: () => this.setTool("ellipse"),
      l: () => this.setTool("path"),
      o: () => this.setTool("point"),
      t: () => void this.addTag(),
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
