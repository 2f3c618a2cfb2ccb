// Polygons, ellipses, lines, points and tags, by mouse and keyboard in real
// browsers against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, bob, token, image;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token);
  bob = await Person.arrive(browser, node, await node.token("bob", "Bob Stone"));
  await ann.openImage(image.id);
  await bob.openImage(image.id);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const stored = async (label) => (await node.annotations(token, image.id)).find((a) => a.label === label);
const there = (person, label) => person.page.locator(`.tag:text-is("${label}")`).first().waitFor();
const tool = async (key) => {
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press(key);
};
const click = async (x, y, options) => ann.page.mouse.click(...(await ann.at(x, y)), options);
const name = async (label) => {
  await ann.page.locator(".popover:not([hidden]) input:focus").waitFor();
  await ann.page.keyboard.type(label);
  await ann.page.keyboard.press("Enter");
  await there(bob, label);
  return eventually(`${label} is stored`, () => stored(label));
};

test("a polygon is drawn by its corners", async () => {
  await tool("p");
  for (const [x, y] of [[0.3, 0.3], [0.4, 0.3], [0.36, 0.5], [0.3, 0.3]]) {
    await ann.page.mouse.move(...(await ann.at(x, y)), { steps: 3 });
    await click(x, y);
  }
  const { shape } = await name("triangle");
  assert.equal(shape.type, "polygon");
  assert.equal(shape.points.length, 3);
});

test("an ellipse is dragged", async () => {
  await tool("e");
  await ann.drag([0.5, 0.3], [0.6, 0.5]);
  assert.equal((await name("plate")).shape.type, "ellipse");
});

test("a line is clicked and ends by a double click", async () => {
  await tool("l");
  for (const [x, y] of [[0.65, 0.3], [0.7, 0.45]]) {
    await ann.page.mouse.move(...(await ann.at(x, y)), { steps: 3 });
    await click(x, y);
  }
  await ann.page.mouse.move(...(await ann.at(0.75, 0.35)), { steps: 3 });
  await ann.page.mouse.dblclick(...(await ann.at(0.75, 0.35)));
  const { shape } = await name("crack");
  assert.equal(shape.type, "polyline");
  assert.ok(shape.points.length >= 3);
});

test("a slow press is a corner too, of a polygon and of a line", async () => {
  const pressed = { delay: 500 };
  const press = async ([x, y]) => {
    await ann.page.mouse.move(...(await ann.at(x, y)), { steps: 3 });
    await click(x, y, pressed);
  };
  await tool("p");
  for (const corner of [[0.8, 0.1], [0.9, 0.1], [0.85, 0.2], [0.8, 0.1]]) {
    await press(corner);
  }
  const polygon = (await name("slow polygon")).shape;
  assert.deepEqual([polygon.type, polygon.points.length], ["polygon", 3]);
  await tool("l");
  await press([0.8, 0.3]);
  await press([0.9, 0.35]);
  await ann.page.mouse.move(...(await ann.at(0.85, 0.45)), { steps: 3 });
  await ann.page.mouse.dblclick(...(await ann.at(0.85, 0.45)), pressed);
  const line = (await name("slow line")).shape;
  assert.deepEqual([line.type, line.points.length], ["polyline", 3]);
});

test("a point is one click, and a tag is said of the image", async () => {
  await tool("o");
  await click(0.8, 0.6);
  assert.deepEqual((await name("tip")).shape.type, "point");
  await tool("t");
  await ann.page.locator("dialog input").fill("blurred");
  await ann.accessible("naming a tag", "dialog");
  await ann.page.keyboard.press("Enter");
  await bob.page.locator('.boxes .row-label:text-is("blurred")').waitFor();
  assert.equal((await eventually("the tag is stored", () => stored("blurred"))).shape.type, "tag");
});

