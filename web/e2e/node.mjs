// A node of Easel as a process, and people in real browsers who use it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);

/** Waits until a fact holds; what it waits for is in the error. */
export async function eventually(what, fact, within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    let value;
    try {
      value = await fact();
    } catch (err) {
      value = false;
      if (Date.now() > end) {
        throw new Error(`${what}: ${err.message}`);
      }
    }
    if (value) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`not within ${within} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Listens, or returns null where somebody does. */
function listen(port, host) {
  const server = createServer().unref();
  return new Promise((resolve) => {
    server.once("error", () => resolve(null));
    server.listen(port, host, () => resolve(server));
  });
}

// A port that stays this process's while its node is down: below those that the
// system gives to whoever asks for any, and kept by a socket on another address, as
// the Go tests do (internal/freeport).
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(12_000 * Math.random());
    const kept = await listen(port, "127.0.0.2");
    const probe = kept && (await listen(port, "127.0.0.1"));
    if (probe) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
    kept?.close();
  }
}

/** The binary that EASEL_BIN names, on a folder of its own. */
export class EaselNode {
  static async start({ args = [], env = {} } = {}) {
    const node = new EaselNode();
    node.args = args;
    node.bin = process.env.EASEL_BIN;
    node.data = await mkdtemp(join(tmpdir(), "easel-e2e-"));
    node.port = await freePort();
    node.url = `http://127.0.0.1:${node.port}`;
    node.env = { ...process.env, EASEL_JWT_SECRET: "a secret of at least thirty-two bytes", EASEL_DATA: node.data, ...env };
    await node.launch();
    return node;
  }

  async launch() {
    this.output = "";
    this.process = spawn(this.bin, ["serve", "--addr", `127.0.0.1:${this.port}`, ...this.args], { env: this.env });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (text) => (this.output = (this.output + text).slice(-20_000)));
    }
    await eventually("the node is ready", async () => {
      if (this.process.exitCode !== null) {
        throw new Error(`the node exited:\n${this.output}`);
      }
      return (await fetch(`${this.url}/ready`)).ok;
    });
  }

  /** Ends the process as a power cut would. */
  async kill(signal = "SIGKILL") {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill(signal);
      await gone;
    }
  }

  async close() {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async token(user, name, role = "annotator") {
    const args = ["token", "--tenant", "studio", "--user", user, "--role", role, "--name", name];
    return (await run(this.bin, args, { env: this.env })).stdout.trim();
  }

  async call(token, method, path, body) {
    const response = await fetch(this.url + path, { method, headers: { Authorization: `Bearer ${token}` }, body });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response.status === 204 ? null : response.json();
  }

  async upload(token, sample) {
    const content = await readFile(new URL(`../samples/${sample}`, import.meta.url));
    const form = new FormData();
    form.append("image", new Blob([content], { type: "image/jpeg" }), sample);
    return (await this.call(token, "POST", "/api/images/upload", form)).image;
  }

  /** Draws up to 500 boxes in one transaction. */
  async bulk(token, annotations) {
    const response = await fetch(`${this.url}/api/annotations/bulk`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ annotations }),
    });
    if (!response.ok) {
      throw new Error(`bulk: ${response.status} ${await response.text()}`);
    }
  }

  async annotations(token, image) {
    return (await this.call(token, "GET", `/api/annotations/by-image/${image}`)).annotations;
  }
}

