// Takes docs/screenshots/*.png, the page's main states, and docs/session.png, an
// animation of two people on one photograph, on a real node.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { animate } from "./apng.mjs";
import { shootCrowd } from "./crowd.mjs";
import { EaselNode, launchBrowser, Person } from "./node.mjs";

const MOST = 2 * 1024 * 1024;
const docs = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

const schema = {
  labels: [
    {
      name: "mug",
      color: "#0b7490",
      key: "1",
      attributes: [
        { name: "state", type: "select", values: ["full", "half", "empty"], required: true },
        { name: "size", type: "number", min: 1, max: 40 },
        { name: "handle", type: "boolean" },
        { name: "note", type: "text" },
      ],
    },
    { name: "spoon", color: "#8f5f00", key: "2" },
    { name: "saucer", color: "#0f7a56", key: "3" },
  ],
};

/** What a model proposes for coffee.jpg: label, confidence and corners, in fractions of it. */
const proposed = [
  ["mug", 0.96, [0.29, 0.04, 0.36, 0.6]],
  ["spoon", 0.88, [0.54, 0.42, 0.14, 0.4]],
  ["saucer", 0.81, [0.12, 0.12, 0.7, 0.86]],
  ["spoon", 0.34, [0.66, 0.18, 0.06, 0.2]],
  ["mug", 0.12, [0.33, 0.56, 0.12, 0.2]],
];

const node = await EaselNode.start();
const browser = await launchBrowser();
try {
  await mkdir(docs("screenshots"), { recursive: true });
  const token = await node.token("ann", "Ann Lee", "reviewer");
  const bobToken = await node.token("bob", "Bob Stone");
  for (const sample of ["mountains.jpg", "dogs.jpg", "coffee.jpg"]) {
    await node.upload(token, sample);
  }
  const image = await node.upload(token, "living-room.jpg");
  const viewport = { width: 840, height: 420 };
  const ann = await Person.arrive(browser, node, token, { viewport, cable: true });
  const bob = await Person.arrive(browser, node, bobToken, { viewport });
  const { page } = ann;
  const shot = (name) => page.screenshot({ path: docs(`screenshots/${name}.png`) });

  await page.locator(".tile img.ready").first().waitFor();
  await page.waitForTimeout(500);
  await shot("grid");
  await ann.openImage(image.id);
  await bob.openImage(image.id);

  const frames = [];
  const frame = async (delay = 120) => frames.push({ png: await page.screenshot(), delay });
  await frame(600);
  const { mouse } = bob.page;
  await mouse.move(...(await bob.at(0.482, 0.17)));
  await mouse.down();
  for (let i = 1; i <= 3; i++) {
    await mouse.move(...(await bob.at(0.482 + 0.011 * i, 0.17 + 0.055 * i)));
    await page.waitForTimeout(120);
    await frame();
  }
  await mouse.up();
  await bob.page.locator(".popover:not([hidden]) input:focus").waitFor();
  await frame(400);
  await bob.page.keyboard.type("bottle");
  await bob.page.keyboard.press("Enter");
  await page.locator('.tag:text-is("bottle")').waitFor();
  await frame(600);
  await page.keyboard.press("e");
  await page.mouse.move(...(await ann.at(0.42, 0.52)));
  await page.mouse.down();
  for (let i = 1; i <= 3; i++) {
    await page.mouse.move(...(await ann.at(0.42 + 0.043 * i, 0.52 + 0.058 * i)));
    await frame();
  }
  await page.mouse.up();
  await page.locator(".popover:not([hidden]) input:focus").waitFor();
  await page.keyboard.type("drum");
  await frame(500);
  await page.keyboard.press("Enter");
  await page.locator('.tag:text-is("drum")').waitFor();
  await ann.badge("saved");
  await frame(1500);
  await writeFile(docs("session.png"), animate(frames));

  await page.keyboard.press("h");
  await page.locator(".timeline-what time").waitFor();
  await shot("history");
  await page.keyboard.press("h");
  await ann.disconnect();
  await page.locator('.boxes button:has-text("drum")').click();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Control+ArrowRight");
  await ann.badge("offline", /waiting/);
  await shot("offline");
  await page.locator('button[aria-label="Light or dark"]').click();
  await page.waitForTimeout(400);
  await shot("dark");
  await page.locator('button[aria-label="Light or dark"]').click();
  await review();
  await shootCrowd(browser, node, token, docs("screenshots/polygons.png"), viewport);
  const { size } = await stat(docs("session.png"));
  console.log(`docs/session.png: ${size} bytes, ${frames.length} frames`);
  if (size > MOST) {
    throw new Error(`the animation is larger than ${MOST} bytes`);
  }

  /** Predictions, attributes, the schema, and a tablet, on an image of their own. */
  async function review() {
    const owner = await node.token("mia", "Mia Chen", "owner");
    const send = (method, path, body) => fetch(node.url + path, { method, headers: { Authorization: `Bearer ${owner}`, "Content-Type": "application/json" }, body: JSON.stringify(body) });
    await send("PUT", "/api/schema", schema);
    const coffee = await node.upload(owner, "coffee.jpg");
    await node.bulk(owner, proposed.map(([label, confidence, [x, y, width, height]]) => ({ image_id: coffee.id, label, x, y, width, height, confidence, source: "model", model: "yolo 11" })));
    const mia = await Person.arrive(browser, node, owner, { viewport: { width: 1080, height: 676 } });
    const snap = async (person, name) => {
      await person.page.waitForTimeout(500); // animations come to rest
      await person.page.screenshot({ path: docs(`screenshots/${name}.png`) });
    };
    await mia.openImage(coffee.id);
    await mia.page.keyboard.press("j");
    await mia.page.locator(".popover-judge:visible").waitFor();
    await snap(mia, "predictions");
    await mia.page.evaluate(() => document.activeElement?.blur());
    await mia.page.keyboard.press("a");
    await mia.page.locator('.panel > .boxes .row-label:text-is("mug")').waitFor();
    await mia.page.keyboard.press("m");
    await mia.page.locator('.panel > .boxes button:has-text("mug")').click();
    const size = mia.page.locator(".attribute:has(label:text-is('size')) .field");
    await size.fill("99");
    await size.press("Enter");
    await mia.page.locator(".problem:visible").first().waitFor();
    await mia.page.locator(".toast").waitFor({ state: "detached" });
    await snap(mia, "attributes");
    await mia.page.locator('a[aria-label="All images"]').click();
    await mia.page.locator('button[aria-label="Labels"]').click();
    await mia.page.locator('dialog button[aria-label$="ttributes of mug"]').click();
    await snap(mia, "labels");
    const tablet = await Person.arrive(browser, node, token, { viewport: { width: 820, height: 1180 }, hasTouch: true, isMobile: true });
    await tablet.openImage(coffee.id);
    await tablet.page.locator('.panel > .boxes button:has-text("mug")').tap();
    await snap(tablet, "tablet");
  }
} finally {
  await browser.close();
  await node.close();
}
