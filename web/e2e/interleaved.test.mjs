// What arrives while a person is in the middle of something: a pointer is down, a
// label is half typed, a row is about to be clicked. Each order of events is forced:
// nothing here depends on how fast a machine is. Real browser, real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, ann, token, other, image, made = 0;

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  other = await node.token("bob", "Bob Stone");
  image = await node.upload(token, "coffee.jpg");
  ann = await Person.arrive(browser, node, token, { cable: true });
  await ann.openImage(image.id);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

afterEach(() => ann.page.mouse.up());

const request = async (method, path, body) => {
  const response = await fetch(`${node.url}/api/images/${image.id}${path}`, {
    method,
    headers: { Authorization: `Bearer ${other}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
};
const change = (id, set) => request("PATCH", `/annotations/${id}`, set);
const stored = async (id) => (await node.annotations(token, image.id)).find((a) => a.id === id);

/** The page has heard of everything so far: what was sent to it before has arrived. */
const heard = async () => {
  const label = `heard ${++made}`;
  await node.bulk(other, [{ image_id: image.id, label, x: 0.9, y: 0.9, width: 0.02, height: 0.02 }]);
  await row(label).waitFor();
};
const row = (label) => ann.page.locator(`.boxes button:has(.row-label:text-is("${label}"))`);

/** A box of somebody else's, selected in the page; and the middle of one of its handles. */
async function selected(handle = ".a9s-corner-handle-bottomright", more = {}) {
  const label = `box ${++made}`;
  await node.bulk(other, [{ image_id: image.id, label, x: 0.3, y: 0.4, width: 0.1, height: 0.15, ...more }]);
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press("v");
  await row(label).click();
  const { id } = (await node.annotations(token, image.id)).find((a) => a.label === label);
  const at = await ann.page.locator(handle).first().boundingBox();
  return { id, label, x: at.x + at.width / 2, y: at.y + at.height / 2 };
}

const ellipse = { x: 0.3, y: 0.4, width: 0.1, height: 0.15, shape: { type: "ellipse", center: [0.35, 0.475], radii: [0.05, 0.075] } };
const handles = { "a corner": ".a9s-corner-handle-bottomright", "the handle that turns": ".a9s-rotation-handle" };
const events = {
  "its kind of shape changes": (id) => change(id, ellipse),
  "its place changes": (id) => change(id, { x: 0.32, y: 0.42, width: 0.12, height: 0.15 }),
  "its label changes": (id) => change(id, { label: "other" }),
  "the image's row changes": () => fetch(`${node.url}/api/images/${image.id}`, { method: "PATCH", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ metadata: { turn: String(++made) } }) }),
  "the connection is cut and comes back": async () => {
    await ann.disconnect();
    await ann.reconnect();
    await ann.badge("saved");
  },
};

const cases = Object.keys(events).map((what) => ["a corner", what]).concat([["the handle that turns", "its kind of shape changes"], ["the handle that turns", "its place changes"]]);
for (const [handle, what] of cases) {
  for (const when of ["pressed", "moving"]) {
    test(`${handle} that is ${when} is dragged on while ${what}`, async () => {
      const { mouse } = ann.page;
      const turns = handle !== "a corner";
      const { id, x, y } = await selected(handles[handle]);
      const happens = async () => {
        await events[what](id);
        await heard();
      };
      await mouse.move(x, y);
      await mouse.down();
      when === "pressed" && (await happens());
      await mouse.move(x + 20, y + 10, { steps: 3 });
      when === "moving" && (await happens());
      await mouse.move(x + 60, y + 30, { steps: 3 });
      await mouse.up();
      await eventually("what was dragged is stored", async () => {
        const a = await stored(id);
        return turns ? a.shape?.type === "rotated_box" : !a.shape && a.width > 0.14;
      });
      await request("DELETE", `/annotations/${id}`);
    });
  }
}

test("what is deleted while it is dragged is said to be gone", async () => {
  const { mouse } = ann.page;
  const { id, label, x, y } = await selected();
  await mouse.move(x, y);
  await mouse.down();
  await mouse.move(x + 20, y + 10, { steps: 3 });
  await request("DELETE", `/annotations/${id}`);
  await row(label).waitFor({ state: "detached" });
  await mouse.move(x + 40, y + 20, { steps: 3 });
  await mouse.up();
  await ann.page.locator('.toast:has-text("was deleted in the meantime")').waitFor();
  await ann.page.locator(".a9s-corner-handle-bottomright").waitFor({ state: "detached" });
});

test("a label that is being typed survives that its box becomes an ellipse", async () => {
  const { id } = await selected();
  const field = ann.page.locator(".popover:not([hidden]) input");
  await field.click();
  await field.fill("half ty");
  await change(id, ellipse);
  await heard();
  await ann.page.keyboard.type("ped");
  assert.equal(await field.inputValue(), "half typed");
  assert.equal((await stored(id)).label.startsWith("box"), true, "nothing was saved before it was meant");
  await ann.page.keyboard.press("Enter");
  await eventually("the label is stored", async () => (await stored(id)).label === "half typed");
});

test("a press keeps what was dragged when a key leads to another image", async () => {
  const { mouse } = ann.page;
  const { id, x, y } = await selected();
  await mouse.move(x, y);
  await mouse.down();
  await mouse.move(x + 60, y + 30, { steps: 3 });
  await ann.page.evaluate(() => (location.hash = "#/"));
  await ann.page.waitForSelector(".gallery");
  await mouse.up();
  await eventually("the drag is stored", async () => (await stored(id)).width > 0.14);
  await ann.openImage(image.id);
});

test("a corner that is deleted by a key is saved without a pointer", async () => {
  const points = [[0.3, 0.3], [0.5, 0.3], [0.5, 0.5], [0.3, 0.5]];
  const polygon = { x: 0.3, y: 0.3, width: 0.2, height: 0.2, shape: { type: "polygon", points } };
  const { id, x, y } = await selected(".a9s-handle", polygon);
  await ann.page.mouse.click(x, y);
  await ann.page.locator(".a9s-handle-selected").first().waitFor();
  await ann.page.keyboard.press("Delete");
  await eventually("three corners are stored", async () => (await stored(id)).shape.points.length === 3);
});

test("a polygon can be edited on after somebody took corners off it under the pointer", async () => {
  const { mouse } = ann.page;
  const points = [[0.3, 0.3], [0.5, 0.3], [0.5, 0.5], [0.3, 0.5]];
  const { id, x, y } = await selected(".a9s-handle", { x: 0.3, y: 0.3, width: 0.2, height: 0.2, shape: { type: "polygon", points } });
  const last = await ann.page.locator(".a9s-handle").nth(3).boundingBox();
  await mouse.move(x + 5, (y + last.y) / 2, { steps: 4 }); // beside the last edge, whose midpoint comes
  await ann.page.locator(".a9s-polygon-midpoint").first().waitFor({ state: "attached" });
  await change(id, { x: 0.3, y: 0.3, width: 0.2, height: 0.2, shape: { type: "polygon", points: points.slice(0, 3) } });
  await ann.page.locator(".a9s-handle").nth(3).waitFor({ state: "detached" });
  await mouse.move(x, y);
  await mouse.down();
  await mouse.move(x - 30, y - 30, { steps: 3 });
  await mouse.up();
  await eventually("its corner is elsewhere", async () => (await stored(id)).shape.points[0][0] < 0.29);
});

test("a row that is pressed is the row that is chosen, whatever the list becomes", async () => {
  const { mouse } = ann.page;
  const { label } = await selected();
  await ann.page.evaluate(() => document.activeElement?.blur());
  await ann.page.keyboard.press("Escape");
  const at = await row(label).boundingBox();
  await mouse.move(at.x + 40, at.y + at.height / 2);
  await mouse.down();
  await node.bulk(other, [{ image_id: image.id, label: "newest", x: 0.9, y: 0.8, width: 0.02, height: 0.02 }]);
  await ann.page.locator('.tag:text-is("newest")').waitFor();
  await mouse.up();
  await ann.page.locator(`.boxes li.selected .row-label:text-is("${label}")`).waitFor();
  await row("newest").waitFor();
});

test("no page ran into an error", () => assert.deepEqual(ann.faults, []));
