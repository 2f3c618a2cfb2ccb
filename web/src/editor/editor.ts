import type { App, View } from "../app";
import { RestError, type Annotation, type Session } from "@easelhq/client";
import { showHelp } from "../dialog";
import { h, icon, iconButton, toast } from "../dom";
import { toggleTheme } from "../theme";
import { AttributeEditor } from "./attributes";
import { Badge } from "./badge";
import { Batch } from "./batch";
import { blank, restoreButton } from "./blank";
import { Chat } from "./chat";
import { ConflictList } from "./conflicts";
import { Edits } from "./edits";
import { Filter, Visible } from "./filter";
import { Following } from "./following";
import { ImageBar } from "./image-bar";
import { Judging, mayReview } from "./judging";
import { listenToKeys } from "./keys";
import { Overlay } from "./overlay";
import { Paint, proposed } from "./paint";
import { Panel } from "./panel";
import { People } from "./people";
import { Pinch } from "./pinch";
import { Picture } from "./picture";
import { Pointer } from "./pointer";
import { Popover } from "./popover";
import { Proposals } from "./proposals";
import type { Place } from "./shapes";
import { Stage, type StageEvents } from "./stage";
import { Timeline } from "./timeline";
import { Tools } from "./tools";

/** One image, full page: draw, move, label, delete, and see the others do so. */
export function openEditor(app: App, id: string): View {
  return new Editor(app, id);
}

/**
 * Puts the parts together: what the session says is shown, what a person does
 * becomes edits. Its own are which annotations are shown, and whether they can
 * be changed.
 */
class Editor implements View {
  readonly element: HTMLElement;
  private readonly closing = new AbortController();
  private readonly badge = new Badge();
  private readonly paint: Paint;
  private readonly people = new People((user) => this.following.toggle(user));
  private readonly following: Following;
  private readonly visible = new Visible();
  private readonly filter: Filter;
  private readonly attributes: AttributeEditor;
  private readonly judging: Judging;
  private readonly proposals: Proposals;
  private readonly panel: Panel;
  private readonly bar: ImageBar;
  private readonly tools: Tools;
  private readonly chat: Chat;
  private readonly conflicts: ConflictList;
  private readonly timeline: Timeline;
  private readonly stageElement = h("div", { class: "stage" });
  private readonly notice = h("div", { class: "notice", hidden: true, role: "alert" });
  private session: Session | null = null;
  private edits: Edits | null = null;
  private stage: Stage | null = null;
  private overlay: Overlay | null = null;
  private popover: Popover | null = null;
  private pointer: Pointer | null = null;
  private picture: Picture | null = null;
  /** The picture could not be had; the next connection asks again. */
  private pictureMissing = false;
  private gone = false;
  /** The box whose label is asked for as soon as it is shown. */
  private focusNext = "";
  /** The annotations of an earlier version, while that is shown. */
  private then: ReadonlyMap<string, Annotation> | null = null;
  /** A selected annotation that is nowhere on the picture, or "". */
  private offPicture = "";
  /** What the session changed since the last frame. */
  private readonly changes = new Batch((change) => {
    if (!this.then) {
      const seen = this.visible.take(change);
      this.stage?.apply(seen);
    }
    this.refresh();
  });

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {
    this.paint = new Paint(app.labels);
    this.bar = new ImageBar(app, id);
    this.chat = new Chat(app, id);
    this.following = new Following({
      changed: () => this.refreshPeople(),
      look: (view) => this.stage?.look(view),
      name: (user) => this.nameOf(user),
    });
    this.conflicts = new ConflictList(id, app.conflicts, {
      commit: (ops) => this.edits?.commit(ops),
      look: (box) => this.select([box]),
      annotation: (box) => this.session?.annotations.get(box),
      name: (user) => this.nameOf(user),
    });
    this.closing.signal.addEventListener("abort", app.conflicts.on("change", (image) => image === id && this.conflicts.draw()));
    this.timeline = new Timeline(app, id, new Judging(app, id), {
      show: (then) => this.travel(then),
      name: (user) => (user === app.me.user_id ? "You" : this.nameOf(user)),
    });
    this.filter = new Filter(this.paint, {
      changed: (wanted) => {
        const change = this.visible.want(wanted, this.all);
        this.stage?.apply(change);
        this.refresh();
      },
      name: (user) => this.nameOf(user),
    });
    this.filter.onOpen(() => this.filter.offer(this.all));
    this.attributes = new AttributeEditor(app.labels, {
      set: (box, name, value) => this.edits?.attribute(box, name, value),
      fillHoles: (box) => this.edits?.fillHoles(box),
    });
    this.judging = new Judging(app, id);
    this.proposals = new Proposals(this.paint, {
      select: (box) => this.select([box]),
      judge: (accept, ids) => this.judge(accept, ids),
      acceptFrom: (confidence) => this.judging.acceptFrom(confidence),
      toggle: () => this.filter.toggleProposals(),
    });
    const events = { select: (box: string) => this.select([box]), remove: (box: string) => this.edits?.remove([box]) };
    this.panel = new Panel(app.labels, this.paint, events, { filter: this.filter.element, below: [this.attributes.element, this.proposals.element] });
    this.tools = new Tools({
      changed: () => {
        if (this.tools.chosen === "hole") {
          this.select([]); // a press on what is selected would move it
        }
        this.modes();
      },
      tag: () => void this.edits?.addTag(),
      undo: () => this.edits?.takeBack(true),
      redo: () => this.edits?.takeBack(false),
      zoom: (factor) => this.stage?.zoom(factor),
      fit: () => this.stage?.fit(),
    });
    this.element = this.layOut();
    this.badge.element.title = "Edits are saved by themselves";
    this.stageElement.append(h("span", { class: "spinner", role: "status", "aria-label": "Loading" }));
    this.listen();
    void this.open();
  }

