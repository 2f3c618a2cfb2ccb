// Undo, chat, themes, help, the grid's chores and accessibility, by two people
// in two browsers, against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, bob, annToken, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  annToken = await node.token("ann", "Ann Lee");
  image = await node.upload(annToken, "coffee.jpg");
  ann = await Person.arrive(browser, node, annToken);
  bob = await Person.arrive(browser, node, await node.token("bob", "Bob Stone"));
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const keys = async (person, ...presses) => {
  await person.page.evaluate(() => document.activeElement?.blur());
  for (const key of presses) {
    await person.page.keyboard.press(key);
  }
};
const gone = (person, label) => eventually(`${label} is gone`, async () => !(await person.labels()).includes(label));
const there = (person, label) => person.page.locator(`.tag:text-is("${label}")`).first().waitFor();

test("undo and redo reach the other", async () => {
  await ann.openImage(image.id);
  await bob.openImage(image.id);
  await ann.draw([0.4, 0.3], [0.6, 0.6], "cup");
  await there(bob, "cup");
  await ann.badge("saved");
  await keys(ann, "Control+z");
  await gone(bob, "cup");
  await ann.badge("saved");
  await keys(ann, "Control+Shift+z");
  await there(bob, "cup");
  await ann.badge("saved");
});

test("undo leaves alone what the other did since, and says so", async () => {
  await bob.page.locator('.boxes button:has-text("cup")').first().click();
  const input = bob.page.locator(".popover input");
  await input.fill("mug");
  await input.press("Enter");
  await there(ann, "mug");
  await keys(ann, "Control+z");
  await ann.page.locator('.toast:has-text("Left alone"):has-text("Bob Stone")').waitFor();
  assert.deepEqual((await node.annotations(annToken, image.id)).map((a) => a.label), ["mug"]);
});

test("clicking the same spot goes through overlapping boxes", async () => {
  await ann.draw([0.45, 0.4], [0.52, 0.5], "inner");
  await there(bob, "inner");
  await keys(ann, "Escape");
  const selected = () => ann.page.locator(".boxes li.selected .row-label").allTextContents();
  await ann.page.mouse.click(...(await ann.at(0.48, 0.45)));
  await eventually("the inner box is selected", async () => (await selected()).join() === "inner");
  await bob.page.locator('.boxes .holder:text-is("Ann Lee")').waitFor();
  await ann.page.locator(".a9s-shape-handle").first().waitFor();
  await keys(ann, "Escape");
});

test("what is typed right after a drag is the label, and no shortcut", async () => {
  await ann.drag([0.7, 0.2], [0.8, 0.3]);
  await ann.page.keyboard.type("vb early");
  await ann.page.locator(".popover:not([hidden]) input:focus").waitFor();
  await ann.page.keyboard.press("Enter");
  await there(bob, "vb early");
});

test("people talk, and a newcomer reads what was said", async () => {
  await ann.page.locator('button[aria-label^="Chat"]').click();
  await ann.page.locator('.chat input').fill("Is this a cup?");
  await ann.page.keyboard.press("Enter");
  await bob.page.locator(".unread").waitFor();
  await keys(bob, "c");
  await bob.page.locator('.chat-lines li:has-text("Is this a cup?"):has-text("Ann Lee")').waitFor();
  await bob.page.reload();
  await bob.ready();
  await keys(bob, "c");
  await bob.page.locator('.chat-lines li:has-text("Is this a cup?")').waitFor();
});

test("the help sheet opens by key and closes by Escape", async () => {
  await keys(ann, "?");
  await ann.page.locator("dialog.help[open]").waitFor();
  await ann.accessible("help");
  await ann.page.keyboard.press("Escape");
  await ann.page.locator("dialog").waitFor({ state: "detached" });
});

