// What models propose, and attributes by the label schema, in real browsers against
// a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

let node, browser, rita, bob, token, image;

const labels = [
  {
    name: "cup",
    color: "#0b7490",
    key: "1",
    attributes: [
      { name: "size", type: "number", min: 1, max: 40 },
      { name: "handle", type: "boolean" },
      { name: "state", type: "select", values: ["full", "empty"], required: true },
      { name: "note", type: "text" },
    ],
  },
  { name: "plate" },
];

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("rita", "Rita Ray", "reviewer");
  await putSchema(labels);
  image = await node.upload(token, "coffee.jpg");
  await node.bulk(
    token,
    [0.95, 0.8, 0.6, 0.3, 0.2].map((confidence, i) => ({
      image_id: image.id,
      label: i % 2 ? "plate" : "cup",
      ...{ x: 0.1 + 0.17 * i, y: 0.2, width: 0.12, height: 0.2 },
      ...{ confidence, source: "model", model: "yolo 11" },
    })),
  );
  rita = await Person.arrive(browser, node, token);
  bob = await Person.arrive(browser, node, await node.token("bob", "Bob Stone"));
  await rita.openImage(image.id);
  await bob.openImage(image.id);
});

after(async () => {
  await browser?.close();
  await node?.close();
});

async function putSchema(list) {
  const admin = await node.token("adam", "Adam", "admin");
  const put = await fetch(`${node.url}/api/schema`, {
    method: "PUT",
    headers: { Authorization: `Bearer ${admin}`, "Content-Type": "application/json" },
    body: JSON.stringify({ labels: list }),
  });
  assert.equal(put.status, 200, await put.text());
}

const stored = () => node.annotations(token, image.id);
const proposals = async () => (await stored()).filter((a) => a.source === "model");
const blur = (person) => person.page.evaluate(() => document.activeElement?.blur());
const key = async (person, ...keys) => {
  await blur(person);
  for (const k of keys) {
    await person.page.keyboard.press(k);
  }
};
const listed = (person) => person.page.locator(".proposals-list .row-label").count();

test("predictions have a layer and a list of their own, with model and confidence", async () => {
  const { page } = bob;
  await eventually("all are listed", async () => (await listed(bob)) === 5);
  await page.locator('.proposals-list li:has-text("95 %"):has-text("yolo 11")').waitFor();
  assert.equal(await page.locator(".panel > .boxes .row-label").count(), 0, "no person has drawn yet");
  await page.locator('.tag.proposed:text-is("cup 95 %")').waitFor();
  await key(bob, "m");
  await eventually("the layer is hidden", async () => (await page.locator(".tag").count()) === 0);
  await key(bob, "m");
  await page.locator('.tag.proposed:text-is("cup 95 %")').waitFor();
});

test("who may not judge is shown no buttons", async () => {
  assert.equal(await bob.page.locator(".proposals button:visible").filter({ hasText: /Accept|Reject/ }).count(), 0);
  await key(bob, "j", "a");
  await bob.page.locator('.toast:has-text("A reviewer")').waitFor();
  assert.equal((await proposals()).length, 5);
  await bob.accessible("predictions", ".workspace");
  await key(bob, "Escape");
});

test("a reviewer goes through them by keys, and everybody sees it", async () => {
  const { page } = rita;
  await key(rita, "j");
  await page.locator('.proposals-list li.selected:has-text("95 %")').waitFor();
  await page.locator('.popover-judge button:text-is("Accept")').waitFor();
  await rita.accessible("judging", ".workspace");
  await key(rita, "a");
  await page.locator('.proposals-list li.selected:has-text("80 %")').waitFor();
  await key(rita, "x");
  await eventually("both are judged", async () => (await listed(bob)) === 3);
  const [cup] = (await stored()).filter((a) => a.confidence === 0.95);
  assert.deepEqual([cup.source, cup.model], [undefined, "yolo 11"]);
  await bob.page.locator('.panel > .boxes .row-label:text-is("cup")').waitFor();
});

test("a judgement is undone by a click, predictions and all", async () => {
  await rita.page.locator('.toast:has-text("1 prediction rejected") .toast-action').click();
  await eventually("it is proposed again", async () => (await listed(bob)) === 4);
});

test("all above a threshold are accepted, all below rejected", async () => {
  const { page } = rita;
  await key(rita, "Escape");
  const slider = page.locator('input[aria-label^="Threshold"]');
  await slider.focus();
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press("ArrowRight");
  }
  await page.locator('.proposals button:text-is("Accept 2 above")').click();
  await eventually("two are left", async () => (await proposals()).length === 2);
  await page.locator('.proposals button:text-is("Reject 2 below")').click();
  await bob.page.locator(".proposals").waitFor({ state: "hidden" });
  assert.deepEqual((await stored()).map((a) => a.confidence).sort(), [0.6, 0.8, 0.95]);
});

