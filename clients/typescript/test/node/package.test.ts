import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aNode } from "./world.js";

const run = promisify(execFile);
const here = new URL("../../", import.meta.url).pathname;

/** A program in a folder of its own that has nothing but the packed package. */
describe.skipIf(!process.env.EASEL_BIN)("the package as it is published", () => {
  const node = aNode();
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "easel-package-"));
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: here });
    const home = join(folder, "node_modules/@easelhq/client");
    await mkdir(home, { recursive: true });
    await run("tar", ["-xzf", join(folder, stdout.trim().split("\n").pop()!), "-C", home, "--strip-components=1"]);
    await cp(join(here, "examples"), folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("holds what it needs, and nothing else", async () => {
    const home = join(folder, "node_modules/@easelhq/client");
    expect((await readdir(home)).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
    const about = JSON.parse(await readFile(join(home, "package.json"), "utf8")) as Record<string, unknown>;
    expect(about).toMatchObject({ name: "@easelhq/client", license: "Apache-2.0", type: "module" });
    expect(about.dependencies).toBeUndefined();
  });

  it("runs the examples, typed strictly", async () => {
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--typeRoots", join(here, "node_modules/@types")];
    await run("node", [join(here, "node_modules/typescript/bin/tsc"), ...options, "annotate.ts", "follow-live.ts"], { cwd: folder });
    const env = { ...process.env, EASEL_URL: node.it.url, EASEL_TOKEN: await node.it.token("ann", "reviewer") };
    const annotate = await run("node", ["annotate.js"], { cwd: folder, env });
    expect(annotate.stdout.trim().split("\n")).toEqual([
      "drew car at rev 1",
      "renamed it to truck at rev 2",
      "too late: conflict",
      "accepted 2",
      "4 annotations at version 4",
    ]);
    if (typeof WebSocket === "undefined") {
      return; // node --experimental-websocket
    }
    const follow = await run("node", ["follow-live.js"], { cwd: folder, env });
    expect(follow.stdout.trim().split("\n")).toEqual(["Bob sees cup", "Bob sees mug", "Ann has mug rev 2"]);
  });
});
