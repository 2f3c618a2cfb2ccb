// A large photograph, shown by deep-zoom tiles, in a real browser against a real
// node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const [WIDTH, HEIGHT] = [6000, 4000];
const TILE = 512;
const PATIENCE = 60_000;

let node, browser, ann, token, image;
const asked = []; // every request of Ann's page

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
  const form = new FormData();
  form.append("image", new Blob([await photograph()], { type: "image/jpeg" }), "large.jpg");
  image = (await node.call(token, "POST", "/api/images/upload", form)).image;
  await eventually("the tiles are made", async () => (await node.call(token, "GET", `/api/images/${image.id}/tiles`)).state === "ready", PATIENCE);
  ann = await Person.arrive(browser, node, token);
  ann.page.on("request", (r) => asked.push({ url: r.url(), auth: r.headers().authorization }));
});

after(async () => {
  await browser?.close();
  await node?.close();
});

/** A JPEG with a field of stripes, two pixels wide, in the middle, and numbers all over. */
async function photograph() {
  const page = await browser.newPage();
  const base64 = await page.evaluate(async ([width, height]) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    const sky = context.createLinearGradient(0, 0, width, height);
    sky.addColorStop(0, "#1d4e89");
    sky.addColorStop(1, "#f6ae2d");
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "white";
    context.font = "40px sans-serif";
    for (let y = 0; y < height; y += 200) {
      for (let x = 0; x < width; x += 250) {
        context.fillText(`${x},${y}`, x + 20, y + 60);
      }
    }
    context.fillRect(width / 2 - 200, height / 2 - 200, 400, 400);
    context.fillStyle = "black";
    for (let x = -200; x < 200; x += 4) {
      context.fillRect(width / 2 + x, height / 2 - 200, 2, 400);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 })).arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 1 << 15) {
      text += String.fromCharCode(...bytes.subarray(i, i + (1 << 15)));
    }
    return btoa(text);
  }, [WIDTH, HEIGHT]);
  await page.close();
  return Buffer.from(base64, "base64");
}

const tiles = () => asked.map(({ url }) => /\/tiles\/(\d+)\/(\d+)_(\d+)$/.exec(url)).filter(Boolean).map(([, level, x, y]) => ({ level: Number(level), x: Number(x), y: Number(y) }));
/** The darkest and the lightest of what is shown in the middle of the picture. */
const middle = (page) =>
  page.locator(".openseadragon-canvas > canvas").first().evaluate((canvas) => {
    const side = 60;
    const { data } = canvas.getContext("2d").getImageData(canvas.width / 2 - side / 2, canvas.height / 2 - side / 2, side, side);
    const light = Array.from({ length: side * side }, (_, i) => data[4 * i + 1]);
    return [Math.min(...light), Math.max(...light)];
  });

test("only tiles are fetched, and none finer than the screen", async () => {
  await ann.openImage(image.id);
  await eventually("the picture is shown", async () => (await middle(ann.page))[1] > 60);
  await eventually("tiles come", () => tiles().length > 0);
  assert.deepEqual(asked.filter(({ url }) => /\/(file|thumbnail)(\?|$)/.test(url)).map((r) => r.url), []);
  assert.ok(Math.max(...tiles().map((t) => t.level)) < 13, "the finest level is fetched for the whole picture");
});

test("zooming in fetches the tiles in sight and shows every pixel", async () => {
  const { page } = ann;
  const [x, y] = await ann.at(0.5, 0.5);
  await page.mouse.move(x, y);
  for (let i = 0; i < 14; i++) {
    await page.mouse.wheel(0, -100);
  }
  const zoomed = await eventually("stripes of two pixels are told apart", async () => {
    const [dark, light] = await middle(page);
    return dark < 50 && light > 205 && [dark, light];
  }, PATIENCE);
  assert.ok(zoomed);
  const fine = tiles().filter((t) => t.level === 13);
  const { width, height } = await page.locator(".surface").boundingBox();
  const zoom = Number(await page.locator(".editor").getAttribute("data-zoom"));
  // What is in sight, and a tile more on each side; while the picture moves, a little more.
  const most = 2 * (Math.ceil(WIDTH / zoom / TILE) + 2) * (Math.ceil(((WIDTH / zoom) * height) / width / TILE) + 2);
  assert.ok(fine.length > 0 && fine.length <= Math.min(most, 60), `${fine.length} fine tiles of 96, at most ${most} expected at ${zoom} times`);
});

test("no address carries a secret", () => {
  for (const { url, auth } of asked.filter(({ url }) => url.includes("/tiles"))) {
    assert.ok(!url.includes("?"), url);
    assert.match(auth ?? "", /^Bearer /);
  }
});

test("while tiles are being made the file is shown, and then the tiles", async () => {
  const { page } = ann;
  let told = 0;
  await page.route(/\/tiles$/, async (route) => {
    if (told++ < 2) {
      await route.fulfill({ json: { state: "making", width: 0, height: 0, tile_size: 0, overlap: 0, min_level: 0, max_level: 0 } });
    } else {
      await route.continue();
    }
  });
  await page.evaluate(() => (location.hash = "#/"));
  await page.waitForSelector(".gallery");
  asked.length = 0;
  await ann.openImage(image.id);
  await eventually("the file is fetched", () => asked.some(({ url }) => url.endsWith("/file")));
  assert.equal(tiles().length, 0);
  await eventually("tiles take its place", () => tiles().length > 0, PATIENCE);
  await eventually("the picture is shown", async () => (await middle(page))[1] > 60);
  await ann.draw([0.4, 0.4], [0.5, 0.55], "field");
  const [stored] = await node.annotations(token, image.id);
  assert.ok(stored.x > 0.3 && stored.x + stored.width < 0.6, "what is drawn on tiles is where it was drawn");
});

test("the page ran into no error", () => {
  assert.deepEqual(ann.faults, []);
});
