import type { Plugin } from "vite";

/**
 * Annotorious draws its WebGL layer at twice the screen's resolution and with
 * multisampling: up to sixteen samples for each pixel of the screen, at every
 * change of its store, of the selection and of what is hovered. Without a graphics
 * card that is a third of a second for two thousand boxes. The screen's own pixels
 * do, and one drawing a frame; the stage asks for it at once (event "draw") when
 * the picture moves, because the layer has to move with it. The build fails when
 * the spot no longer looks as expected.
 */
export function lightLayer(): Plugin {
  const renderer = /\b(\w+) = (\w+)\(\{([^{}]*?)antialias: !0,(\s*)resolution: 2(\s*)\}\)/g;
  const helper = `
function __oncePerFrame(renderer) {
  const [render, destroy] = [renderer.render.bind(renderer), renderer.destroy.bind(renderer)];
  let stage = null;
  let frame = 0;
  const draw = () => {
    cancelAnimationFrame(frame);
    const now = stage;
    frame = 0;
    stage = null;
    if (now) render(now);
  };
  renderer.render = (next) => {
    stage = next;
    frame ||= requestAnimationFrame(draw);
  };
  renderer.view.addEventListener("draw", draw);
  renderer.destroy = () => { stage = null; draw(); destroy(); };
  return renderer;
}
`;
  return {
    name: "light-layer",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith("annotorious-openseadragon.es.js")) {
        return null;
      }
      if (code.match(renderer)?.length !== 1) {
        this.error("Annotorious' WebGL layer has changed: look at build/light-layer.ts");
      }
      const light = "$1 = __oncePerFrame($2({$3antialias: !0,$4resolution: globalThis.devicePixelRatio || 1$5}))";
      return { code: code.replace(renderer, light) + helper, map: null };
    },
  };
}
