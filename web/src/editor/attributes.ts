import { misfit, read, type AttributeDefinition, type Value } from "../attributes";
import type { Annotation } from "@easelhq/client";
import { h, iconButton } from "../dom";
import type { Labels } from "../labels";

export interface AttributeEvents {
  /** Sets one attribute; null removes it. */
  set: (id: string, name: string, value: Value | null) => void;
  fillHoles: (id: string) => void;
}

type Field = HTMLInputElement | HTMLSelectElement;

/** One attribute's line: its field, and what is wrong with it. */
interface Line {
  element: HTMLElement;
  field: Field;
  problem: HTMLElement;
  /** What is shown that is not saved. */
  dirty: boolean;
  definition: AttributeDefinition;
}

/**
 * The attributes of the selected annotation: what its label's schema asks for, and
 * what else there is. Each is saved by itself as soon as its field is left; a value
 * that does not fit is explained and not sent.
 */
export class AttributeEditor {
  readonly element = h("section", { class: "attributes", hidden: true, "aria-label": "Attributes" });
  private readonly title = h("b", {});
  private readonly lines = h("div", { class: "attribute-lines" });
  private readonly shape = h("p", { class: "muted small-text" });
  private byName = new Map<string, Line>();
  private shown = "";
  private annotation: Annotation | null = null;

  constructor(
    private readonly labels: Labels,
    private readonly events: AttributeEvents,
  ) {
    this.element.append(h("header", {}, this.title), this.lines, this.shape);
    // Keys of the page mean letters in here; Escape leaves the field.
    this.element.addEventListener("keydown", (e) => {
      if (e.key === "Escape") {
        (e.target as HTMLElement).blur();
      }
      e.stopPropagation();
    });
  }

  /** Shows one annotation's, or nothing. What is being typed is kept. */
  show(a: Annotation | null, editable: boolean): void {
    const before = this.annotation;
    if (before && before.id !== a?.id) {
      for (const [name, line] of this.byName) {
        this.save(before, name, line);
      }
    }
    this.annotation = a;
    const asked = a ? this.labels.attributesOf(a.label) : [];
    const others = Object.keys(a?.attributes ?? {}).filter((name) => !asked.some((d) => d.name === name));
    const holes = a?.shape?.type === "polygon" ? (a.shape.holes?.length ?? 0) : 0;
    this.element.hidden = !a || asked.length + others.length + holes === 0;
    if (!a || this.element.hidden) {
      this.shown = "";
      return;
    }
    const key = JSON.stringify([a.id, a.label, asked, others, editable, holes]);
    if (key !== this.shown) {
      const focused = a.id === before?.id ? this.focused : "";
      this.shown = key;
      this.build(a, asked, others, editable);
      this.byName.get(focused)?.field.focus();
      this.tellShape(a, holes, editable);
    }
    for (const [name, line] of this.byName) {
      this.fill(line, a.attributes?.[name]);
    }
  }

  private get focused(): string {
    return [...this.byName].find(([, { field }]) => field === document.activeElement)?.[0] ?? "";
  }

  private build(a: Annotation, asked: AttributeDefinition[], others: string[], editable: boolean): void {
    const typed = new Map([...this.byName].filter(([, line]) => line.dirty && a.id === this.element.dataset.id).map(([name, line]) => [name, line.field.value]));
    this.byName.forEach((line) => (line.dirty = false)); // taking a field out would save what is in it
    this.element.dataset.id = a.id;
    this.title.textContent = `Attributes of “${a.label}”`;
    this.byName = new Map();
    for (const definition of asked) {
      this.byName.set(definition.name, this.line(a, definition, editable, false));
    }
    for (const name of others) {
      this.byName.set(name, this.line(a, { name, type: typeOf(a.attributes![name]!) }, editable, true));
    }
    for (const [name, text] of typed) {
      const line = this.byName.get(name);
      if (line) {
        [line.field.value, line.dirty] = [text, true]; // the schema changed while it was typed
      }
    }
    this.lines.replaceChildren(...[...this.byName.values()].map((line) => line.element));
  }

