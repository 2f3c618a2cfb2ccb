// A new process takes a node's place while people draw: a pause for their pages, and
// nothing else. On one node, and on a node of a cluster whose other node goes on
// (EASEL_BIN; the cluster where the gateway of "make cluster" is in .tools).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { EaselNode, eventually, freePort, launchBrowser, Person, startBucket } from "./node.mjs";

let browser;
before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  browser = await launchBrowser();
});
after(() => browser?.close());

const LEAST = 6; // boxes before, and after, the new process is there

/** Draws boxes one after the other, each where none is, until it is told that it is enough. */
async function drawUntil(ann, enough) {
  let n = 0;
  while (!enough(n)) {
    const [x, y] = [0.12 + (n % 12) * 0.065, 0.2 + (Math.floor(n / 12) % 10) * 0.06];
    await ann.drag([x, y], [x + 0.04, y + 0.04], 3);
    n++;
    await eventually(`box ${n} is on the picture`, async () => (await ann.page.locator(".panel .pill").first().textContent()) === String(n));
    await ann.page.keyboard.press("Escape"); // the field of the label
    await ann.page.keyboard.press("Escape");
  }
  return n;
}

/** Whoever reloads, or fetches the page's files anew, has noticed. */
async function watch(person) {
  await person.page.evaluate(() => {
    globalThis.unreloaded = true;
    globalThis.told = [];
    const badge = document.querySelector(".badge");
    const note = () => told.push(`${badge.dataset.state} ${badge.textContent}`);
    new MutationObserver(note).observe(badge, { attributes: true, childList: true, characterData: true, subtree: true });
  });
  const files = [];
  person.page.on("request", (request) => request.url().includes("/assets/") && files.push(request.url()));
  return files;
}

async function replaced(nodes) {
  const [node, other] = nodes;
  const token = await node.token("ann", "Ann Lee");
  const image = await node.upload(token, "coffee.jpg");
  const ann = await Person.arrive(browser, node, token);
  const bob = await Person.arrive(browser, other ?? node, await node.token("bob", "Bob Stone"));
  await ann.openImage(image.id);
  await bob.openImage(image.id);
  const files = await watch(ann);
  let [drawn, back] = [0, null];
  const deploy = async () => {
    await node.kill("SIGTERM");
    assert.equal(node.process.exitCode, 0, node.output);
    const missed = drawn;
    await ann.badge("offline"); // it does not claim to have saved what nobody has heard
    await eventually("boxes are drawn while no node is there", () => drawn >= missed + 2);
    await ann.badge("offline", /: \d+ waiting/);
    await node.launch();
    back = drawn;
  };
  let deploying = null;
  const total = await drawUntil(ann, (n) => {
    drawn = n;
    if (n === LEAST) {
      deploying = deploy();
      deploying.catch(() => (back = 0)); // it is thrown below
    }
    return back !== null && n >= back + LEAST;
  });
  await deploying;
  await ann.badge("saved", /./, 30_000);
  const stored = await node.annotations(token, image.id);
  assert.equal(stored.length, total, "each box is stored once");
  await eventually("the other has all of them", async () => (await bob.page.locator(".panel .pill").first().textContent()) === String(total), 30_000);
  assert.equal(await ann.page.evaluate(() => globalThis.unreloaded), true, "the page was not reloaded");
  assert.deepEqual(files, [], "nothing of the page was fetched anew");
  const told = await ann.page.evaluate(() => told);
  const [lost, found] = [told.findIndex((t) => t.startsWith("offline")), told.findLastIndex((t) => t.startsWith("offline"))];
  assert.ok(lost >= 0 && found < told.length - 1, told.join("; "));
  assert.deepEqual(told.slice(lost, found).filter((t) => t.startsWith("saved")), [], "nothing was called saved in between");
  assert.equal(await ann.page.locator(".toast").count(), 0, "nothing was said of errors");
  assert.deepEqual([...ann.faults, ...bob.faults], []);
  await Promise.all([ann.context.close(), bob.context.close()]);
}

test("a node is replaced while somebody draws", async () => {
  const node = await EaselNode.start();
  try {
    await replaced([node]);
  } finally {
    await node.close();
  }
});

test("a node of a cluster is replaced while somebody draws on it", async (t) => {
  const bucket = await startBucket();
  if (!bucket) {
    return t.skip("no gateway in .tools: make cluster gets it");
  }
  const nodes = [];
  try {
    const gossip = [await freePort(), await freePort()];
    const env = { ...bucket.env, EASEL_CLUSTER_KEY: randomBytes(32).toString("base64"), EASEL_CLUSTER_JOIN: gossip.map((port) => `127.0.0.1:${port}`).join() };
    for (const [i, port] of gossip.entries()) {
      nodes.push(await EaselNode.start({ args: ["--node", `n${i + 1}`, "--cluster-bind", `127.0.0.1:${port}`], env }));
    }
    await replaced(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    await bucket.close();
  }
});

test("a page whose files its node does not have yet comes up by itself", async () => {
  const node = await EaselNode.start();
  try {
    const context = await browser.newContext({ serviceWorkers: "block" });
    let missing = 2;
    await context.route(/\/assets\/.*\.js$/, (route) => (missing-- > 0 ? route.fulfill({ status: 404, body: "" }) : route.continue()));
    const page = await context.newPage();
    await page.goto(`${node.url}/#token=${await node.token("ann", "Ann Lee")}`);
    await page.getByText("Easel is being updated").waitFor();
    await page.locator(".gallery").waitFor();
    assert.ok(missing <= 0);
    await context.close();
  } finally {
    await node.close();
  }
});
