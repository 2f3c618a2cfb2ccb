// The page under fingers: a tablet upright and on its side, in a real browser
// against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, token, image, fingers;

const tablet = { viewport: { width: 820, height: 1180 }, hasTouch: true, isMobile: true };

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee", "reviewer");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token, tablet);
  fingers = await ann.context.newCDPSession(ann.page);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const stored = async (label) => (await node.annotations(token, image.id)).find((a) => a.label === label);
const touch = (type, ...points) => fingers.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });

/** A finger (or two) that goes down, moves and comes up. */
async function swipe(...paths) {
  const along = async (part) => Promise.all(paths.map(async ([from, to]) => {
    const [[ax, ay], [bx, by]] = [await ann.at(...from), await ann.at(...to)];
    return [ax + (bx - ax) * part, ay + (by - ay) * part];
  }));
  await touch("touchStart", ...(await along(0)));
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await touch("touchMove", ...(await along(part)));
  }
  // A finger that is lifted on the move flings, and the browser takes the next tap for
  // the end of that. One that has put something down rests first.
  await new Promise((resolve) => setTimeout(resolve, 150));
  await touch("touchMove", ...(await along(1)));
  await touch("touchEnd");
}

const tap = async (x, y) => ann.page.touchscreen.tap(...(await ann.at(x, y)));
const tool = (label) => ann.page.locator(`.toolbar button[aria-label^="${label}"]`).tap();

async function name(label) {
  const { page } = ann;
  await page.locator(".popover:not([hidden]) input:focus").waitFor();
  await page.keyboard.type(label);
  await page.keyboard.press("Enter");
  return eventually(`${label} is stored`, () => stored(label));
}

