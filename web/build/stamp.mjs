// Writes dist/.source-hash: what the page was built from. The Go test
// TestPageIsBuiltFromItsSources computes the same without Node.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = ["../clients/typescript/src", "build", "index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "tsconfig.worker.json", "vite.config.ts"];

function* files(path) {
  if (statSync(join(root, path)).isDirectory()) {
    for (const name of readdirSync(join(root, path))) {
      yield* files(`${path}/${name}`);
    }
  } else {
    yield path;
  }
}

const hash = createHash("sha256");
const paths = sources.flatMap((path) => [...files(path)]);
for (const path of paths.sort((a, b) => (a < b ? -1 : 1))) {
  const content = readFileSync(join(root, path));
  hash.update(`${path}\0${content.length}\0`).update(content);
}
writeFileSync(join(root, "dist", ".source-hash"), hash.digest("hex") + "\n");
