// Takes docs/screenshots/*.png, the page's main states, and docs/session.png, an
// animation of two people on one photograph, on a real node.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { animate } from "./apng.mjs";
import { EaselNode, launchBrowser, Person } from "./node.mjs";

const MOST = 2 * 1024 * 1024;
const docs = (name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

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
  const { size } = await stat(docs("session.png"));
  console.log(`docs/session.png: ${size} bytes, ${frames.length} frames`);
  if (size > MOST) {
    throw new Error(`the animation is larger than ${MOST} bytes`);
  }
} finally {
  await browser.close();
  await node.close();
}
