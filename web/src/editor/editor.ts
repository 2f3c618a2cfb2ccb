import type { App, View } from "../app";
import { RestError, type Annotation, type Session } from "@easelhq/client";
import { h, toast } from "../dom";
import { AttributeEditor } from "./attributes";
import { Badge } from "./badge";
import { blank, restoreButton } from "./blank";
import { Board } from "./board";
import { Chat } from "./chat";
import { ConflictList } from "./conflicts";
import { Edits } from "./edits";
import { Filter } from "./filter";
import { Following } from "./following";
import { ImageBar } from "./image-bar";
import { Judging, mayReview } from "./judging";
import { listenToKeys } from "./keys";
import { layOut } from "./layout";
import { Paint, proposed } from "./paint";
import { Panel } from "./panel";
import { People } from "./people";
import { Proposals } from "./proposals";
import { Scene } from "./scene";
import type { Place } from "./shapes";
import { Timeline } from "./timeline";
import { Tools } from "./tools";

/** One image, full page: draw, move, label, delete, and see the others do so. */
export function openEditor(app: App, id: string): View {
  return new Editor(app, id);
}

/**
 * Puts the parts together: what the session says is shown, what a person does
 * becomes edits. Its own are what is selected off the picture, and whether
 * annotations can be changed.
 */
