/** Colours that stay apart from each other on photographs. */
const PALETTE = [
  "#2f6fed", "#e0592a", "#16936a", "#b23fd0", "#d99a00", "#0e97b5",
  "#dc3569", "#6a55e8", "#6b8e12", "#9a5a34", "#4f6078", "#1d4b9e",
] as const;

/** The colour that a word always has: a label's, or a person's. */
export function colorOf(word: string): (typeof PALETTE)[number] {
  let hash = 2166136261;
  for (const c of word) {
    hash = Math.imul(hash ^ c.codePointAt(0)!, 16777619);
  }
  hash ^= hash >>> 15;
  return PALETTE[(hash >>> 0) % PALETTE.length]!;
}

/** Up to two letters for a person. */
export function initials(name: string): string {
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words[1]?.[0] ?? "")).toUpperCase();
}
