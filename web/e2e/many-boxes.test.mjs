// An image that a machine has drawn hundreds of boxes on, in a real browser,
// against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const BOXES = 500;
const PATIENCE = 90_000; // a browser without a graphics card, on a busy machine

let node, browser, ann, token, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  image = await node.upload(token, "coffee.jpg");
  // A grid of small ones, and one in the free half that a pointer can take.
  const annotations = Array.from({ length: BOXES - 1 }, (_, i) => ({
    image_id: image.id,
    label: `bean ${i % 7}`,
    x: (i % 40) / 41,
    y: Math.floor(i / 40) / 30,
    width: 0.02,
    height: 0.02,
  }));
  annotations.push({ image_id: image.id, label: "saucer", x: 0.2, y: 0.6, width: 0.2, height: 0.2 });
  await node.bulk(token, annotations);
  ann = await Person.arrive(browser, node, token);
  ann.page.setDefaultTimeout(PATIENCE);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const counted = (n) =>
  eventually(`the list counts ${n}`, async () => (await ann.page.locator(".panel .pill").first().textContent()) === String(n), PATIENCE);
const saucer = async () => (await node.annotations(token, image.id)).find((a) => a.label === "saucer");

test("five hundred boxes are shown", async () => {
  await ann.openImage(image.id);
  await counted(BOXES);
  await ann.page.locator(".tag").first().waitFor();
});

test("one of them is dragged and saved", async () => {
  const before = await saucer();
  await ann.page.locator('input[aria-label="Filter annotations"]').fill("saucer"); // the list holds only what is in sight
  await ann.page.locator('.boxes button:has-text("saucer")').first().click();
  await ann.page.locator(".a9s-shape-handle").first().waitFor();
  const shape = await ann.page.locator(".a9s-shape-handle").first().boundingBox();
  const [x, y] = [shape.x + shape.width / 2, shape.y + shape.height / 2];
  await ann.page.mouse.move(x, y);
  await ann.page.mouse.down();
  await ann.page.mouse.move(x + shape.width / 2, y, { steps: 6 });
  await ann.page.mouse.up();
  await eventually("the node has the box where it was dropped", async () => (await saucer()).x > before.x + 0.05, PATIENCE);
  await ann.badge("saved");
  assert.equal((await saucer()).label, "saucer");
});

test("a second burst arrives while the image is open", async () => {
  const more = Array.from({ length: BOXES }, (_, i) => ({
    image_id: image.id,
    label: "crumb",
    x: (i % 40) / 41,
    y: 0.85 + Math.floor(i / 40) / 100,
    width: 0.01,
    height: 0.005,
  }));
  await node.bulk(token, more);
  await ann.page.locator('input[aria-label="Filter annotations"]').fill("");
  await counted(2 * BOXES);
});

test("the page ran into no error", () => {
  assert.deepEqual(ann.faults, []);
});