class Editor implements View {
  readonly element: HTMLElement;
  private readonly closing = new AbortController();
  private readonly badge = new Badge();
  private readonly paint: Paint;
  private readonly people = new People((user) => this.following.toggle(user));
  private readonly following: Following;
  private readonly scene: Scene;
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
  private readonly board: Board;
  private readonly notice = h("div", { class: "notice", hidden: true, role: "alert" });
  private session: Session | null = null;
  private edits: Edits | null = null;
  /** The picture could not be had; the next connection asks again. */
  private pictureMissing = false;
  private gone = false;
  /** The box whose label is asked for as soon as it is shown. */
  private focusNext = "";
  /** A selected annotation that is nowhere on the picture, or "". */
  private offPicture = "";

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {
    this.paint = new Paint(app.labels);
    this.scene = new Scene({
      now: () => this.session?.annotations ?? new Map(),
      draw: (change) => this.board.apply(change),
      changed: () => this.refresh(),
    });
    this.bar = new ImageBar(app, id);
    this.chat = new Chat(app, id);
    this.following = new Following({
      changed: () => this.refreshPeople(),
      look: (view) => this.board.look(view),
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
      changed: (wanted) => this.scene.want(wanted),
      name: (user) => this.nameOf(user),
    });
    this.filter.onOpen(() => this.filter.offer(this.scene.all));
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
      zoom: (factor) => this.board.zoom(factor),
      fit: () => this.board.fit(),
    });
    this.board = this.makeBoard();
    this.element = layOut({
      head: [this.bar.titles, this.badge.element, this.bar.state],
      people: this.people.element,
      chores: [this.timeline.button, this.chat.button],
      step: (by) => void this.bar.step(by),
      stage: [this.board.element, this.tools.element, this.notice, this.following.element, this.timeline.element],
      side: [this.conflicts.element, this.panel.element, this.chat.element],
    });
    this.badge.element.title = "Edits are saved by themselves";
    this.listen();
    void this.open();
  }

  close(): void {
    this.board.settle(); // whoever goes on with a key while a pointer is down keeps what was dragged
    this.closing.abort();
    this.session?.presence({ cursor: undefined, selection: undefined, draft: undefined, view: undefined });
    this.app.sessions.leave(this.id);
    this.scene.close();
    this.panel.close();
    this.proposals.close();
    this.board.close();
  }

  private makeBoard(): Board {
    return new Board(this.app, this.id, this.paint, this.tools, {
      editable: () => this.editable,
      row: (image) => this.bar.show(image),
      ready: () => {
        this.scene.begin();
        this.refresh();
        this.element.dataset.ready = "true";
      },
      failed: (err) => this.failed(err),
      drawn: (at) => this.drawn(at),
      moved: (places) => {
        this.edits?.move(places);
        this.refresh();
      },
      presence: (state) => this.session?.presence(state),
      select: (ids) => this.select(ids),
      selected: () => this.selectionChanged(),
      steered: () => this.following.stop(),
      seen: (view) => {
        this.session?.presence({ view });
        this.element.dataset.zoom = (1 / view[2]!).toFixed(2);
        this.element.dataset.view = view.join(" ");
      },
      label: (box, label) => this.edits?.label(box, label),
      remove: (box) => this.edits?.remove([box]),
      judge: (accept, box) => void this.judge(accept, [box]),
      done: () => this.select([]),
    });
  }

  private listen(): void {
    const { app } = this;
    const { signal } = this.closing;
    listenToKeys(
      {
        remove: () => this.edits?.remove(this.selection),
        letGo: () => {
          this.following.stop();
          this.board.cancelDrawing();
          this.select([]);
        },
        step: (by) => void this.bar.step(by),
        chat: () => this.chat.toggle(),
        history: () => this.timeline.toggle(),
        past: () => this.timeline.open,
        tool: (tool) => this.tools.take(tool),
        tag: () => void this.edits?.addTag(),
        zoom: (factor) => this.board.zoom(factor),
        fit: () => this.board.fit(),
        pan: (on) => this.tools.pan(on),
        takeBack: (back) => this.edits?.takeBack(back),
        judge: (accept) => {
          const ids = this.selection.filter((box) => proposed(this.scene.all.get(box) ?? {}));
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
        typed: (letter) => this.board.typed(letter),
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
      pixel: () => this.board.pixel(),
      sent: () => this.scene.flush(), // an own edit is on the picture when it has been made
      changed: () => this.refresh(),
      select: (ids) => this.select(ids),
      name: (user) => this.nameOf(user),
    });
    this.follow(session, this.edits);
    await this.board.open();
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
        this.pictureMissing = false;
        this.board.reopen();
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
    on("change", (change) => this.scene.add(change));
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

  /** What stands where the picture would be; nothing where somebody has to sign in. */
  private failed(err: unknown): HTMLElement | null {
    if (err instanceof RestError && err.status === 401) {
      this.app.signOut("Your token has expired.");
      return null;
    }
    this.pictureMissing = err instanceof RestError && err.code === "unreachable";
    return blank(this.app, this.id, err);
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
    return !this.gone && !this.scene.past && (this.session?.role || this.app.me.role) !== "viewer";
  }

  private modes(): void {
    this.board.mode();
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
    const id = this.edits!.draw(at, (drawn) => this.scene.pin(drawn));
    this.focusNext = id;
    this.select([id]);
  }

  private nameOf(user: string): string {
    const peer = [...(this.session?.peers.values() ?? [])].find((p) => p.user === user);
    return user === this.app.me.user_id ? "you" : (peer?.name || user);
  }

  private select(ids: string[]): void {
    this.scene.flush();
    this.board.select(ids);
    this.offPicture = ids.length === 1 && this.scene.all.get(ids[0]!)?.shape?.type === "tag" ? ids[0]! : "";
    this.selectionChanged();
  }

  private get selection(): string[] {
    const on = this.board.selection;
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
    const { shown, all, past } = this.scene;
    const selected = this.selection;
    this.panel.show(shown, all, selected, this.editable);
    this.filter.offer(all);
    this.proposals.show(past ? new Map() : all, selected, this.mayJudge);
    const one = (selected.length === 1 && shown.get(selected[0]!)) || null;
    this.attributes.show(one, this.editable);
    this.timeline.choose(past ? one : null);
    this.conflicts.draw();
    this.refreshPeople();
    this.tools.offer(this.editable && this.edits!.canUndo, this.editable && this.edits!.canRedo);
    const named = this.offPicture || !this.editable ? null : one;
    const focus = named !== null && named.id === this.focusNext;
    this.board.name(named, this.app.labels.offer(this.knownLabels()), focus, this.mayJudge);
    if (focus) {
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
      this.board.people(this.scene.shown, this.session.peers);
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

  private get mayJudge(): boolean {
    return !this.gone && !this.scene.past && mayReview(this.session?.role || this.app.me.role);
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
    if (one && this.scene.all.has(one)) {
      this.select([one]);
    }
  }

  /** Shows another version, or null for the present one. */
  private travel(then: ReadonlyMap<string, Annotation> | null): void {
    if (!this.session || this.scene.at(then)) {
      return;
    }
    this.select([]);
    this.scene.travel(then);
    this.element.classList.toggle("past", then !== null);
    this.modes();
    this.refresh();
  }
}
