// A node of Easel as a process, for the tests and for what is generated from it.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The binary that EASEL_BIN names, on a folder of its own and a port of its choice. */
export class EaselNode {
  static async start(bin = process.env.EASEL_BIN) {
    if (!bin) {
      throw new Error("EASEL_BIN names the binary");
    }
    const node = new EaselNode();
    node.bin = bin;
    node.data = await mkdtemp(join(tmpdir(), "easel-client-"));
    node.env = { ...process.env, EASEL_JWT_SECRET: "a secret of at least thirty-two bytes", EASEL_DATA: node.data };
    await node.launch("127.0.0.1:0");
    return node;
  }

  /** Starts the process and resolves when it listens. */
  async launch(addr) {
    const child = spawn(this.bin, ["serve", "--addr", addr], { env: this.env, stdio: ["ignore", "pipe", "ignore"] });
    this.process = child;
    this.url = await new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the node exited with ${code}`)));
      createInterface(child.stdout).on("line", (line) => {
        const found = /listening on (http:\/\/\S+)/.exec(line);
        if (found) {
          resolve(found[1]);
        }
      });
    });
    while (!(await fetch(`${this.url}/ready`)).ok) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Ends the process as a power cut would. */
  async kill(signal = "SIGKILL") {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill(signal);
      await gone;
    }
  }

  /** Starts again where it was. */
  async again() {
    await this.launch(new URL(this.url).host);
  }

  async close() {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async token(user, role = "annotator", tenant = "studio") {
    return (await run(this.bin, ["token", "--tenant", tenant, "--user", user, "--role", role, "--name", user], { env: this.env })).stdout.trim();
  }
}