test("the editor has no serious fault of accessibility, light or dark", async () => {
  await ann.accessible("light");
  await ann.page.locator('button[aria-label="Light or dark"]').click();
  assert.equal(await ann.page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await ann.accessible("dark");
  await ann.page.reload();
  await ann.ready();
  assert.equal(await ann.page.evaluate(() => document.documentElement.dataset.theme), "dark");
});

test("a narrow window shows the whole page", async () => {
  await bob.page.setViewportSize({ width: 420, height: 800 });
  await eventually("nothing is cut off", () => bob.page.evaluate(() => document.querySelector(".editor").scrollWidth <= innerWidth));
  await bob.page.setViewportSize({ width: 1360, height: 850 });
});

test("an image is renamed, found, deleted and restored from the grid", async () => {
  await ann.page.locator('a[aria-label="All images"]').click();
  await ann.page.locator(".tile img.ready").waitFor();
  await ann.accessible("grid");
  await ann.page.locator(".tile-frame").hover();
  await ann.page.locator('button[aria-label="Rename coffee.jpg"]').click();
  await ann.page.locator("dialog input").fill("morning.jpg");
  await ann.page.keyboard.press("Enter");
  await ann.page.locator('.tile-name:text-is("morning.jpg")').waitFor();
  await bob.page.locator('.title:text-is("morning.jpg")').waitFor();
  await ann.page.locator("input.search").fill("label:nowhere");
  await ann.page.locator('h2:text-is("Nothing matches")').waitFor();
  await ann.page.locator("input.search").fill("label:mug");
  await ann.page.locator('.tile-name:text-is("morning.jpg")').waitFor();
  await ann.page.locator("input.search").fill("");
  await ann.page.locator('button[aria-label="Delete morning.jpg"]').click();
  await bob.page.locator(".notice:not([hidden])").waitFor();
  assert.equal(await bob.page.locator(".notice button").count(), 0, "only Ann may restore her image");
  await ann.page.locator('.toast-action:text-is("Restore")').click();
  await ann.page.locator('.tile-name:text-is("morning.jpg")').waitFor();
  await bob.page.locator(".notice").waitFor({ state: "hidden" });
});

test("a click on an image counts although the grid is loaded again under it", async () => {
  const { page } = ann;
  const tile = await page.locator(".tile").boundingBox();
  await page.mouse.move(tile.x + tile.width / 2, tile.y + tile.height / 2);
  await page.mouse.down();
  await node.upload(annToken, "dogs.jpg");
  const loaded = page.waitForResponse((response) => response.url().includes("/api/images?"));
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await (await loaded).finished();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await page.mouse.up();
  await page.locator('.title:text-is("morning.jpg")').waitFor();
});

test("an image's state is set beside its name, seen by others and kept in the grid", async () => {
  await ann.page.locator("select.state-field").selectOption("done");
  await bob.page.locator('a[aria-label="All images"]').click();
  const pill = bob.page.locator(`.tile[data-id="${image.id}"] .state`);
  await eventually("the grid says so", async () => {
    await bob.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    return (await pill.textContent()) === "Done";
  });
  await bob.accessible("grid with states");
  await bob.openImage(image.id);
  assert.equal(await bob.page.locator("select.state-field").inputValue(), "done");
  assert.equal(await bob.page.locator("select.state-field").isDisabled(), true, "only who uploaded it says so");
});

test("an upload whose answer is lost is repeated and makes one image", async () => {
  const { page } = ann;
  await page.locator('a[aria-label="All images"]').click();
  await page.locator(".tile").first().waitFor();
  let lost = 0;
  await page.route("**/api/images/upload", async (route) => {
    await route.fetch();
    lost++;
    await route.abort("connectionreset");
  }, { times: 1 });
  await page.locator('input[type="file"]').setInputFiles(fileURLToPath(new URL("../samples/dandelions.jpg", import.meta.url)));
  // It is sent again by itself, under the same Idempotency-Key.
  await page.locator(".uploads li.done").waitFor();
  const { images } = await node.call(annToken, "GET", "/api/images?filename=dandelions.jpg");
  assert.deepEqual([lost, images.length], [1, 1]);
});

test("others cannot rename or delete it", async () => {
  await bob.page.locator('a[aria-label="All images"]').click();
  await bob.page.locator(".tile").first().waitFor();
  assert.equal(await bob.page.locator(".tile-actions").count(), 0);
});

test("the grid is narrowed by state, label and uploader together, and counts", async () => {
  const { page } = bob;
  const mine = await node.upload(await node.token("bob", "Bob Stone"), "mountains.jpg");
  const names = (...want) => eventually(`listed: ${want}`, async () => (await page.locator(".tile-name").allTextContents()).sort().join() === want.sort().join());
  const chip = (text) => page.locator(`.state-chip:has-text("${text}")`);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await eventually("three new, one done", async () => (await chip("New").textContent()) === "New3" && (await chip("Done").textContent()) === "Done1");
  await chip("Done").click();
  await names("morning.jpg");
  await page.locator('input[aria-label="Uploaded by"]').fill("bob");
  await page.locator('h2:text-is("Nothing matches")').waitFor();
  await bob.accessible("a narrowed grid");
  await chip("New").click();
  await names("mountains.jpg");
  await page.locator('.narrowing button:text-is("Clear")').click();
  await names("morning.jpg", "dogs.jpg", "dandelions.jpg", "mountains.jpg");
  await page.locator("input.search").fill("by:ann do");
  await names("dogs.jpg");
  await page.locator("input.search").fill("");
  await names("morning.jpg", "dogs.jpg", "dandelions.jpg", "mountains.jpg");
  await bob.openImage(mine.id);
});

test("keys go to the next image, and to the next that is not done", async () => {
  const { page } = bob;
  const at = (title) => page.locator(`.title:text-is("${title}")`).waitFor();
  await page.locator("select.state-field").selectOption("in_progress");
  await keys(bob, "ArrowRight");
  await at("dandelions.jpg");
  await bob.ready();
  await keys(bob, "n");
  await at("dogs.jpg");
  await bob.ready();
  await keys(bob, "n"); // over morning.jpg, which is done, and around the end
  await at("mountains.jpg");
  await bob.ready();
  assert.equal(await page.locator("select.state-field").inputValue(), "in_progress");
  await keys(bob, "ArrowLeft");
  await page.locator('.toast:has-text("This is the first image.")').waitFor();
});

test("an admin sets the labels, without overwriting another admin's", async () => {
  const token = await node.token("eve", "Eve", "admin");
  const eve = await Person.arrive(browser, node, token);
  const { page } = eve;
  await page.locator('button[aria-label="Labels"]').click();
  await page.locator("dialog[open]").waitFor();
  const put = await fetch(`${node.url}/api/schema`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ labels: [{ name: "dog", color: "#ffff00" }] }),
  });
  assert.equal(put.status, 200);
  const add = async () => {
    await page.locator('dialog button:text-is("Add a label")').click();
    await page.locator('input[aria-label="Name of new label"]').fill("cat");
    await page.locator('input[aria-label="Key of new label"]').fill("7");
    await page.locator('dialog button:text-is("Save")').click();
  };
  const attribute = async () => {
    await page.locator('dialog button[aria-label="Attributes of new label"]').click();
    await page.locator('dialog .attribute-editor:visible button:text-is("Add an attribute")').click();
    await page.locator('input[aria-label="Name of new attribute"]').fill("age");
    await page.locator('select[aria-label="Type of new attribute"]').selectOption("number");
    await page.locator('input[aria-label="Least of new attribute"]').fill("9");
    await page.locator('input[aria-label="Most of new attribute"]').fill("5");
    await page.locator('dialog button:text-is("Save")').click();
    await page.locator('dialog [role=status]:has-text("The least of “age” is above its most.")').waitFor();
    await eve.accessible("attributes of a label", "dialog");
    await page.locator('input[aria-label="Least of new attribute"]').fill("0");
    await page.locator('dialog button:text-is("Save")').click();
  };
  await add();
  await page.locator('dialog:has-text("eve has changed the labels meanwhile") input[aria-label="Name of dog"]').waitFor();
  await eve.accessible("labels", "dialog");
  await page.locator('dialog button:text-is("Add a label")').click();
  await page.locator('input[aria-label="Name of new label"]').fill("cat");
  await page.locator('input[aria-label="Key of new label"]').fill("7");
  await attribute();
  await page.locator("dialog").waitFor({ state: "detached" });
  const { version, labels } = await node.call(token, "GET", "/api/schema");
  assert.deepEqual([version, labels], [2, [{ name: "dog", color: "#ffff00" }, { name: "cat", key: "7", attributes: [{ name: "age", type: "number", min: 0, max: 5 }] }]]);
  await eve.openImage(image.id);
  await page.locator(".boxes button.row").first().click();
  await page.locator('.popover .chip:has-text("dog")').waitFor();
  await keys(eve, "7");
  await there(eve, "cat");
  await page.locator('.popover .chip:has-text("dog")').click();
  await there(eve, "dog");
  await page.locator('.tag[data-tint="#ffff00"]').first().waitFor();
  await eve.accessible("a label of the schema", ".workspace");
  assert.deepEqual(eve.faults, []);
  await eve.context.close();
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
