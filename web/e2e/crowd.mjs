// An image with ten thousand polygons on it, for the pictures in docs.
import { eventually, Person } from "./node.mjs";

const SIDE = 100;
const LABELS = ["bean", "husk", "crumb", "unsure"];

/** A number from 0 to 1 that is the same for the same seed. */
const chance = (seed) => {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
};

/** Takes a picture of an image with ten thousand polygons, zoomed in a little. */
export async function shootCrowd(browser, node, token, path, viewport) {
  const image = await node.upload(token, "coffee.jpg");
  const unit = (v) => Math.min(1, Math.max(0, v));
  const all = Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [cx, cy] = [((i % SIDE) + 0.5) / SIDE, (Math.floor(i / SIDE) + 0.5) / SIDE];
    const corners = 7 + Math.floor(6 * chance(i));
    const points = Array.from({ length: corners }, (_, k) => {
      const [angle, r] = [(2 * Math.PI * k) / corners, ((0.3 + 0.25 * chance(i + 0.5)) * (0.7 + 0.5 * chance(i * 31 + k))) / SIDE];
      return [unit(cx + r * Math.cos(angle)), unit(cy + r * Math.sin(angle))];
    });
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { image_id: image.id, label: LABELS[Math.floor(4 * chance(i * 7 + 3))], x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y, shape: { type: "polygon", points } };
  });
  for (let i = 0; i < all.length; i += 500) {
    await node.bulk(token, all.slice(i, i + 500));
  }
  const ann = await Person.arrive(browser, node, token, { viewport });
  await ann.openImage(image.id);
  const shapes = () => ann.page.locator(".shapes").evaluate((e) => Number(e.dataset.shapes));
  await eventually("all are drawn", async () => (await shapes()) === all.length, 60_000);
  await ann.page.mouse.move(...(await ann.at(0.45, 0.45)));
  for (let i = 0; i < 9; i++) {
    await ann.page.mouse.wheel(0, -100);
  }
  await eventually("it is drawn sharp", async () => (await shapes()) < all.length, 60_000);
  await ann.page.waitForTimeout(1000);
  await ann.page.keyboard.press("v");
  await ann.page.mouse.click(...(await ann.at(0.45, 0.45)));
  await ann.page.waitForTimeout(600);
  await ann.page.screenshot({ path });
  await ann.context.close();
}
