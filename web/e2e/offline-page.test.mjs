// The page without its server: it opens, shows what was seen, takes edits, and
// sends them once when a server is back (EASEL_BIN), in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const EDITS = 500;

let node, browser, ann, token, image, other;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  other = await node.upload(token, "dogs.jpg");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token);
  await ann.page.evaluate(() => navigator.serviceWorker.ready);
  await ann.openImage(image.id);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const stored = async () => node.annotations(token, image.id);
const note = () => ann.page.locator(".offline-note:not([hidden])");

test("the page opens without a server and shows what was seen", async () => {
  await ann.draw([0.4, 0.3], [0.5, 0.45], "cup");
  await ann.badge("saved");
  await node.kill();
  await ann.badge("offline");
  await ann.page.reload();
  await ann.page.waitForSelector(".editor[data-ready]");
  await ann.page.locator('.tag:text-is("cup")').waitFor();
  await ann.badge("offline", /^Offline$/);

  await ann.page.locator('a[aria-label="All images"]').click();
  await ann.page.locator(`.tile`).nth(1).waitFor();
  await ann.page.locator(".tile img.ready").nth(1).waitFor();
  await note().waitFor();
  await ann.accessible("the gallery without a server");
  if (process.env.PICTURES) {
    await ann.page.screenshot({ path: `${process.env.PICTURES}/offline-gallery.png` });
  }
  await ann.page.reload();
  await ann.page.locator(".tile img.ready").nth(1).waitFor();
  await ann.page.evaluate((hash) => (location.hash = hash), `#/images/${other.id}`);
  await ann.page.getByText("cannot be reached").first().waitFor(); // it was never opened
});

test(`${EDITS} edits made without a server survive reloads and arrive exactly once`, async () => {
  await ann.page.evaluate((hash) => (location.hash = hash), `#/images/${image.id}`);
  await ann.page.waitForSelector(".editor[data-ready]");
  await ann.page.locator(`.boxes button:has(.row-label:text-is("cup"))`).first().click();
  await ann.page.locator(".tag").first().waitFor();
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.down("Control");
  await Promise.all(Array.from({ length: EDITS }, () => ann.page.keyboard.press("d")));
  await ann.page.keyboard.up("Control");
  await ann.badge("offline", new RegExp(`${EDITS} waiting`));
  if (process.env.PICTURES) {
    await ann.page.screenshot({ path: `${process.env.PICTURES}/offline-editor.png` });
  }
  await ann.page.reload();
  await ann.page.waitForSelector(".editor[data-ready]");
  await ann.badge("offline", new RegExp(`${EDITS} waiting`));
  await eventually("all are shown", async () => (await ann.page.locator(".panel .pill").first().textContent()) === String(EDITS + 1));

  await node.launch();
  await ann.badge("saved", /./, 60_000);
  const now = await stored();
  assert.equal(now.length, EDITS + 1);
  const puts = new Map();
  let cursor = "";
  do {
    const page = await node.call(token, "GET", `/api/images/${image.id}/ops?since=0&limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    page.ops.flatMap((version) => version.ops).forEach((op) => op.k === "put" && puts.set(op.id, (puts.get(op.id) ?? 0) + 1));
    cursor = page.next_cursor ?? "";
  } while (cursor);
  assert.deepEqual([puts.size, Math.max(...puts.values())], [EDITS + 1, 1], "each was made by exactly one version");
});

test("the list is the server's again once that is back", async () => {
  await ann.page.locator('a[aria-label="All images"]').click();
  await eventually("the note is gone", async () => (await note().count()) === 0);
  await node.upload(token, "mountains.jpg");
  await ann.page.reload();
  await eventually("the new image is listed", async () => (await ann.page.locator(".tile").count()) === 3);
});

test("nothing that is kept holds a token, and who signs out leaves nothing that was seen", async () => {
  const kept = await ann.page.evaluate(async () => {
    const found = [];
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) {
        found.push(request.url);
      }
    }
    return found;
  });
  assert.ok(kept.length >= 4);
  assert.deepEqual(kept.filter((url) => /api|token|ticket|\?/.test(url)), []);
  await ann.page.locator('button[aria-label="Sign out"]').click();
  await ann.page.locator(".signin").waitFor();
  const left = () => ann.page.evaluate(() => new Promise((resolve) => {
    indexedDB.open("easel").onsuccess = ({ target: { result: db } }) => {
      const names = ["rows", "pictures", "snapshots"];
      const tx = db.transaction(names);
      const counts = names.map((name) => tx.objectStore(name).count());
      tx.oncomplete = () => (db.close(), resolve(counts.reduce((sum, { result }) => sum + result, 0)));
    };
  }));
  await eventually("nothing is left", async () => (await left()) === 0);
  await node.kill();
  const gone = await Person.arrive(browser, node, token).catch((err) => err);
  assert.match(String(gone), /./, "a browser that was never here has nothing to show");
  await node.launch();
});

test("no page ran into an error", () => {
  assert.deepEqual(ann.faults, []);
});
