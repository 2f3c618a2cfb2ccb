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

test("one annotation is brought back as it was, and that is undone by a click", async () => {
  const { page } = ann;
  await bob.page.evaluate(() => document.activeElement?.blur());
  await bob.page.keyboard.press("h");
  await bob.page.locator(".timeline").waitFor({ state: "hidden" });
  await bob.page.locator('.boxes button:has-text("cup")').first().click();
  await bob.page.locator(".popover input").fill("mug");
  await bob.page.locator(".popover input").press("Enter");
  await bob.draw([0.2, 0.6], [0.3, 0.75], "fork");
  await labels(ann, "mug", "plate", "fork");
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("h");
  await told("Bob Stone changed “fork”");
  await page.locator(".timeline input").focus();
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press("ArrowLeft"); // naming and drawing the fork, and the mug
  }
  await labels(ann, "cup", "plate");
  await page.locator('.boxes button:has-text("cup")').first().click();
  await page.locator('.timeline button:text-is("Bring back only “cup”")').waitFor();
  await ann.accessible("a version and what can be brought back", ".workspace");
  await page.locator('.timeline button:text-is("Bring back only “cup”")').click();
  await labels(bob, "cup", "plate", "fork");
  await page.locator('.toast:has-text("“cup” was brought back") .toast-action').click();
  await labels(bob, "mug", "plate", "fork");
});

test("all that one person did since a moment is undone, and that too", async () => {
  const { page } = ann;
  await ann.draw([0.2, 0.2], [0.3, 0.35], "bowl");
  await ann.badge("saved");
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("h");
  await told("You changed “bowl”");
  await page.locator(".timeline input").focus();
  await page.keyboard.press("Home");
  const person = page.locator('select[aria-label="Whose work to undo"]');
  await person.selectOption("bob");
  await page.locator('.timeline button:text-is("Undo all they did since")').click();
  await labels(bob, "mug", "plate", "bowl"); // the mug was Ann's work, too
  await page.locator('.toast:has-text("what Bob Stone did since") .toast-action').click();
  await labels(bob, "mug", "plate", "fork", "bowl");
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
