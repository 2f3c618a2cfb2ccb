import type { Plugin } from "vite";

/**
 * Annotorious takes a press as a corner of a polygon or a line only if it is over
 * within 300 ms. A slow hand, or a browser that is busy, then loses a corner without
 * a word; and a line whose last press was such never ends. How far a press has
 * moved tells a click from a drag, however long it takes. The build fails when the
 * spots no longer look as expected.
 */
export function slowPress(): Plugin {
  const isNoClick = /if \(\w+ > 300 \|\| (\w+ > 15)\) return;/g;
  const spots: Record<string, number> = {
    "annotorious-openseadragon.es.js": 1, // polygons
    "annotorious-plugin-tools.es.js": 2, // lines of two points, and of many
  };
  return {
    name: "slow-press",
    enforce: "pre",
    transform(code, id) {
      const expected = spots[id.split("?")[0]!.split("/").at(-1)!];
      if (expected === undefined) {
        return null;
      }
      if (code.match(isNoClick)?.length !== expected) {
        this.error("Annotorious takes clicks another way: look at build/slow-press.ts");
      }
      return { code: code.replace(isNoClick, "if ($1) return;"), map: null };
    },
  };
}
