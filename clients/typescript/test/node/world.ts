import { afterAll, beforeAll } from "vitest";
import { Rest } from "../../src/index.js";
import { EaselNode } from "../../scripts/node.mjs";

/** A picture of one pixel. */
export const pixel = new Blob([
  Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="), (c) => c.charCodeAt(0)),
]);

/** A node for the tests of a file. */
export function aNode(): { readonly it: EaselNode; rest(user: string, role?: string): Promise<Rest> } {
  let node: EaselNode | undefined;
  beforeAll(async () => {
    node = await EaselNode.start();
  });
  afterAll(async () => {
    await node?.close();
  });
  return {
    get it() {
      return node!;
    },
    async rest(user, role) {
      return new Rest({ url: node!.url, token: await node!.token(user, role) });
    },
  };
}