  close(): void {
    this.stage?.settle(); // whoever goes on with a key while a pointer is down keeps what was dragged
    this.closing.abort();
    this.session?.presence({ cursor: undefined, selection: undefined, draft: undefined, view: undefined });
    this.app.sessions.leave(this.id);
    this.changes.close();
    this.overlay?.close();
    this.panel.close();
    this.proposals.close();
    this.stage?.close();
    this.picture?.close();
  }

  private layOut(): HTMLElement {
    const chores = h(
      "span",
      { class: "group" },
      this.timeline.button,
      this.chat.button,
      iconButton("theme", "Light or dark", toggleTheme),
      iconButton("help", "Keyboard help (?)", showHelp),
      iconButton("left", "Previous image (←)", () => void this.bar.step(-1)),
      iconButton("right", "Next image (→)", () => void this.bar.step(1)),
    );
    return h(
      "main",
      { class: "editor" },
      h(
        "header",
        { class: "bar" },
        h("a", { class: "icon-button", href: "#/", "aria-label": "All images", title: "All images" }, icon("back")),
        this.bar.titles,
        this.badge.element,
        this.bar.state,
        h("span", { class: "grow" }),
        this.people.element,
        chores,
      ),
      h(
        "div",
        { class: "workspace" },
        h(
          "section",
          { class: "stage-frame" },
          this.stageElement,
          this.tools.element,
          this.notice,
          this.following.element,
          this.timeline.element,
        ),
        h("div", { class: "side" }, this.conflicts.element, this.panel.element, this.chat.element),
      ),
    );
  }

