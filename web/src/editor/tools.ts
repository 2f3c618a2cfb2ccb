import { h, iconButton, type Icon } from "../dom";
import type { DrawingTool } from "./stage";

export type Tool = "select" | "box" | "polygon" | "hole" | "ellipse" | "path" | "point";

/** What Annotorious calls our tools; points are not drawn but clicked. */
const DRAWS: Partial<Record<Tool, DrawingTool>> = { box: "rectangle", polygon: "polygon", hole: "polygon", ellipse: "ellipse", path: "path" };

const TOOLS: [Tool & Icon, string][] = [
  ["select", "Select and pan (V)"],
  ["box", "Draw boxes (B)"],
  ["polygon", "Draw polygons (P): click the corners, then the first one again"],
  ["hole", "Cut holes out of polygons (Shift+P): click the corners, then the first one again"],
  ["ellipse", "Draw ellipses (E)"],
  ["path", "Draw lines (L): click, and double-click at the end"],
  ["point", "Set points (O)"],
];

export interface ToolEvents {
  /** Another tool, or panning instead of it. */
  changed: () => void;
  tag: () => void;
  undo: () => void;
  redo: () => void;
  zoom: (factor: number) => void;
  fit: () => void;
}

/** The bar of tools, and which of them is in hand. */
export class Tools {
  readonly element: HTMLElement;
  private readonly buttons = new Map<Tool, HTMLButtonElement>();
  private readonly tag: HTMLButtonElement;
  private readonly undo: HTMLButtonElement;
  private readonly redo: HTMLButtonElement;
  private tool: Tool = "box";
  private panning = false;

  constructor(private readonly events: ToolEvents) {
    for (const [tool, label] of TOOLS) {
      this.buttons.set(tool, iconButton(tool, label, () => this.take(tool), { "aria-pressed": "false" }));
    }
    this.tag = iconButton("tag", "Tag the image (T)", events.tag);
    this.undo = iconButton("undo", "Undo (Ctrl+Z)", events.undo, { disabled: true });
    this.redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", events.redo, { disabled: true });
    this.element = h(
      "div",
      { class: "toolbar card", role: "toolbar", "aria-label": "Tools" },
      ...this.buttons.values(),
      this.tag,
      h("hr", {}),
      this.undo,
      this.redo,
      h("hr", {}),
      iconButton("plus", "Zoom in (+)", () => events.zoom(1.4)),
      iconButton("minus", "Zoom out (−)", () => events.zoom(1 / 1.4)),
      iconButton("fit", "Fit to screen (0)", events.fit),
    );
  }

  /** The tool that a press on the picture uses; null while it pans instead. */
  get inHand(): Tool | null {
    return this.panning ? null : this.tool;
  }

  /** The tool that is chosen, panning or not. */
  get chosen(): Tool {
    return this.tool;
  }

  /** What Annotorious is to draw; null for nothing. */
  get drawing(): DrawingTool | null {
    return (!this.panning && DRAWS[this.tool]) || null;
  }

  take(tool: Tool): void {
    this.tool = tool;
    this.events.changed();
  }

  /** While a key is held the picture is panned, whatever the tool. */
  pan(on: boolean): void {
    if (this.panning !== on) {
      this.panning = on;
      this.events.changed();
    }
  }

  /** Shows which tool is in hand; only selecting is left where nothing can be changed. */
  show(editable: boolean): void {
    this.tag.disabled = !editable;
    for (const [tool, button] of this.buttons) {
      button.disabled = tool !== "select" && !editable;
      button.setAttribute("aria-pressed", String((editable ? this.tool : "select") === tool));
    }
  }

  /** Says what can be taken back and done again. */
  offer(undo: boolean, redo: boolean): void {
    this.undo.disabled = !undo;
    this.redo.disabled = !redo;
  }
}
