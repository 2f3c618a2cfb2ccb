// Makes src/api.ts: the types of every route and shape, from the OpenAPI document
// that the binary serves. EASEL_BIN names the binary; with --check nothing is
// written, and a file that would be different is an error.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { EaselNode } from "./node.mjs";

const file = fileURLToPath(new URL("../src/api.ts", import.meta.url));

async function document() {
  const node = await EaselNode.start();
  try {
    return await (await fetch(`${node.url}/openapi.json`)).text();
  } finally {
    await node.close();
  }
}

/** What is generated does not depend on which build says the same. */
const normal = (text) => text.replace(/("info":\{[^{}]*"version":)"[^"]*"/, '$1""');

/** Only points are tuples: a tuple of lists comes out of the generator as lists of lists. */
function withoutTuplesOfLists(schema) {
  if (schema && typeof schema === "object") {
    if (schema.type === "array" && schema.items?.type === "array") {
      delete schema.minItems;
      delete schema.maxItems;
    }
    Object.values(schema).forEach(withoutTuplesOfLists);
  }
  return schema;
}

const text = normal(await document());
const types = astToString(await openapiTS(withoutTuplesOfLists(JSON.parse(text)), { alphabetize: true, arrayLength: true, defaultNonNullable: false }));
const made = `// Made by "make clients" from the OpenAPI document of the binary; not edited by hand.
// Document: sha256 ${createHash("sha256").update(text).digest("hex")}

${types}`;
if (!process.argv.includes("--check")) {
  writeFileSync(file, made);
} else if (readFileSync(file, "utf8") !== made) {
  console.error("src/api.ts is not what the binary's OpenAPI document says: run make clients, and commit it");
  process.exit(1);
}
