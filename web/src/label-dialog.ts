import type { App } from "./app";
import { AttributeRows } from "./attribute-rows";
import type { AttributeDefinition } from "./attributes";
import { RestError, type LabelDefinition, type LabelSchema } from "@easelhq/client";
import { colorOf } from "./colors";
import { openDialog } from "./dialog";
import { h, iconButton, toast } from "./dom";

/** Lets an admin say which labels the tenant draws with. What somebody else has put meanwhile is not overwritten but shown. */
export async function editLabels(app: App): Promise<void> {
  await app.labels.refresh();
  const form = new LabelForm(app);
  form.show(app.labels.schema);
  openDialog(form.dialog);
}

class LabelForm {
  readonly dialog: HTMLDialogElement;
  private readonly rows = h("ul", { class: "label-rows" });
  private readonly others = h("input", { type: "checkbox" });
  private readonly note = h("p", { class: "muted", role: "status" });
  private readonly said = new Map<HTMLElement, () => LabelDefinition>();
  private version = 0;

  constructor(private readonly app: App) {
    const save = (e: Event) => {
      e.preventDefault();
      void this.save();
    };
    this.dialog = h(
      "dialog",
      { class: "card dialog labels", "aria-labelledby": "labels-title" },
      h(
        "form",
        { onsubmit: save },
        h("header", {}, h("h2", { id: "labels-title" }, "Labels"), iconButton("close", "Close", () => this.dialog.close())),
        this.note,
        this.rows,
        h("button", { class: "button small", type: "button", onclick: () => this.add({ name: "" }).focus() }, "Add a label"),
        h("label", {}, this.others, " Other labels are welcome"),
        h("footer", {}, h("button", { class: "button primary", type: "submit" }, "Save")),
      ),
    );
  }

  show({ version, open, labels }: LabelSchema): void {
    this.version = version;
    this.others.checked = open;
    this.said.clear();
    this.rows.replaceChildren();
    labels.forEach((label) => this.add(label));
  }

  /** Adds a row, and returns the field of its name. */
  private add(label: LabelDefinition): HTMLInputElement {
    let chosen = label.color ?? "";
    const what = label.name || "new label";
    const color = h("input", {
      type: "color",
      value: chosen || colorOf(label.name),
      "aria-label": `Colour of ${what}`,
      oninput: () => (chosen = color.value),
    });
    const name = h("input", { class: "field", value: label.name, maxlength: 100, required: true, "aria-label": `Name of ${what}`, autocomplete: "off" });
    const key = h("input", { class: "field label-key", value: label.key ?? "", maxlength: 2, placeholder: "key", "aria-label": `Key of ${what}`, autocomplete: "off" });
    const more = h("button", { class: "button small", type: "button", "aria-expanded": "false" });
    const tell = (n: number) => {
      more.textContent = n === 0 ? "Attributes" : n === 1 ? "1 attribute" : `${n} attributes`;
      more.setAttribute("aria-label", `${more.textContent} of ${what}`);
    };
    tell(0);
    const asked = new AttributeRows(what, (label.attributes ?? []) as AttributeDefinition[], (n) => tell(n));
    asked.element.hidden = true;
    more.addEventListener("click", () => {
      asked.element.hidden = !asked.element.hidden;
      more.setAttribute("aria-expanded", String(!asked.element.hidden));
    });
    const remove = () => (row.remove(), this.said.delete(row));
    const row = h("li", {}, h("div", { class: "label-row" }, color, name, key, more, iconButton("trash", `Remove ${what}`, remove)), asked.element);
    this.said.set(row, () => {
      const attributes = asked.read();
      return { name: name.value.trim(), ...(chosen ? { color: chosen } : {}), ...(key.value ? { key: key.value } : {}), ...(attributes.length > 0 ? { attributes } : {}) };
    });
    this.rows.append(row);
    return name;
  }

  private async save(): Promise<void> {
    try {
      const saved = await this.app.rest.putSchema(this.version, { open: this.others.checked, labels: [...this.said.values()].map((say) => say()) });
      this.app.labels.take(saved);
      this.dialog.close();
      toast("The labels were saved.");
    } catch (err) {
      const newer = err instanceof RestError && err.status === 412 ? (err.current as LabelSchema | undefined) : undefined;
      if (newer) {
        this.app.labels.take(newer);
        this.show(newer);
      }
      const text = err instanceof Error ? err.message : "The labels were not saved.";
      this.note.textContent = newer ? `${newer.updated_by} has changed the labels meanwhile. This is how they are now.` : text;
    }
  }
}
