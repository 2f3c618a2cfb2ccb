import { createHash } from "node:crypto";
import type { Plugin } from "vite";

/**
 * Makes sw.js of src/worker and tells it which files the page consists of. Its
 * text changes with every build of the page, so that browsers take the new one.
 */
export function worker(): Plugin {
  return {
    name: "easel-worker",
    apply: "build",
    enforce: "post",
    buildStart() {
      this.emitFile({ type: "chunk", id: "src/worker/worker.ts", fileName: "sw.js" });
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const script = bundle["sw.js"];
        const html = bundle["index.html"];
        if (script?.type !== "chunk" || html?.type !== "asset" || script.imports.length > 0) {
          this.error("sw.js needs to be one file, beside index.html");
        }
        const files = Object.keys(bundle).filter((name) => name.startsWith("assets/")).sort();
        const build = createHash("sha256").update(script.code).update(String(html.source)).update(files.join()).digest("hex").slice(0, 16);
        script.code = script.code
          .replaceAll("__FILES__", JSON.stringify(["/", "/boot.js", "/favicon.svg", ...files.map((name) => `/${name}`)]))
          .replaceAll("__BUILD__", JSON.stringify(build));
      },
    },
  };
}