  private tellShape(a: Annotation, holes: number, editable: boolean): void {
    this.shape.hidden = holes === 0;
    this.shape.replaceChildren(
      holes === 1 ? "A polygon with a hole. " : `A polygon with ${holes} holes. `,
      ...(editable ? [h("button", { class: "link", type: "button", onclick: () => this.events.fillHoles(a.id) }, holes === 1 ? "Fill it" : "Fill them")] : []),
    );
  }

  private line(a: Annotation, definition: AttributeDefinition, editable: boolean, unknown: boolean): Line {
    const { name, required } = definition;
    const id = `attribute-${a.id}-${name}`;
    const field = fieldOf(definition);
    field.id = id;
    field.disabled = !editable;
    const problem = h("small", { class: "problem", role: "alert", hidden: true });
    const line: Line = {
      element: h(
        "div",
        { class: "attribute" },
        h("label", { for: id }, name, required && h("span", { class: "required", title: "Required" }, " *")),
        h(
          "span",
          { class: "attribute-field" },
          field,
          unknown && editable && iconButton("trash", `Remove ${name}`, () => this.events.set(a.id, name, null)),
        ),
        unknown && h("small", { class: "muted" }, "not in the schema"),
        problem,
      ),
      field,
      problem,
      dirty: false,
      definition,
    };
    field.addEventListener("input", () => (line.dirty = true));
    field.addEventListener("change", () => this.save(this.annotation ?? a, name, line));
    field.addEventListener("keydown", (e) => (e as KeyboardEvent).key === "Enter" && this.save(this.annotation ?? a, name, line));
    return line;
  }

  /** Shows a value, unless somebody is typing another one. */
  private fill(line: Line, value: Value | undefined): void {
    if (line.dirty) {
      return;
    }
    const text = value === undefined ? "" : String(value);
    if (line.field instanceof HTMLSelectElement && text !== "" && ![...line.field.options].some((o) => o.value === text)) {
      line.field.append(h("option", { value: text }, text)); // chosen before the schema changed
    }
    if (line.field.value !== text) {
      line.field.value = text;
    }
    tell(line, misfit(value, line.definition));
  }

  private save(a: Annotation, name: string, line: Line): void {
    if (!line.dirty) {
      return;
    }
    const reading = read(line.field.value, line.definition);
    if ("problem" in reading) {
      tell(line, reading.problem);
      return;
    }
    line.dirty = false;
    tell(line, "");
    if ((a.attributes?.[name] ?? null) !== reading.value) {
      this.events.set(a.id, name, reading.value);
    }
  }
}

function tell({ field, problem }: Line, text: string): void {
  problem.hidden = text === "";
  if (problem.textContent !== text) {
    problem.textContent = text;
  }
  field.setAttribute("aria-invalid", String(text !== ""));
}

function typeOf(value: Value): AttributeDefinition["type"] {
  return typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "text";
}

function fieldOf({ type, values = [], min, max }: AttributeDefinition): Field {
  const choice = (list: [string, string][]) => h("select", { class: "field" }, h("option", { value: "" }, "–"), ...list.map(([value, text]) => h("option", { value }, text)));
  switch (type) {
    case "boolean":
      return choice([["true", "yes"], ["false", "no"]]);
    case "select":
      return choice(values.map((value) => [value, value]));
    case "number": {
      const hint = min !== undefined && max !== undefined ? `${min} to ${max}` : min !== undefined ? `at least ${min}` : max !== undefined ? `at most ${max}` : "a number";
      return h("input", { class: "field", inputmode: "decimal", autocomplete: "off", placeholder: hint });
    }
    case "text":
      return h("input", { class: "field", autocomplete: "off", spellcheck: "false" });
  }
}
