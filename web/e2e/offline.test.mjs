// Edits made without a connection, reloads, and what others did meanwhile, in
// real browsers against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const EDITS = 500;

let node, browser, ann, bob, token, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token, { cable: true });
  bob = await Person.arrive(browser, node, await node.token("bob", "Bob Stone"));
  await ann.openImage(image.id);
  await bob.openImage(image.id);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const stored = async () => node.annotations(token, image.id);
const named = async (label) => (await stored()).find((a) => a.label === label);
const there = (person, label) => person.page.locator(`.tag:text-is("${label}")`).first().waitFor();
const keys = async (person, ...presses) => {
  await person.page.evaluate(() => document.activeElement?.blur());
  for (const key of presses) {
    await person.page.keyboard.press(key);
  }
};
const pick = async (person, label) => {
  await person.page.locator(`.boxes button:has(.row-label:text-is("${label}"))`).first().click();
  await person.page.locator(".a9s-shape-handle").first().waitFor();
};

test("undo and redo survive a reload", async () => {
  await ann.draw([0.4, 0.3], [0.5, 0.45], "cup");
  await ann.badge("saved");
  await ann.page.reload();
  await ann.ready();
  await keys(ann, "Control+z");
  await eventually("the box is gone", async () => (await stored()).length === 0);
  await ann.badge("saved");
  await ann.page.reload();
  await ann.ready();
  await keys(ann, "Control+Shift+z");
  await there(bob, "cup");
  await ann.badge("saved");
});

test("what both changed is not overwritten: its author is asked, also after a reload", async () => {
  await ann.draw([0.6, 0.6], [0.7, 0.7], "spoon");
  await ann.draw([0.6, 0.3], [0.7, 0.4], "plate");
  await ann.badge("saved");
  await there(bob, "plate");
  await ann.disconnect();
  await pick(ann, "cup");
  await keys(ann, "Control+Shift+ArrowRight", "Escape");
  await pick(ann, "spoon");
  await keys(ann, "Control+Shift+ArrowRight", "Escape");
  await pick(ann, "plate");
  await keys(ann, "Control+Shift+ArrowRight", "Escape");
  await ann.badge("offline", /3 waiting/);

  const [cup, spoon, plate] = [await named("cup"), await named("spoon"), await named("plate")];
  await pick(bob, "cup");
  await keys(bob, "Control+Shift+ArrowDown", "Escape");
  await pick(bob, "spoon");
  await keys(bob, "Delete");
  await pick(bob, "plate");
  await bob.page.locator(".popover input").fill("saucer");
  await bob.page.keyboard.press("Enter");
  await eventually("Bob's work is stored", async () => (await named("cup")).y > cup.y && !(await named("spoon")) && (await named("saucer")));

  await ann.reconnect();
  await ann.badge("saved");
  await ann.page.locator('.conflicts li:has-text("You moved “cup”, and Bob Stone changed it meanwhile")').waitFor();
  await ann.page.locator('.conflicts li:has-text("You moved “spoon”, and somebody deleted it meanwhile")').waitFor();
  assert.equal(await ann.page.locator(".conflicts li").count(), 2);
  await ann.accessible("not saved", ".side");
  assert.ok((await named("saucer")).x > plate.x, "who moves and who renames do not disturb each other");
  assert.equal((await named("cup")).x, cup.x, "Bob's place of the cup stands");

  await ann.page.reload();
  await ann.ready();
  await ann.page.locator('.conflicts li:has-text("cup") button:text-is("Use mine")').click();
  await eventually("the cup is where Ann had put it", async () => (await named("cup")).x > cup.x);
  await ann.page.locator('.conflicts li:has-text("spoon") button:text-is("Put it back")').click();
  await there(bob, "spoon");
  assert.ok((await named("spoon")).x > spoon.x, "it came back where Ann had put it");
  await ann.page.locator(".conflicts").waitFor({ state: "hidden" });
});

test("five hundred edits of an offline hour survive a reload and a crash, and arrive once", async () => {
  const before = await stored();
  await ann.page.setViewportSize({ width: 600, height: 420 }); // little to draw, five hundred times
  await ann.disconnect();
  await pick(ann, "cup");
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.down("Control");
  await Promise.all(Array.from({ length: EDITS }, () => ann.page.keyboard.press("d")));
  await ann.page.keyboard.up("Control");
  await ann.badge("offline", new RegExp(`${EDITS} waiting`));
  await ann.page.reload();
  await ann.page.waitForSelector(".editor[data-ready]");
  await ann.badge("offline", new RegExp(`${EDITS} waiting`));
  assert.equal((await stored()).length, before.length);

  await ann.reconnect();
  await eventually("a part has arrived", async () => (await stored()).length > before.length + 20);
  await node.kill();
  await ann.badge("offline");
  await node.launch();
  await ann.badge("saved", /./, 60_000);
  const now = await stored();
  assert.equal(now.length, before.length + EDITS);
  const puts = new Map();
  let cursor = "";
  do {
    const page = await node.call(token, "GET", `/api/images/${image.id}/ops?since=0&limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    page.ops.flatMap((version) => version.ops).forEach((op) => op.k === "put" && puts.set(op.id, (puts.get(op.id) ?? 0) + 1));
    cursor = page.next_cursor ?? "";
  } while (cursor);
  assert.ok(now.every((a) => puts.get(a.id) === 1), "each was made by exactly one version");
  await eventually("Bob sees all of them", async () => (await bob.page.locator(".panel .pill").first().textContent()) === String(now.length), 60_000);
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