const field = (person, name) => person.page.locator(".attribute", { has: person.page.locator(`label:text-matches("^${name}")`) }).locator(".field");

test("attributes follow the schema, and bad values are explained, not sent", async () => {
  const { page } = bob;
  await page.locator('.panel > .boxes button:has-text("cup")').first().click();
  await page.locator('.attributes b:text-is("Attributes of “cup”")').waitFor();
  await page.locator('.attribute:has-text("state") .problem:has-text("required")').waitFor();
  await field(bob, "size").fill("99");
  await field(bob, "size").press("Enter");
  await page.locator('.attribute:has-text("size") .problem:text-is("This must be from 1 to 40.")').waitFor();
  await bob.accessible("attributes", ".side");
  await field(bob, "size").fill("12");
  await field(bob, "size").press("Enter");
  await field(bob, "handle").selectOption("true");
  await field(bob, "state").selectOption("full");
  await field(bob, "note").fill("chipped");
  await key(bob);
  await eventually("all are stored", async () => (await stored()).some((a) => JSON.stringify(a.attributes) === '{"handle":true,"note":"chipped","size":12,"state":"full"}'));
});

test("each attribute is saved by itself, also while the schema changes", async () => {
  const [rp, bp] = [rita.page, bob.page];
  await rp.locator('.panel > .boxes button:has-text("cup")').first().click();
  const id = await bp.locator(".boxes li.selected").getAttribute("data-id");
  await rp.locator(`.boxes li[data-id="${id}"] button.row`).click();
  await eventually("Rita sees Bob's", async () => (await field(rita, "note").inputValue()) === "chipped");
  await field(bob, "note").focus();
  await field(bob, "note").fill("chipped at the ");
  await putSchema([{ ...labels[0], attributes: [{ name: "size", type: "number", max: 5 }, { name: "note", type: "text" }] }, labels[1]]);
  await rp.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await rp.locator('.attribute:has-text("size") .problem:text-is("This must be at most 5.")').waitFor();
  await rp.locator('.attribute:has-text("state"):has-text("not in the schema")').waitFor();
  await field(rita, "size").fill("4");
  await field(rita, "size").press("Enter");
  await eventually("Bob sees Rita's", async () => (await field(bob, "size").inputValue()) === "4");
  await bp.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await bp.locator('.attribute:has-text("state"):has-text("not in the schema")').waitFor();
  await field(bob, "note").pressSequentially("rim");
  await field(bob, "note").press("Enter");
  await eventually("both are stored", async () => {
    const { attributes } = (await stored()).find((a) => a.id === id);
    return attributes.note === "chipped at the rim" && attributes.size === 4 && attributes.state === "full";
  });
  await key(bob, "Control+z");
  await eventually("undo takes back one attribute", async () => {
    const { attributes } = (await stored()).find((a) => a.id === id);
    return attributes.note === "chipped" && attributes.size === 4;
  });
  assert.equal(await bp.locator(".conflicts").isHidden(), true);
});

test("what is shown is narrowed by label, person and confidence, and coloured by them", async () => {
  const { page } = bob;
  await key(bob, "Escape");
  await bob.draw([0.3, 0.6], [0.4, 0.75], "spoon");
  const shown = (...want) => eventually(`shown: ${want}`, async () => (await bob.labels()).sort().join() === want.sort().join());
  await shown("cup", "cup", "plate", "spoon");
  await page.locator(".filter summary").click();
  await page.locator('select[aria-label="Only this label"]').selectOption("cup");
  await shown("cup", "cup");
  await page.locator('.panel header .pill:text-is("2 of 4")').waitFor();
  await bob.accessible("filter", ".side");
  await page.locator('.filter button:text-is("Show all")').click();
  await page.locator('select[aria-label^="Only this person"]').selectOption("bob");
  await shown("spoon");
  await page.locator('.filter button:text-is("Show all")').click();
  const slider = page.locator('input[aria-label^="Least confidence"]');
  await slider.fill("70");
  await shown("cup", "plate");
  await bob.draw([0.5, 0.6], [0.6, 0.75], "fork");
  await shown("cup", "plate", "fork");
  await page.locator('.filter button:text-is("Show all")').click();
  await shown("cup", "cup", "plate", "spoon", "fork");
  const tint = () => page.locator('.tag:text-is("spoon")').getAttribute("data-tint");
  const byLabel = await tint();
  await page.locator('select[aria-label="Colours tell"]').selectOption("confidence");
  await eventually("another colour", async () => (await tint()) === "#4f6078" && byLabel !== "#4f6078");
  await page.locator('select[aria-label="Colours tell"]').selectOption("label");
});

test("no page ran into an error", () => {
  assert.deepEqual([...rita.faults, ...bob.faults], []);
});
