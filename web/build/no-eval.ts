import type { Plugin } from "vite";

/**
 * Annotorious carries its own copy of PixiJS 7, which makes functions from text.
 * The page's Content-Security-Policy forbids that, so this puts the static code
 * of `@pixi/unsafe-eval` in its place. The build fails when the copy no longer
 * looks as expected, rather than the page in somebody's browser.
 */
export function noEval(): Plugin {
  const systemCheck = /systemCheck\(\) \{\s*if \(!\w+\(\)\)\s*throw new Error\("Current environment does not allow unsafe-eval[^"]*"\);\s*\}/;
  const syncUniforms = /syncUniforms\((\w+), (\w+), (\w+)\) \{\s*\(\1\.syncUniforms\[this\.shader\.program\.id\][^}]*\}/;
  return {
    name: "no-eval",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith("annotorious-openseadragon.es.js")) {
        return null;
      }
      if (!systemCheck.test(code) || !syncUniforms.test(code)) {
        this.error("Annotorious' copy of PixiJS has changed: look at build/no-eval.ts");
      }
      const static_ =
        "syncUniforms(group, program) { __syncUniforms(group, this.shader.program.uniformData, program.uniformData, group.uniforms, this.renderer); }";
      return {
        code:
          'import { syncUniforms as __syncUniforms } from "pixi-static-uniforms";\n' +
          code.replace(systemCheck, "systemCheck() {}").replace(syncUniforms, static_),
        map: null,
      };
    },
  };
}
