import { MOST_NAME, problemOf, type AttributeDefinition } from "./attributes";
import { h, iconButton } from "./dom";

const TYPES: Record<AttributeDefinition["type"], string> = { text: "Text", number: "Number", boolean: "Yes or no", select: "One of" };

/** The fields of one label's attributes, in the dialog of the schema. */
export class AttributeRows {
  readonly element: HTMLElement;
  private readonly rows = h("ul", { class: "attribute-rows" });
  private readonly said = new Map<HTMLElement, () => AttributeDefinition>();

  constructor(
    private readonly of: string,
    attributes: readonly AttributeDefinition[],
    private readonly changed: (count: number) => void,
  ) {
    const add = h("button", { class: "button small", type: "button", onclick: () => this.add({ name: "", type: "text" }).focus() }, "Add an attribute");
    this.element = h("div", { class: "attribute-editor", role: "group", "aria-label": `Attributes of ${of}` }, this.rows, add);
    attributes.forEach((a) => this.add(a));
  }

  /** What the fields say; throws an Error that a person can read. */
  read(): AttributeDefinition[] {
    const all = [...this.said.values()].map((say) => say());
    all.forEach((a, i) => {
      const problem = problemOf(a, all.slice(0, i).map((other) => other.name));
      if (problem) {
        throw new Error(`${this.of}: ${problem}`);
      }
    });
    return all;
  }

  private add(a: AttributeDefinition): HTMLInputElement {
    const what = a.name || "new attribute";
    const field = (label: string, value: string, more: Record<string, unknown> = {}) =>
      h("input", { class: "field", value, "aria-label": `${label} of ${what}`, placeholder: label, autocomplete: "off", ...more });
    const name = field("Name", a.name, { maxlength: MOST_NAME });
    const type = h("select", { class: "field", "aria-label": `Type of ${what}`, onchange: () => show() }, ...Object.entries(TYPES).map(([value, text]) => h("option", { value }, text)));
    type.value = a.type;
    const before = (a.values ?? []).join(", ");
    const values = field("Choices", before, { title: "Separated by commas" });
    const min = field("Least", a.min === undefined ? "" : String(a.min), { inputmode: "decimal" });
    const max = field("Most", a.max === undefined ? "" : String(a.max), { inputmode: "decimal" });
    const required = h("input", { type: "checkbox" });
    required.checked = a.required ?? false;
    const show = () => {
      values.hidden = type.value !== "select";
      min.hidden = max.hidden = type.value !== "number";
    };
    show();
    const remove = () => {
      row.remove();
      this.said.delete(row);
      this.changed(this.said.size);
    };
    const row = h("li", {}, name, type, values, min, max, h("label", {}, required, " required"), iconButton("trash", `Remove ${what}`, remove));
    this.said.set(row, () => {
      const kind = type.value as AttributeDefinition["type"];
      // A choice may have a comma itself, where it was not put in here.
      const choices = values.value === before ? (a.values ?? []) : values.value.split(",").map((v) => v.trim()).filter(Boolean);
      return {
        name: name.value.trim(),
        type: kind,
        ...(kind === "select" ? { values: choices } : {}),
        ...(kind === "number" ? limits(name.value, min.value, max.value) : {}),
        ...(required.checked ? { required: true } : {}),
      };
    });
    this.rows.append(row);
    this.changed(this.said.size);
    return name;
  }
}

function limits(name: string, least: string, most: string): { min?: number; max?: number } {
  const number = (text: string) => {
    const value = Number(text.trim().replace(",", "."));
    if (!Number.isFinite(value)) {
      throw new Error(`“${text}” is no number for “${name}”.`);
    }
    return value;
  };
  return { ...(least.trim() ? { min: number(least) } : {}), ...(most.trim() ? { max: number(most) } : {}) };
}
