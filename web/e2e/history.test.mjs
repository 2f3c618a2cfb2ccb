// The scrubber through an image's history, in a real browser against a real node
// (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, bob, token, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee", "reviewer");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token);
  bob = await Person.arrive(browser, node, await node.token("bob", "Bob Stone"));
  await ann.openImage(image.id);
  await bob.openImage(image.id);
  await bob.draw([0.4, 0.3], [0.5, 0.45], "cup");
  await ann.page.locator('.tag:text-is("cup")').waitFor();
  await ann.draw([0.6, 0.3], [0.7, 0.45], "plate");
  await ann.badge("saved");
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const labels = (person, ...want) => eventually(`labels ${want}`, async () => (await person.labels()).sort().join() === want.sort().join());
const told = (text) => ann.page.locator(`.timeline-what:has-text("${text}")`).waitFor();

test("the slider goes through who did what, and shows it", async () => {
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("h");
  await told("You changed “plate”");
  const slider = ann.page.locator(".timeline input");
  const deeds = Number(await slider.getAttribute("max"));
  await slider.focus();
  for (let i = 0; i < 2; i++) {
    await ann.page.keyboard.press("ArrowLeft"); // naming and drawing the plate
  }
  await told("Bob Stone changed “cup”");
  await labels(ann, "cup");
  await ann.accessible("history", ".stage-frame");
  await ann.page.keyboard.press("Home");
  await told("Before the first edit");
  await labels(ann);
  await ann.page.keyboard.press("End");
  await labels(ann, "cup", "plate");
  assert.ok(deeds >= 4);
});

test("the past cannot be drawn on, and the present goes on behind it", async () => {
  await ann.page.keyboard.press("Home");
  await labels(ann);
  await ann.drag([0.2, 0.6], [0.3, 0.7]);
  await bob.draw([0.8, 0.3], [0.9, 0.45], "spoon");
  await labels(ann);
  assert.equal((await node.annotations(token, image.id)).length, 3);
  await ann.page.locator(".timeline input").focus();
  await ann.page.keyboard.press("Escape");
  await ann.page.locator(".timeline").waitFor({ state: "hidden" });
  await labels(ann, "cup", "plate", "spoon");
});

test("a reviewer brings a version back, for everyone", async () => {
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("h");
  await told("changed “spoon”");
  await ann.page.locator(".timeline input").focus();
  await ann.page.keyboard.press("ArrowLeft");
  await ann.page.keyboard.press("ArrowLeft");
  await labels(ann, "cup", "plate");
  await ann.page.locator('.timeline button:text-is("Bring this back")').click();
  await labels(bob, "cup", "plate");
  await labels(ann, "cup", "plate");
  await bob.page.evaluate(() => document.activeElement?.blur());
  await bob.page.keyboard.press("h");
  await bob.page.locator('.timeline-what:has-text("Ann Lee deleted")').waitFor();
  assert.equal(await bob.page.locator('.timeline button:text-is("Bring this back")').count(), 0, "an annotator does not revert");
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
