import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { lightLayer } from "./build/light-layer.ts";
import { midpoints } from "./build/midpoints.ts";
import { noEval } from "./build/no-eval.ts";
import { slowPress } from "./build/slow-press.ts";
import { worker } from "./build/worker.ts";

export default defineConfig({
  plugins: [noEval(), lightLayer(), midpoints(), slowPress(), worker()],
  resolve: {
    alias: {
      // From its sources, so that the page needs no build of the client first.
      "@easelhq/client": fileURLToPath(new URL("../clients/typescript/src/index.ts", import.meta.url)),
      // Not exported by the package; its index would bring a second PixiJS.
      "pixi-static-uniforms": fileURLToPath(new URL("node_modules/@pixi/unsafe-eval/lib/syncUniforms.mjs", import.meta.url)),
    },
    dedupe: ["@annotorious/core", "openseadragon"],
  },
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  server: { fs: { allow: [".", "../clients"] }, proxy: { "/api": { target: process.env.EASEL_URL ?? "http://127.0.0.1:8080", ws: true } } },
  test: { include: ["test/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
