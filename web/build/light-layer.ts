import type { Plugin } from "vite";

/**
 * Annotorious draws its WebGL layer at twice the screen's resolution and with
 * multisampling: up to sixteen samples for each pixel of the screen, at every
 * frame of a pan. Without a graphics card that is a third of a second for two
 * thousand boxes. Ours have no slanted edges, so the screen's own pixels do. The
 * build fails when the spot no longer looks as expected.
 */
export function lightLayer(): Plugin {
  const options = /antialias: !0,(\s*)resolution: 2\b/g;
  return {
    name: "light-layer",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith("annotorious-openseadragon.es.js")) {
        return null;
      }
      if (code.match(options)?.length !== 1) {
        this.error("Annotorious' WebGL layer has changed: look at build/light-layer.ts");
      }
      return { code: code.replace(options, "antialias: !1,$1resolution: globalThis.devicePixelRatio || 1"), map: null };
    },
  };
}