  private listen(): void {
    const { app } = this;
    const { signal } = this.closing;
    listenToKeys(
      {
        remove: () => this.edits?.remove(this.selection),
        letGo: () => {
          this.following.stop();
          this.stage?.cancelDrawing();
          this.select([]);
        },
        step: (by) => void this.bar.step(by),
        chat: () => this.chat.toggle(),
        history: () => this.timeline.toggle(),
        past: () => this.timeline.open,
        tool: (tool) => this.tools.take(tool),
        tag: () => void this.edits?.addTag(),
        zoom: (factor) => this.stage?.zoom(factor),
        fit: () => this.stage?.fit(),
        pan: (on) => this.tools.pan(on),
        takeBack: (back) => this.edits?.takeBack(back),
        judge: (accept) => {
          const ids = this.selection.filter((box) => proposed(this.all.get(box) ?? {}));
          void this.judge(accept, ids);
        },
        proposal: (by) => {
          const next = this.proposals.next(this.selection[0] ?? "", by);
          this.select(next ? [next] : []);
        },
        proposals: () => this.proposals.toggle(),
        unfinished: () => void this.bar.unfinished(),
        nudge: (dx, dy) => this.edits?.nudge(dx, dy),
        duplicate: () => this.edits?.duplicate(),
        label: (key) => {
          const label = app.labels.chosenBy(key);
          return label !== undefined && (this.edits?.labelSelected(label) ?? false);
        },
        typed: (letter) => this.pointer?.type(letter) ?? false,
      },
      signal,
    );
    addEventListener("online", () => this.session?.nudge(), { signal });
    signal.addEventListener("abort", this.paint.on("change", () => this.refresh()));
    signal.addEventListener("abort", () => this.paint.close());
    const seen = () => {
      this.session?.nudge();
      void app.labels.refresh();
    };
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && seen(), { signal });
    void app.labels.refresh();
  }

  private async open(): Promise<void> {
    const session = await this.app.sessions.enter(this.id);
    const history = await this.app.histories.of(this.id, session.client);
    if (this.closing.signal.aborted) {
      return;
    }
    this.edits = new Edits(this.app, this.id, session, history, {
      editable: () => this.editable,
      selection: () => this.selection,
      pixel: () => this.stage?.pixel(),
      sent: () => this.changes.flush(), // an own edit is on the picture when it has been made
      changed: () => this.refresh(),
      select: (ids) => this.select(ids),
      name: (user) => this.nameOf(user),
    });
    this.follow(session, this.edits);
    await this.openPicture();
  }

  private follow(session: Session, edits: Edits): void {
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
      }
      edits.settle(status.phase);
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
    on("rejected", (r) => edits.rejected(r));
    on("problem", (p) => toast(p.message, "error"));
    on("image", (image) => {
      this.bar.show(image);
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

  private async openPicture(): Promise<void> {
    const { rest } = this.app;
    this.pictureMissing = false;
    try {
      const image = await rest.image(this.id);
      this.bar.show(image);
      this.picture?.close();
      this.picture = new Picture(rest, image, this.closing.signal);
      const source = await this.picture.open((better) => this.stage?.replace(better));
      const events: StageEvents = {
        drawn: (box) => this.drawn(box),
        dragging: (box, at) => this.session?.presence({ draft: at, selection: [box] }),
        moved: (boxes) => {
          this.session?.presence({ draft: undefined });
          this.edits?.move(boxes);
          this.refresh();
        },
        selected: () => this.selectionChanged(),
        placed: () => this.placed(),
        steered: () => this.following.stop(),
      };
      const stage = await Stage.open(this.freshStage(), source, events, this.paint);
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

  private freshStage(): HTMLElement {
    const surface = h("div", { class: "surface" });
    this.stageElement.prepend(surface);
    return surface;
  }

  private stageReady(stage: Stage): void {
    this.stageElement.querySelector(".spinner")?.remove();
    this.stage = stage;
    this.overlay = new Overlay(stage, this.paint);
    const naming = {
      label: (box: string, label: string) => this.edits?.label(box, label),
      remove: (box: string) => this.edits?.remove([box]),
      judge: (accept: boolean, box: string) => void this.judge(accept, [box]),
      done: () => this.select([]),
    };
    this.popover = new Popover(stage, naming, this.app.labels);
    this.stageElement.append(this.overlay.element, this.popover.element);
    // Before the pointer, which then hears nothing of a second finger.
    new Pinch(
      stage,
      {
        draws: () => ["box", "ellipse"].includes(this.tools.inHand ?? "") && this.editable,
        began: () => {
          this.pointer?.letGo();
          this.tools.pan(true);
        },
        ended: () => this.tools.pan(false),
      },
      this.closing.signal,
    );
    this.pointer = new Pointer(
      stage,
      {
        inHand: () => this.tools.inHand,
        chosen: () => this.tools.chosen,
        editable: () => this.editable,
        at: (cursor, draft) => this.session?.presence({ cursor: cursor ?? undefined, ...(draft ? { draft } : {}) }),
        drew: () => this.session?.presence({ draft: undefined }),
        point: (at) => this.drawn(at),
        select: (ids) => this.select(ids),
      },
      this.closing.signal,
    );
    this.modes();
    this.visible.reset(this.all);
    stage.apply({ upserted: [...this.shown.values()], removed: [] });
    this.refresh();
    this.element.dataset.ready = "true";
  }

  private failed(err: unknown): void {
    if (err instanceof RestError && err.status === 401) {
      this.app.signOut("Your token has expired.");
      return;
    }
    this.pictureMissing = err instanceof RestError && err.code === "unreachable";
    this.stageElement.replaceChildren(blank(this.app, this.id, err));
  }

  private deleted(gone: boolean): void {
    this.gone = gone;
    this.notice.hidden = !gone;
    this.notice.replaceChildren(gone ? "This image was deleted. It can be looked at, but not changed. " : "");
    if (gone && this.bar.manageable) {
      this.notice.append(restoreButton(this.app, this.id));
    }
    this.modes();
  }

  private get editable(): boolean {
    return !this.gone && !this.then && (this.session?.role || this.app.me.role) !== "viewer";
  }

  private modes(): void {
    this.stage?.setMode(this.tools.drawing, this.editable);
    this.tools.show(this.editable);
  }

  /** Saves what was drawn at once; naming it is a second edit. */
  private drawn(at: Place): void {
    this.session!.presence({ draft: undefined });
    if (this.tools.chosen === "hole") {
      const cut = this.edits!.cutHole(at);
      this.select(cut ? [cut] : []);
      return;
    }
    const id = this.edits!.draw(at, (drawn) => this.visible.pin(drawn));
    this.focusNext = id;
    this.select([id]);
  }

  private nameOf(user: string): string {
    const peer = [...(this.session?.peers.values() ?? [])].find((p) => p.user === user);
    return user === this.app.me.user_id ? "you" : (peer?.name || user);
  }

  private select(ids: string[]): void {
    this.changes.flush();
    this.stage?.select(ids);
    this.offPicture = ids.length === 1 && this.all.get(ids[0]!)?.shape?.type === "tag" ? ids[0]! : "";
    this.selectionChanged();
  }

  private get selection(): string[] {
    const on = this.stage?.selection ?? [];
    return on.length === 0 && this.offPicture ? [this.offPicture] : on;
  }

  private selectionChanged(): void {
    this.session?.presence({ selection: this.selection });
    this.refresh();
  }

  private refresh(): void {
    if (!this.session) {
      return;
    }
    const annotations = this.shown;
    const selected = this.selection;
    this.panel.show(annotations, this.all, selected, this.editable);
    this.filter.offer(this.all);
    this.proposals.show(this.then ? new Map() : this.all, selected, this.mayJudge);
    this.attributes.show((selected.length === 1 && annotations.get(selected[0]!)) || null, this.editable);
    this.timeline.choose(this.then && selected.length === 1 ? (annotations.get(selected[0]!) ?? null) : null);
    this.conflicts.draw();
    this.refreshPeople();
    this.tools.offer(this.editable && this.edits!.canUndo, this.editable && this.edits!.canRedo);
    const one = selected.length === 1 && !this.offPicture && this.editable ? (annotations.get(selected[0]!) ?? null) : null;
    const focus = one !== null && one.id === this.focusNext;
    this.popover?.show(one, this.app.labels.offer(this.knownLabels()), focus, this.mayJudge);
    if (focus) {
      this.popover?.type(this.pointer?.typed() ?? "");
      this.focusNext = "";
    }
  }

  /** Cursors move many times a second: the rest of the page is left alone. */
  private refreshPeople(): void {
    if (this.session) {
      this.people.show(this.session.peers, this.session.annotations, this.following.user);
      this.following.along(this.session.peers);
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
    return this.visible.of(this.all);
  }

  /** All there is now, or was then, whether it is wanted or not. */
  private get all(): ReadonlyMap<string, Annotation> {
    return this.then ?? this.session?.annotations ?? new Map();
  }

  private get mayJudge(): boolean {
    return !this.gone && !this.then && mayReview(this.session?.role || this.app.me.role);
  }

  /** Accepts or rejects, and goes on to the next prediction. */
  private async judge(accept: boolean, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) {
      return;
    }
    if (!this.mayJudge) {
      toast("A reviewer accepts or rejects predictions.", "error");
      return;
    }
    const one = ids.length === 1 && this.selection.includes(ids[0]!) ? this.proposals.next(ids[0]!) : null;
    await this.judging.judge(accept, ids);
    if (one && this.all.has(one)) {
      this.select([one]);
    }
  }

  /** Shows another version, or null for the present one. */
  private travel(then: ReadonlyMap<string, Annotation> | null): void {
    if (!this.session || then === this.then) {
      return;
    }
    this.select([]);
    const before = new Map(this.shown);
    this.then = then;
    this.visible.reset(this.all);
    const after = this.shown;
    this.stage?.apply({ upserted: [...after.values()], removed: [...before.keys()].filter((id) => !after.has(id)) });
    this.element.classList.toggle("past", then !== null);
    this.modes();
    this.refresh();
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
}
