import type { AttributeDefinition } from "./attributes";
import { Emitter, type LabelDefinition, type LabelSchema, type Rest } from "@easelhq/client";
import { colorOf } from "./colors";

const NONE: LabelSchema = { version: 0, open: true, labels: [], updated_by: "", updated_at: null };

/** The tenant's label schema as this page last heard of it. It guides and refuses nothing. */
export class Labels extends Emitter<{ change: LabelSchema }> {
  schema = NONE;
  private names = new Map<string, LabelDefinition>();
  private keys = new Map<string, string>();

  constructor(private readonly rest: Pick<Rest, "schema">) {
    super();
  }

  /** Asks whether there is a newer one. Without an answer the page goes on with what it has. */
  async refresh(): Promise<void> {
    try {
      this.take(await this.rest.schema());
    } catch {
      // The next look will tell; until then labels have the colours of their words.
    }
  }

  /** Takes schema, unless it is older than what is known. */
  take(schema: LabelSchema): void {
    if (schema.version <= this.schema.version) {
      return;
    }
    this.schema = schema;
    this.names = new Map(schema.labels.map((label) => [label.name, label]));
    this.keys = new Map(schema.labels.flatMap((label) => (label.key ? [[label.key, label.name]] : [])));
    this.emit("change", schema);
  }

  color(name: string): string {
    return this.names.get(name)?.color || colorOf(name);
  }

  /** The key that chooses a label; "" for none. */
  keyOf(name: string): string {
    return this.names.get(name)?.key ?? "";
  }

  /** The label that a key chooses. */
  chosenBy(key: string): string | undefined {
    return this.keys.get(key);
  }

  /** The label that somebody means who types text: a name, or the key of one. */
  meant(text: string): string {
    return this.names.has(text) ? text : (this.keys.get(text) ?? text);
  }

  /** What the schema asks of annotations with a label, in its order. */
  attributesOf(name: string): AttributeDefinition[] {
    return (this.names.get(name)?.attributes ?? []) as AttributeDefinition[];
  }

  /** Whether the schema wants no such label. */
  unwanted(name: string): boolean {
    return !this.schema.open && !this.names.has(name);
  }

  /** What to offer: the schema's labels in its order, then those in use, if others are welcome. */
  offer(inUse: readonly string[]): string[] {
    return [...this.names.keys(), ...inUse.filter((name) => this.schema.open && !this.names.has(name))];
  }
}
