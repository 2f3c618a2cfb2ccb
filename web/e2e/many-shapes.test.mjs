// An image with ten thousand polygons, in a real browser, against a real node
// (EASEL_BIN). What is asserted are facts; the times are printed beside those of
// five hundred polygons, for docs/benchmarks.md.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const FEW = 500;
const MANY = Number(process.env.EASEL_POLYGONS ?? 10_000);
const PATIENCE = 120_000; // a browser without a graphics card, on a busy machine
const CORNERS = 12;
const ROWS_AT_MOST = 100;

let node, browser, token;
const people = [];
const figures = new Map(); // what was measured, by how many polygons

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", "Ann Lee");
});

after(async () => {
  await browser?.close();
  await node?.close();
  const names = new Set([...figures.values()].flatMap((f) => Object.keys(f)));
  for (const name of names) {
    const [few, many] = [FEW, MANY].map((n) => figures.get(n)?.[name]);
    const times = few > 0 && many !== undefined ? ` (${(many / few).toFixed(1)} times)` : "";
    console.log(`${name.padEnd(46)} ${String(few).padStart(7)} ${String(many).padStart(7)}${times}`);
  }
});

/** A field of stars that do not touch each other; the one in the middle is called needle. */
function field(image, n) {
  const side = Math.ceil(Math.sqrt(n));
  return Array.from({ length: n }, (_, i) => {
    const [cx, cy] = [((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side];
    const points = Array.from({ length: CORNERS }, (_, k) => {
      const [angle, r] = [(2 * Math.PI * k) / CORNERS, (k % 2 ? 0.3 : 0.46) / side];
      return [cx + r * Math.cos(angle), cy + r * Math.sin(angle)];
    });
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    const needle = i === Math.floor(side / 2) * side + Math.floor(side / 2);
    const label = needle ? "needle" : `cell ${i % 12}`;
    return { image_id: image, label, x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y, shape: { type: "polygon", points }, at: [cx, cy] };
  });
}

/** Collects the time between frames, in milliseconds, and tasks that block the page. */
const watch = (page) =>
  page.evaluate(() => {
    const seen = (globalThis.__seen = { frames: [], long: [0], on: true });
    let last = performance.now();
    const frame = (now) => {
      seen.frames.push(now - last);
      last = now;
      seen.on && requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask" });
  });
const watched = (page) =>
  page.evaluate(() => {
    const seen = globalThis.__seen;
    seen.on = false;
    const sorted = seen.frames.slice(1).sort((a, b) => a - b);
    const at = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
    return { frames: sorted.length, p50: at(0.5), p95: at(0.95), blocked: Math.round(Math.max(...seen.long)) };
  });
const drawn = (page) => page.locator(".shapes").evaluate((e) => ({ shapes: Number(e.dataset.shapes), draws: Number(e.dataset.draws) }));

for (const n of [FEW, MANY]) {
  let ann, image, needle;
  const figure = {};
  const page = () => ann.page;

  test(`${n} polygons are all listed and drawn`, async () => {
    image = await node.upload(token, "coffee.jpg");
    const all = field(image.id, n);
    needle = all.find((a) => a.label === "needle");
    for (let i = 0; i < n; i += 500) {
      await node.bulk(token, all.slice(i, i + 500).map(({ at, ...a }) => a));
    }
    image = await eventually("the node knows its size", async () => {
      const row = (await node.call(token, "GET", `/api/images/${image.id}`)).image;
      return row.width > 0 && row;
    });
    needle.id = (await node.annotations(token, image.id)).find((a) => a.label === "needle").id;
    ann = await Person.arrive(browser, node, token);
    people.push(ann);
    page().setDefaultTimeout(PATIENCE);
    await watch(page());
    const start = performance.now();
    await page().evaluate((hash) => (location.hash = hash), `#/images/${image.id}`);
    await eventually("the list counts all", async () => (await page().locator(".panel .pill").first().textContent()) === String(n), PATIENCE);
    figure["listed after (ms)"] = Math.round(performance.now() - start);
    await eventually("all are drawn", async () => (await drawn(page())).shapes === n, PATIENCE);
    figure["drawn after (ms)"] = Math.round(performance.now() - start);
    const { blocked } = await watched(page());
    figure["longest task while opening (ms)"] = blocked;
    figures.set(n, figure);
    await ann.badge("saved", /./, PATIENCE);
  });

  test(`the list of ${n} is scrolled to its end with few rows in the page`, async () => {
    const last = (await node.annotations(token, image.id)).map((a) => a.id).sort()[0]; // the list is newest first
    await watch(page());
    const rows = await page().evaluate(async () => {
      const list = document.querySelector(".boxes");
      let most = 0;
      for (let i = 0; i <= 60; i++) {
        list.scrollTop = (list.scrollHeight * i) / 60;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        most = Math.max(most, list.childElementCount);
      }
      return most;
    });
    const { p50, p95 } = await watched(page());
    figure["frame while scrolling, median (ms)"] = p50;
    figure["frame while scrolling, 95 % (ms)"] = p95;
    assert.ok(rows <= ROWS_AT_MOST, `${rows} rows are in the page`);
    await page().locator(`.boxes li[data-id="${last}"]`).waitFor();
  });

  test(`a click in ${n} polygons takes the right one`, async () => {
    const { x, y, width, height } = await page().locator(".surface").boundingBox();
    // The part of the image that fills the surface, in parts of the image.
    const [left, top, across, down] = (await page().locator(".editor").getAttribute("data-view")).split(" ").map(Number);
    const at = [x + ((needle.at[0] - left) / across) * width, y + ((needle.at[1] - top) / down) * height];
    await page().keyboard.press("v");
    const start = performance.now();
    await page().mouse.click(...at);
    await page().locator(`.boxes li.selected[data-id="${needle.id}"]`).waitFor();
    figure["selected after a click (ms)"] = Math.round(performance.now() - start);
    await page().locator(".popover:not([hidden])").waitFor();
    await page().keyboard.press("Escape");
    await eventually("it is let go", async () => (await page().locator(".boxes li.selected").count()) === 0);
  });

  test(`${n} polygons are panned without being drawn again`, async () => {
    const rest = await eventually("the layer rests", async () => {
      const before = await drawn(page());
      await page().waitForTimeout(300);
      return (await drawn(page())).draws === before.draws && before;
    });
    await watch(page());
    const [x, y] = await ann.at(0.5, 0.5);
    const { mouse } = page();
    await mouse.move(x, y);
    await mouse.down();
    for (let i = 1; i <= 60; i++) {
      await mouse.move(x + 100 * Math.sin(i / 8), y + 60 * Math.sin(i / 5)); // within the margin that is drawn
    }
    const { draws } = await drawn(page());
    await mouse.up();
    const { p50, p95, frames, blocked } = await watched(page());
    if (n > 300) {
      assert.equal(draws, rest.draws, `drawn again ${draws - rest.draws} times in ${frames} frames`);
    }
    figure["frame while panning, median (ms)"] = p50;
    figure["frame while panning, 95 % (ms)"] = p95;
    figure["longest task while panning (ms)"] = blocked;
  });

  test(`${n} polygons are zoomed into, and are sharp again`, async () => {
    const before = await drawn(page());
    await watch(page());
    const [x, y] = await ann.at(0.5, 0.5);
    await page().mouse.move(x, y);
    for (let i = 0; i < 12; i++) {
      await page().mouse.wheel(0, -100);
    }
    const zoomed = await eventually("only what is in sight is drawn", async () => {
      const now = await drawn(page());
      const moved = await page().locator(".shapes canvas:not([hidden])").first().evaluate((c) => c.style.transform);
      return now.draws > before.draws && moved === "" && now;
    });
    const { p50, p95, blocked } = await watched(page());
    figure["frame while zooming, median (ms)"] = p50;
    figure["frame while zooming, 95 % (ms)"] = p95;
    figure["longest task while zooming (ms)"] = blocked;
    assert.ok(zoomed.shapes < n, `${zoomed.shapes} of ${n} are drawn`);
  });

  test(`what the page holds for ${n} polygons`, async () => {
    const session = await ann.context.newCDPSession(page());
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    figure["memory of the page's scripts (MiB)"] = Math.round(usedSize / (1 << 20));
    await ann.context.close();
  });
}

test("no page ran into an error", () => {
  assert.deepEqual(people.flatMap((p) => p.faults), []);
});
