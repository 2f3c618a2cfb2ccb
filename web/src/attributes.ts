import type { Annotation } from "@easelhq/client";

type Attributes = NonNullable<Annotation["attributes"]>;

/** What a label's schema asks of an annotation beside the label. */
export interface AttributeDefinition {
  name: string;
  type: "text" | "number" | "boolean" | "select";
  /** Of a select. */
  values?: string[];
  /** Of a number. */
  min?: number;
  max?: number;
  required?: boolean;
}

export type Value = Attributes[string];

/** What a text in a field means: a value, nothing (null), or why it is neither. */
export type Reading = { value: Value | null } | { problem: string };

/** The server's bounds. */
export const MOST_NAME = 64;
export const MOST_TEXT = 1000;
export const MOST_VALUES = 100;

const length = (s: string) => [...s].length;

/** Reads what somebody has put into the field of an attribute. */
export function read(text: string, a: AttributeDefinition): Reading {
  const given = a.type === "text" ? text : text.trim();
  if (given === "") {
    return a.required ? { problem: "This is required." } : { value: null };
  }
  switch (a.type) {
    case "number": {
      const value = Number(given.replace(",", "."));
      if (!Number.isFinite(value)) {
        return { problem: "This must be a number." };
      }
      return outOfRange(value, a) ?? { value };
    }
    case "boolean":
      return given === "true" || given === "false" ? { value: given === "true" } : { problem: "This must be yes or no." };
    case "select":
      return a.values?.includes(given) ? { value: given } : { problem: `This must be one of ${a.values?.join(", ") ?? "the values"}.` };
    case "text":
      return length(given) <= MOST_TEXT ? { value: given } : { problem: `This must have at most ${MOST_TEXT} characters.` };
  }
}

/** Why a value that is there does not fit the schema; "" if it does. */
export function misfit(value: Value | undefined, a: AttributeDefinition): string {
  if (value === undefined) {
    return a.required ? "This is required." : "";
  }
  const types = { text: "string", select: "string", number: "number", boolean: "boolean" } as const;
  if (typeof value !== types[a.type]) {
    return `This must be a ${a.type === "select" ? "choice" : a.type}.`;
  }
  const reading = read(String(value), a);
  return "problem" in reading ? reading.problem : "";
}

/** How many of an annotation's attributes do not fit what its label asks for. */
export function misfits(attributes: Attributes | undefined, asked: readonly AttributeDefinition[]): number {
  return asked.filter((a) => misfit(attributes?.[a.name], a) !== "").length;
}

function outOfRange(value: number, { min, max }: AttributeDefinition): { problem: string } | null {
  if (min !== undefined && max !== undefined && (value < min || value > max)) {
    return { problem: `This must be from ${min} to ${max}.` };
  }
  if (min !== undefined && value < min) {
    return { problem: `This must be at least ${min}.` };
  }
  return max !== undefined && value > max ? { problem: `This must be at most ${max}.` } : null;
}

/** What is wrong with an attribute of a schema; "" if nothing is. others are the names before it. */
export function problemOf(a: AttributeDefinition, others: readonly string[]): string {
  if (length(a.name) < 1 || length(a.name) > MOST_NAME) {
    return `An attribute needs a name of 1 to ${MOST_NAME} characters.`;
  }
  if (others.includes(a.name)) {
    return `“${a.name}” is there twice.`;
  }
  if (a.type === "select") {
    const values = a.values ?? [];
    if (values.length < 1 || values.length > MOST_VALUES) {
      return `“${a.name}” needs 1 to ${MOST_VALUES} choices.`;
    }
    if (new Set(values).size < values.length) {
      return `A choice of “${a.name}” is there twice.`;
    }
  }
  if (a.min !== undefined && a.max !== undefined && a.min > a.max) {
    return `The least of “${a.name}” is above its most.`;
  }
  return "";
}
