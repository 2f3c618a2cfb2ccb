/** Colours that stay apart from each other on photographs. */
const PALETTE = [
  "#2563eb", "#c2410c", "#0f7a56", "#a32ec2", "#8f5f00", "#0b7490",
  "#cf2860", "#6a55e8", "#55730b", "#9a5a34", "#4f6078", "#1d4b9e",
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

/** Black or white, whichever is read better on a colour. */
export function inkOn(color: string): "#000" | "#fff" {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const v = parseInt(color.slice(at, at + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.18 ? "#000" : "#fff";
}

/** Up to two letters for a person. */
export function initials(name: string): string {
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words[1]?.[0] ?? "")).toUpperCase();
}