/** Every control that a finger may be meant for, if it is smaller than a fingertip. */
const small = () =>
  ann.page.evaluate(() => {
    const targets = "button, a[href], select, input, summary";
    return [...document.querySelectorAll(targets)]
      .filter((e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest("label"))
      .map((e) => ({ e, box: e.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 40 || box.height < 40))
      .map(({ e, box }) => `${e.tagName} ${e.getAttribute("aria-label") ?? e.textContent} ${Math.round(box.width)}x${Math.round(box.height)}`);
  });

const fits = () => ann.page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth && [...document.querySelectorAll(".bar, .side, .toolbar, .narrowing")].every((e) => e.getBoundingClientRect().right <= innerWidth && e.scrollWidth <= e.clientWidth + 1));

async function reachable(what) {
  assert.deepEqual(await small(), [], `${what}: targets under 40 px`);
  assert.ok(await fits(), `${what}: nothing is cut off`);
}

test("an image is opened by a tap", async () => {
  await ann.page.locator(".tile img.ready").waitFor();
  await reachable("grid");
  await ann.page.locator(".tile").tap();
  await ann.ready();
  await reachable("editor");
});

test("a finger draws a box", async () => {
  await swipe([[0.3, 0.35], [0.5, 0.5]]);
  const { width, height, shape } = await name("cup");
  assert.ok(width > 0.1 && height > 0.1 && !shape, `${width} × ${height}`);
  await reachable("a box is selected");
});

test("taps make a polygon", async () => {
  await tool("Draw polygons");
  for (const [x, y] of [[0.6, 0.35], [0.75, 0.35], [0.7, 0.5], [0.6, 0.35]]) {
    await tap(x, y);
  }
  const { shape } = await name("triangle");
  assert.deepEqual([shape.type, shape.points.length], ["polygon", 3]);
});

test("taps make a line, and a double tap ends it", async () => {
  await tool("Draw lines");
  await tap(0.3, 0.6);
  await tap(0.4, 0.65);
  await tap(0.5, 0.6);
  await tap(0.5, 0.6);
  const { shape } = await name("crack");
  assert.equal(shape.type, "polyline");
  assert.ok(shape.points.length >= 3);
});

test("a finger moves what is selected", async () => {
  await tool("Select");
  const before = await stored("cup");
  await tap(0.4, 0.42);
  await ann.page.locator('.boxes li.selected .row-label:text-is("cup")').waitFor();
  await swipe([[0.4, 0.42], [0.5, 0.5]]);
  await eventually("it is elsewhere", async () => (await stored("cup")).x > before.x + 0.05);
  const after = await stored("cup");
  assert.ok(Math.abs(after.width - before.width) < 1e-6, "as large as before");
});

test("nothing lies under the tools, nor handles under a label", async () => {
  const { page } = ann;
  await node.bulk(token, [{ image_id: image.id, label: "edge", x: 0, y: 0.5, width: 0.3, height: 0.2 }]);
  const tag = page.locator('.tag:text-is("edge")');
  await tag.waitFor();
  const [tools, edge] = [await page.locator(".toolbar").boundingBox(), await tag.boundingBox()];
  assert.ok(edge.x >= tools.x + tools.width - 2, `the picture begins at ${edge.x}, the tools end at ${tools.x + tools.width}`);
  await page.locator('.boxes button:has(.row-label:text-is("edge"))').tap();
  await page.locator(".a9s-touch-handle").first().waitFor();
  const top = Math.min(...(await page.locator(".a9s-handle-dot").all().then((all) => Promise.all(all.map(async (dot) => (await dot.boundingBox()).y)))));
  await eventually("the label keeps off the handles", async () => {
    const { y, height } = await tag.boundingBox();
    return y + height <= top;
  });
  await page.keyboard.press("Escape");
  const { id } = await stored("edge");
  await node.call(token, "DELETE", `/api/images/${image.id}/annotations/${id}`);
  await tag.waitFor({ state: "detached" });
});

test("two fingers zoom, and one pans", async () => {
  const zoom = async () => Number(await ann.page.locator(".editor").getAttribute("data-zoom"));
  const before = await zoom();
  await tap(0.2, 0.9);
  await swipe([[0.45, 0.45], [0.25, 0.3]], [[0.55, 0.55], [0.75, 0.7]]);
  await eventually("it is larger", async () => (await zoom()) > before * 1.3);
  const count = (await node.annotations(token, image.id)).length;
  assert.equal(count, 3, "nothing was drawn by the way");
});

test("two fingers zoom while boxes are drawn, too, and draw none", async () => {
  await tool("Fit");
  await tool("Draw boxes");
  const zoom = async () => Number(await ann.page.locator(".editor").getAttribute("data-zoom"));
  await eventually("all of it is seen", async () => (await zoom()) < 1.05);
  await swipe([[0.45, 0.45], [0.25, 0.3]], [[0.55, 0.55], [0.75, 0.7]]);
  await eventually("it is larger", async () => (await zoom()) > 1.2);
  assert.equal((await node.annotations(token, image.id)).length, 3, "nothing was drawn by the way");
  await tool("Fit");
});

test("everything is within reach with predictions, history and on its side", async () => {
  await node.bulk(token, [0.9, 0.4].map((confidence, i) => ({ image_id: image.id, label: "spoon", x: 0.1 + 0.2 * i, y: 0.1, width: 0.1, height: 0.1, confidence, source: "model", model: "yolo 11" })));
  const accept = ann.page.locator('button[aria-label="Accept spoon"]').first();
  await accept.scrollIntoViewIfNeeded();
  await ann.page.locator(".filter summary").tap();
  await reachable("predictions");
  await accept.tap();
  await eventually("it is accepted", async () => (await node.annotations(token, image.id)).some((a) => a.confidence === 0.9 && !a.source));
  await ann.page.locator('button[aria-label^="History"]').tap();
  await ann.page.locator(".timeline-what time").waitFor();
  await reachable("history");
  await ann.page.locator('button[aria-label="Back to now"]').tap();
  await ann.page.setViewportSize({ width: 1180, height: 820 });
  await eventually("nothing is cut off", fits);
  await reachable("on its side");
  await ann.accessible("a tablet on its side");
});

test("no page ran into an error", () => {
  assert.deepEqual(ann.faults, []);
});
