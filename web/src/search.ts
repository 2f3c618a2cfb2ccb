/** What the gallery is narrowed to; an empty string does not narrow. */
export interface Search {
  filename: string;
  label: string;
}

/** Reads `words label:cup` or `label:"coffee cup"`: a label, and the rest is of the name. */
export function parseSearch(text: string): Search {
  let label = "";
  const filename = text.replace(/(?:^|\s)label:\s*(?:"([^"]*)"?|(\S*))/i, (_, quoted?: string, plain?: string) => {
    label = (quoted ?? plain ?? "").trim();
    return " ";
  });
  return { filename: filename.trim().replace(/\s+/g, " "), label };
}