test("a polygon is moved by keys, deleted, and undone with its shape", async () => {
  const before = await stored("triangle");
  await ann.page.locator('.boxes button:has(.row-label:text-is("triangle"))').click();
  await ann.page.locator(".popover:not([hidden])").waitFor();
  await ann.accessible("shapes and their tools", ".workspace");
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("Control+Shift+ArrowRight");
  await eventually("all corners moved", async () => {
    const now = await stored("triangle");
    return now.shape.points.every(([x], i) => x > before.shape.points[i][0]);
  });
  const moved = await stored("triangle");
  await ann.page.keyboard.press("Delete");
  await eventually("it is gone", async () => !(await stored("triangle")));
  await ann.badge("saved");
  await ann.page.keyboard.press("Control+z");
  await there(bob, "triangle");
  await eventually("it is back", () => stored("triangle"));
  assert.deepEqual((await stored("triangle")).shape, moved.shape);
});

test("a hole is cut out of a polygon, its corners are moved, and it is filled again", async () => {
  await tool("p");
  const corners = [[0.3, 0.65], [0.5, 0.65], [0.5, 0.9], [0.3, 0.9], [0.3, 0.65]];
  const clicks = async (points) => {
    for (const [x, y] of points) {
      await ann.page.mouse.move(...(await ann.at(x, y)), { steps: 3 });
      await click(x, y);
    }
  };
  await clicks(corners);
  await name("frame");
  await tool("Shift+P");
  await clicks([[0.6, 0.1], [0.7, 0.1], [0.65, 0.2], [0.6, 0.1]]);
  await ann.page.locator('.toast:has-text("inside of a polygon")').waitFor();
  await clicks([[0.35, 0.7], [0.45, 0.7], [0.4, 0.8], [0.35, 0.7]]);
  const cut = await eventually("the hole is stored", async () => {
    const a = await stored("frame");
    return a.shape.holes?.length === 1 && a;
  });
  assert.equal(cut.shape.holes[0].length, 3);
  await ann.page.locator('.attributes:has-text("A polygon with a hole")').waitFor();
  await ann.accessible("a polygon with a hole", ".workspace");
  await tool("v");
  const drag = async (from, to) => {
    await ann.page.locator('.boxes button:has(.row-label:text-is("frame"))').click();
    await ann.page.locator(".a9s-corner-handle").first().waitFor();
    await ann.page.keyboard.press("Escape"); // the field of the label
    await ann.page.locator('.boxes button:has(.row-label:text-is("frame"))').click();
    await ann.drag(from, to);
  };
  await drag([0.4, 0.8], [0.42, 0.84]);
  const inner = await eventually("a corner of the hole is elsewhere", async () => {
    const a = await stored("frame");
    return a.shape.holes[0][2][1] > cut.shape.holes[0][2][1] + 0.01 && a;
  });
  assert.deepEqual(inner.shape.points, cut.shape.points, "the outline stays");
  await drag([0.5, 0.9], [0.55, 0.93]);
  const outer = await eventually("a corner of the outline is elsewhere", async () => {
    const a = await stored("frame");
    return a.width > cut.width + 0.01 && a;
  });
  assert.deepEqual(outer.shape.holes, inner.shape.holes, "the hole stays");
  await ann.page.locator('.attributes button:text-is("Fill it")').click();
  await eventually("the hole is gone", async () => !(await stored("frame")).shape.holes);
  await ann.badge("saved");
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("Control+z");
  await eventually("and back", async () => (await stored("frame")).shape.holes?.length === 1);
});

test("a box is turned by its handle", async () => {
  await tool("b");
  await ann.drag([0.6, 0.65], [0.7, 0.8]);
  await name("turned");
  await tool("v");
  await ann.page.locator('.boxes button:has(.row-label:text-is("turned"))').click();
  const handle = await ann.page.locator(".a9s-rotation-handle, .a9s-rotation-handle-dot").first().boundingBox();
  assert.ok(handle);
  await ann.page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await ann.page.mouse.down();
  await ann.page.mouse.move(handle.x + 60, handle.y + 20, { steps: 6 });
  await ann.page.mouse.up();
  const { shape } = await eventually("it is turned", async () => {
    const a = await stored("turned");
    return a.shape?.type === "rotated_box" && a;
  });
  assert.equal(shape.points.length, 4);
});

test("no page ran into an error", () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});
