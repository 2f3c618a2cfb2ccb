// Two people in two browsers on one image, against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, bob, annToken, bobToken, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  annToken = await node.token("ann", "Ann Lee");
  bobToken = await node.token("bob", "Bob Stone");
  image = await node.upload(annToken, "coffee.jpg");
  ann = await Person.arrive(browser, node, annToken);
  bob = await Person.arrive(browser, node, bobToken);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

test("the token leaves the address bar", async () => {
  assert.equal(new URL(ann.page.url()).hash, "");
  await ann.page.locator(".tile img.ready").waitFor();
});

test("a box that one draws appears to the other", async () => {
  await ann.openImage(image.id);
  await bob.openImage(image.id);
  await ann.draw([0.4, 0.3], [0.6, 0.6], "cup");
  await bob.page.locator('.tag:text-is("cup")').waitFor();
  await ann.badge("saved");
  const [stored] = await node.annotations(annToken, image.id);
  assert.equal(stored.label, "cup");
  assert.equal(stored.created_by, "ann");
});

test("each sees where the other points, with a name", async () => {
  await bob.page.mouse.move(...(await bob.at(0.25, 0.25)));
  const cursor = ann.page.locator('.person[data-user="bob"] .cursor:not([hidden])');
  await cursor.waitFor();
  assert.equal(await cursor.textContent(), "Bob Stone");
  const want = await ann.at(0.25, 0.25);
  await eventually("the cursor is where Bob points", async () => {
    const box = await cursor.boundingBox();
    return Math.abs(box.x - want[0]) < 8 && Math.abs(box.y - want[1]) < 8;
  });
  assert.equal(await ann.page.locator(".people .avatar[data-user]").getAttribute("title"), "Bob Stone");
});

test("what the other moves, moves here", async () => {
  const from = await ann.tag("cup");
  await bob.page.locator('.boxes button:has-text("cup")').first().click();
  await bob.page.locator(".a9s-shape-handle").first().waitFor();
  await bob.drag([0.5, 0.45], [0.6, 0.5]);
  await eventually("the box is further right for Ann", async () => (await ann.tag("cup")).x > from.x + 50);
  await eventually("the box is stored where it is shown", async () => {
    const [stored] = await node.annotations(annToken, image.id);
    return stored.rev > 1 && stored.updated_by === "bob";
  });
});

test("what one resizes and renames, the other sees", async () => {
  const before = (await node.annotations(annToken, image.id))[0];
  const corner = bob.page.locator(".a9s-corner-handle-bottomright, .a9s-corner-handle").last();
  const at = await corner.boundingBox();
  await bob.page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await bob.page.mouse.down();
  await bob.page.mouse.move(at.x + at.width / 2 + 60, at.y + at.height / 2 + 40, { steps: 6 });
  await bob.page.mouse.up();
  await eventually("the box has another size", async () => {
    const [now] = await node.annotations(annToken, image.id);
    return now.width !== before.width || now.height !== before.height;
  });
  const input = bob.page.locator(".popover input");
  await input.fill("espresso");
  await input.press("Enter");
  await ann.page.locator('.tag:text-is("espresso")').waitFor();
});

test("a reload keeps everything", async () => {
  await ann.page.reload();
  await ann.ready();
  assert.deepEqual(await ann.labels(), ["espresso"]);
});

test("the keyboard deletes, and Escape lets go", async () => {
  await ann.draw([0.3, 0.7], [0.4, 0.85], "spoon");
  await bob.page.locator('.tag:text-is("spoon")').waitFor();
  await ann.page.locator('.boxes button:has-text("spoon")').first().click();
  await ann.page.locator(".boxes li.selected").waitFor();
  await ann.page.evaluate(() => document.activeElement.blur());
  await ann.page.keyboard.press("Escape");
  await eventually("nothing is selected", async () => (await ann.page.locator(".boxes li.selected").count()) === 0);
  await ann.page.locator('.boxes button:has-text("spoon")').first().click();
  await ann.page.evaluate(() => document.activeElement.blur());
  await ann.page.keyboard.press("Delete");
  await eventually("the box is gone for Bob", async () => !(await bob.labels()).includes("spoon"));
});

test("what is drawn while the server is dead arrives once", async () => {
  await node.kill();
  await ann.badge("offline");
  await ann.draw([0.7, 0.6], [0.82, 0.8], "kept");
  await ann.badge("offline", /waiting/);
  // Nothing but the browser's own storage knows of it now.
  await node.launch();
  await ann.badge("saved");
  await bob.badge("saved");
  await bob.page.locator('.tag:text-is("kept")').waitFor();
  const labels = (await node.annotations(annToken, image.id)).map((a) => a.label).sort();
  assert.deepEqual(labels, ["espresso", "kept"]);
});

test("what is drawn offline survives a closed tab", async () => {
  await node.kill();
  await bob.badge("offline");
  await bob.draw([0.2, 0.6], [0.3, 0.8], "from a closed tab");
  await bob.page.close();
  await node.launch();
  bob.page = await bob.context.newPage();
  await bob.page.goto(`${node.url}/#token=${bobToken}`);
  await bob.page.waitForSelector(".gallery");
  await bob.openImage(image.id);
  await ann.badge("saved");
  await ann.page.locator('.tag:text-is("from a closed tab")').waitFor();
  const labels = (await node.annotations(annToken, image.id)).map((a) => a.label);
  assert.equal(labels.filter((label) => label === "from a closed tab").length, 1);
});

test("what is drawn offline arrives although its image was left", async () => {
  await node.kill();
  await ann.badge("offline");
  await ann.draw([0.45, 0.05], [0.6, 0.2], "left behind");
  await ann.page.locator('a[aria-label="All images"]').click();
  await ann.page.waitForSelector(".gallery");
  await node.launch();
  await bob.badge("saved");
  await bob.page.locator('.tag:text-is("left behind")').waitFor();
});

test("several files upload with progress and can be opened", async () => {
  await ann.page.goto(`${node.url}/#/`);
  await ann.page.waitForSelector(".gallery");
  const samples = ["dogs.jpg", "mountains.jpg"].map((name) => new URL(`../samples/${name}`, import.meta.url).pathname);
  await ann.page.locator('input[type="file"]').setInputFiles(samples);
  await eventually("both are listed", async () => (await ann.page.locator(".tile").count()) === 3);
  const file = { name: "not-an-image.png", mimeType: "image/png", buffer: Buffer.from("<svg/>") };
  await ann.page.locator('input[type="file"]').setInputFiles(file);
  await ann.page.locator(".uploads li.failed").waitFor();
});

test("arrow keys go through the images", async () => {
  await ann.page.locator(".tile").first().click();
  await ann.ready();
  const first = ann.page.url();
  await ann.page.keyboard.press("ArrowRight");
  await eventually("the next image is open", async () => ann.page.url() !== first);
  await ann.ready();
  await ann.page.keyboard.press("ArrowLeft");
  await eventually("the first image is open again", async () => ann.page.url() === first);
});

test("a viewer looks and cannot draw", async () => {
  const guest = await Person.arrive(browser, node, await node.token("vic", "Vic", "viewer"));
  await guest.openImage(image.id);
  const before = (await node.annotations(annToken, image.id)).length;
  assert.equal(await guest.page.locator('.toolbar button[aria-label^="Draw"]:enabled').count(), 0);
  await guest.drag([0.3, 0.3], [0.5, 0.5]);
  assert.equal((await node.annotations(annToken, image.id)).length, before);
  await guest.context.close();
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
