// Many files at once, over a crash of the node and a reload of the page, in a real
// browser against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const FILES = 36;

let node, browser, ann, token, sample;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  sample = await readFile(new URL("../samples/dogs.jpg", import.meta.url));
  ann = await Person.arrive(browser, node, token);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

/** A picture of its own: what follows the end of a JPEG is not read. */
const picture = (n) => ({ name: `walk-${String(n).padStart(2, "0")}.jpg`, mimeType: "image/jpeg", buffer: Buffer.concat([sample, Buffer.from(`#${n}`)]) });
const choose = (files) => ann.page.locator('input[type="file"]').setInputFiles(files);
const images = async () => (await node.call(token, "GET", "/api/images?limit=1000")).images;
const title = () => ann.page.locator(".uploads b").textContent();

test("many files arrive once each, over a crash of the node and reloads of the page", async () => {
  // Slow enough to be in the middle of it.
  const session = await ann.context.newCDPSession(ann.page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 40, downloadThroughput: -1, uploadThroughput: 2 << 20 });
  const wrong = [
    { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
    { name: "huge.jpg", mimeType: "image/jpeg", buffer: Buffer.concat([sample, Buffer.alloc(11 << 20)]) },
  ];
  await choose([picture(0), ...wrong, ...Array.from({ length: FILES - 1 }, (_, n) => picture(n + 1))]);
  await eventually("some have arrived", async () => (await images()).length >= 5);
  await node.kill();
  await ann.page.locator(".uploads small:has-text('Waiting for the server')").waitFor();
  if (process.env.PICTURES) {
    await ann.page.screenshot({ path: `${process.env.PICTURES}/uploads-paused.png` });
  }
  await ann.page.reload(); // while nobody is there
  await ann.page.locator(".uploads li").first().waitFor();
  await node.launch();
  await eventually("it goes on", async () => (await images()).length >= 15, 30_000);
  await ann.accessible("uploads on their way", ".uploads");
  if (process.env.PICTURES) {
    await ann.page.screenshot({ path: `${process.env.PICTURES}/uploads.png` });
  }
  await ann.page.reload(); // in the middle of some
  await eventually("all have arrived", async () => (await images()).length >= FILES && (await title()) === "Uploads", 60_000);
  const names = (await images()).map((image) => image.filename).sort();
  assert.deepEqual(names, Array.from({ length: FILES }, (_, n) => picture(n).name));
});

test("what was refused says why, beside the others, until it is put away", async () => {
  const refused = ann.page.locator(".uploads li.failed");
  await eventually("both are listed", async () => (await refused.count()) === 2);
  assert.match(await refused.filter({ hasText: "notes.png" }).textContent(), /Not a picture/);
  assert.match(await refused.filter({ hasText: "huge.jpg" }).textContent(), /Too large: 11/);
  if (process.env.PICTURES) {
    await ann.page.screenshot({ path: `${process.env.PICTURES}/uploads-refused.png` });
  }
  await ann.page.locator('button[aria-label="Hide finished uploads"]').click();
  await ann.page.locator(".uploads").waitFor({ state: "hidden" });
  await ann.page.reload();
  await ann.page.waitForSelector(".tile");
  assert.equal(await refused.count(), 0);
});

test("files that wait can be cancelled, one or all", async () => {
  await node.kill();
  await choose([picture(100), picture(101), picture(102)]);
  await ann.page.locator('button[aria-label="Cancel walk-100.jpg"]').click();
  await eventually("two wait", async () => (await ann.page.locator(".uploads li").count()) === 2);
  await ann.page.locator('.uploads button:text-is("Cancel all")').click();
  await ann.page.locator(".uploads").waitFor({ state: "hidden" });
  await node.launch();
  await ann.page.reload();
  await ann.page.waitForSelector(".tile");
  assert.equal((await images()).length, FILES);
});

test("no page ran into an error", () => {
  assert.deepEqual(ann.faults, []);
});
