import { showHelp } from "../dialog";
import type { Tool } from "./tools";

/** What the keys of the editor do. */
export interface KeyActions {
  remove: () => void;
  letGo: () => void;
  step: (by: number) => void;
  chat: () => void;
  history: () => void;
  tool: (tool: Tool) => void;
  tag: () => void;
  zoom: (factor: number) => void;
  fit: () => void;
  pan: (on: boolean) => void;
  takeBack: (back: boolean) => void;
  /** Accepts or rejects the predictions that are selected. */
  judge: (accept: boolean) => void;
  /** Selects the next prediction, or the one before. */
  proposal: (by: number) => void;
  proposals: () => void;
  /** Opens the next image that is not done. */
  unfinished: () => void;
  nudge: (dx: number, dy: number) => void;
  duplicate: () => void;
  /** Gives what is selected the label that a key chooses; false if there is none. */
  label: (key: string) => boolean;
  /** Takes a letter for a label that is about to be asked for; false if none is. */
  typed: (letter: string) => boolean;
  /** Whether the history is open, whose slider leaves Escape and H to it. */
  past: () => boolean;
}

const DELETES = new Set(["Delete", "Backspace"]);

/** Listens to the keyboard until signal aborts. Annotorious hears nothing of what is ours. */
export function listenToKeys(actions: KeyActions, signal: AbortSignal): void {
  addEventListener("keydown", (e) => keydown(e, actions), { signal, capture: true });
  addEventListener("keyup", (e) => e.key === " " && actions.pan(false), { signal });
  addEventListener("blur", () => actions.pan(false), { signal });
}

function keydown(e: KeyboardEvent, actions: KeyActions): void {
  if (document.querySelector("dialog[open]")) {
    return;
  }
  const typing = e.target instanceof HTMLElement && e.target.closest("input, textarea, select");
  if (typing) {
    if (actions.past() && typing.matches("input[type=range]") && (e.key === "Escape" || e.key === "h")) {
      e.preventDefault();
      actions.history();
    }
    return;
  }
  if (e.ctrlKey || e.metaKey) {
    const act = withControl(e, actions);
    if (act) {
      own(e); // Annotorious would undo behind the session's back
      act();
    }
    return;
  }
  if (e.altKey) {
    return;
  }
  if (e.key.length === 1 && actions.typed(e.key)) {
    own(e);
    return;
  }
  if (!e.repeat && actions.label(e.key)) {
    own(e);
    return;
  }
  if (DELETES.has(e.key) && document.querySelector(".a9s-handle-selected")) {
    return; // Annotorious deletes the corners that are selected
  }
  const act = plain(e.key, actions);
  const onButton = e.target instanceof HTMLElement && e.target.closest("button, a");
  if (act && !(e.key === " " && onButton)) {
    own(e);
    if (!e.repeat || e.key === "+" || e.key === "-") {
      act();
    }
  }
}

function own(e: KeyboardEvent): void {
  e.preventDefault();
  e.stopImmediatePropagation();
}

function withControl(e: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  const far = e.shiftKey ? 10 : 1;
  const keys: Record<string, () => void> = {
    z: () => actions.takeBack(!e.shiftKey),
    y: () => actions.takeBack(false),
    d: actions.duplicate,
    arrowleft: () => actions.nudge(-far, 0),
    arrowright: () => actions.nudge(far, 0),
    arrowup: () => actions.nudge(0, -far),
    arrowdown: () => actions.nudge(0, far),
  };
  return keys[e.key.toLowerCase()];
}

function plain(key: string, actions: KeyActions): (() => void) | undefined {
  const keys: Record<string, () => void> = {
    Delete: actions.remove,
    Backspace: actions.remove,
    Escape: actions.letGo,
    ArrowLeft: () => actions.step(-1),
    ArrowRight: () => actions.step(1),
    "?": showHelp,
    c: actions.chat,
    h: actions.history,
    v: () => actions.tool("select"),
    b: () => actions.tool("box"),
    p: () => actions.tool("polygon"),
    P: () => actions.tool("hole"),
    e: () => actions.tool("ellipse"),
    l: () => actions.tool("path"),
    o: () => actions.tool("point"),
    t: actions.tag,
    a: () => actions.judge(true),
    x: () => actions.judge(false),
    j: () => actions.proposal(1),
    J: () => actions.proposal(-1),
    m: actions.proposals,
    n: actions.unfinished,
    "+": () => actions.zoom(1.4),
    "=": () => actions.zoom(1.4),
    "-": () => actions.zoom(1 / 1.4),
    "0": actions.fit,
    " ": () => actions.pan(true),
  };
  return keys[key];
}
