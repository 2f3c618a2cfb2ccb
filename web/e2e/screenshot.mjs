// Takes docs/screenshot.png: two people on one photograph, on a real node.
import { mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const MOST = 300 * 1024;
const file = fileURLToPath(new URL("../../docs/screenshot.png", import.meta.url));

const node = await EaselNode.start();
const browser = await launchBrowser();
try {
  const tokens = await Promise.all([
    node.token("ann", "Ann Lee"),
    node.token("bob", "Bob Stone"),
    node.token("mia", "Mia Chen"),
  ]);
  const image = await node.upload(tokens[0], "living-room.jpg");
  const viewport = { width: 1080, height: 676 };
  const [ann, bob, mia] = await Promise.all(tokens.map((token) => Person.arrive(browser, node, token, { viewport })));
  for (const person of [ann, bob, mia]) {
    await person.openImage(image.id);
  }

  // Corners in fractions of the photograph, as they were read off it.
  const boxes = [
    [bob, [0.02, 0.03, 0.17, 0.45], "loudspeaker"],
    [bob, [0.45, 0.12, 0.085, 0.22], "bottle"],
    [mia, [0.37, 0.19, 0.085, 0.15], "wine glass"],
    [mia, [0.72, 0.19, 0.165, 0.14], "coffee mill"],
    [bob, [0.03, 0.48, 0.61, 0.27], "drum"],
    [ann, [0.04, 0.61, 0.75, 0.375], "beanbag"],
  ];
  for (const [person, [x, y, width, height], label] of boxes) {
    const i = [ann, bob, mia].indexOf(person);
    const body = { image_id: image.id, label, x, y, width, height };
    const response = await fetch(`${node.url}/api/annotations`, {
      method: "POST",
      headers: { Authorization: `Bearer ${tokens[i]}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(await response.text());
    }
  }
  await eventually("all boxes are drawn", async () => (await ann.labels()).length === boxes.length);

  await mia.page.locator('.boxes button:has-text("coffee mill")').first().click();
  await mia.page.mouse.move(...(await mia.at(0.695, 0.15)));
  await bob.page.mouse.move(...(await bob.at(0.445, 0.42)));
  await ann.page.locator('.boxes button:has-text("drum")').first().click();
  await ann.page.locator(".popover:not([hidden])").waitFor();
  await ann.page.locator('.person[data-user="bob"] .cursor:not([hidden])').waitFor();
  await ann.page.locator('.person[data-user="mia"] .held:not([hidden])').waitFor();
  await ann.page.mouse.move(1000, 560);
  await ann.badge("saved");
  await ann.page.waitForTimeout(400); // animations come to rest
  await mkdir(fileURLToPath(new URL("../../docs", import.meta.url)), { recursive: true });
  await ann.page.screenshot({ path: file });
  const { size } = await stat(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MOST) {
    throw new Error(`the screenshot is larger than ${MOST} bytes`);
  }
} finally {
  await browser.close();
  await node.close();
}