/** A bucket of its own, by the gateway that "make cluster" gets; null where there is none. */
export async function startBucket() {
  const tools = new URL("../../.tools/", import.meta.url);
  const gateway = (await readdir(tools).catch(() => [])).find((name) => name.startsWith("versitygw-"));
  if (!gateway) {
    return null;
  }
  const [folder, port] = [await mkdtemp(join(tmpdir(), "easel-e2e-bucket-")), await freePort()];
  await mkdir(join(folder, "easel"));
  const keys = ["easel", "only-for-this-test"];
  const env = { ...process.env, ROOT_ACCESS_KEY: keys[0], ROOT_SECRET_KEY: keys[1] };
  const running = spawn(fileURLToPath(new URL(gateway, tools)), ["--port", `127.0.0.1:${port}`, "--quiet", "posix", folder], { env, stdio: "ignore" });
  const gone = new Promise((resolve) => running.once("exit", resolve));
  await eventually("the bucket answers", async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0);
  return {
    env: { AWS_ACCESS_KEY_ID: keys[0], AWS_SECRET_ACCESS_KEY: keys[1], EASEL_STORE: `s3://easel/e2e?endpoint=http://127.0.0.1:${port}&region=us-east-1` },
    close: async () => {
      running.kill();
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** One signed-in person with a browser of their own. */
export class Person {
  /** With a cable, the live connection can be cut while pages still load. */
  static async arrive(browser, node, token, { cable = false, ...options } = {}) {
    const person = new Person();
    person.context = await browser.newContext({ viewport: { width: 1360, height: 850 }, ...options });
    if (cable) {
      await person.context.routeWebSocket(/\/live$/, (socket) => person.plug(socket));
    }
    person.page = await person.context.newPage();
    person.faults = [];
    person.page.on("pageerror", (err) => person.faults.push(err.message));
    person.page.on("console", (message) => {
      // A connection that is refused while the node is down is reported by the browser itself.
      if (message.type() === "error" && !/WebSocket|ERR_CONNECTION|Failed to load resource/.test(message.text())) {
        person.faults.push(message.text());
      }
    });
    await person.page.goto(`${node.url}/#token=${token}`);
    await person.page.waitForSelector(".gallery");
    return person;
  }

  connected = true;
  plugged = new Set();

  plug(page) {
    if (!this.connected) {
      page.close({ code: 1012 });
      return;
    }
    const server = page.connectToServer();
    const unplug = () => {
      this.plugged.delete(unplug);
      return Promise.all([page.close({ code: 1012 }), server.close({ code: 1001 })]);
    };
    this.plugged.add(unplug);
    page.onClose(unplug);
    server.onClose(unplug);
  }

  /** Cuts the live connection, and every new one, until reconnect. */
  async disconnect() {
    this.connected = false;
    await Promise.all([...this.plugged].map((unplug) => unplug()));
    await this.badge("offline");
  }

  async reconnect() {
    this.connected = true;
    await this.page.evaluate(() => dispatchEvent(new Event("online")));
  }

  async openImage(id) {
    await this.page.evaluate((hash) => (location.hash = hash), `#/images/${id}`);
    await this.ready();
  }

  async ready() {
    await this.page.waitForSelector(".editor[data-ready]");
    await this.badge("saved");
  }

  badge(state, text = /./, within = 15_000) {
    return eventually(`badge ${state} ${text}`, async () => {
      const badge = this.page.locator(".badge");
      return (await badge.getAttribute("data-state")) === state && text.test(await badge.textContent());
    }, within);
  }

  /** The point of the stage at fractions of its size. */
  async at(x, y) {
    const box = await this.page.locator(".surface").boundingBox();
    return [box.x + box.width * x, box.y + box.height * y];
  }

  async drag(from, to, steps = 8) {
    const { mouse } = this.page;
    await mouse.move(...(await this.at(...from)));
    await mouse.down();
    await mouse.move(...(await this.at(...to)), { steps });
    await mouse.up();
  }

  /** Draws a box and names it. */
  async draw(from, to, label) {
    await this.drag(from, to);
    await this.page.locator(".popover:not([hidden]) input").waitFor();
    await this.page.keyboard.type(label);
    await this.page.keyboard.press("Enter");
    await this.page.locator(`.tag:text-is("${label}")`).first().waitFor();
  }

  /** Fails for what axe calls serious or worse, on the page or in a part of it. */
  async accessible(what, part = "html") {
    // What is shown is looked at when it has come to rest; an animation whose element
    // goes away is cancelled, which is a rest too.
    await this.page.evaluate(() => Promise.allSettled(document.getAnimations().filter((a) => a.effect.getComputedTiming().iterations === 1).map((a) => a.finished)));
    await this.page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
    const { violations } = await this.page.evaluate((within) => globalThis.axe.run(within), part);
    const serious = violations
      .filter((v) => v.impact === "serious" || v.impact === "critical")
      .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 140)} ${n.any[0]?.message ?? ""}`).join("\n  ")}`);
    assert.deepEqual(serious, [], what);
  }

  labels() {
    return this.page.locator(".tag").allTextContents();
  }

  async tag(label) {
    return this.page.locator(`.tag:text-is("${label}")`).first().boundingBox();
  }
}
