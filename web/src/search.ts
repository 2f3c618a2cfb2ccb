/** What the words of the search field narrow the gallery to; an empty string does not narrow. */
export interface Search {
  filename: string;
  label: string;
  uploaded_by: string;
}

/**
 * Reads `words label:cup by:ann` or `label:"coffee cup"`: a label, who uploaded it,
 * and the rest is of the name.
 */
export function parseSearch(text: string): Search {
  const search: Search = { filename: "", label: "", uploaded_by: "" };
  const filename = text.replace(/(?:^|\s)(label|by):\s*(?:"([^"]*)"?|(\S*))/gi, (_, word: string, quoted?: string, plain?: string) => {
    search[word.toLowerCase() === "by" ? "uploaded_by" : "label"] = (quoted ?? plain ?? "").trim();
    return " ";
  });
  return { ...search, filename: filename.trim().replace(/\s+/g, " ") };
}
