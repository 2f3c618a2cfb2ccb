// Two people on one image: what one draws, the other sees; and edits that are made
// while the connection is lost arrive when it is back, once.
//
//	EASEL_URL=http://127.0.0.1:8080 EASEL_TOKEN=… node follow-live.js
//
// Node before 22 needs --experimental-websocket, or a `connect` that makes sockets.
import { live, Rest } from "@easelhq/client";

const rest = new Rest({ url: process.env.EASEL_URL!, token: process.env.EASEL_TOKEN! });
const pixel = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==", "base64");
const image = await rest.upload(new Blob([pixel]), { filename: "shelf.png" });

const ann = live(rest, image.id, { name: "Ann" });
const bob = live(rest, image.id, { name: "Bob" });
await Promise.all([ann.ready(), bob.ready()]);

const seen = new Promise<void>((resolve) =>
  bob.on("change", ({ upserted }) => {
    for (const annotation of upserted) {
      console.log("Bob sees", annotation.label);
      if (annotation.label === "mug") {
        resolve();
      }
    }
  }),
);

// Shown to Ann at once, and numbered: whatever the network does, it has one effect.
const id = ann.put({ label: "cup", x: 0.1, y: 0.1, width: 0.2, height: 0.2 });
await ann.saved();
ann.patch(id, { label: "mug" });
await ann.saved();
await seen;

console.log("Ann has", [...ann.annotations.values()].map((a) => `${a.label} rev ${a.rev}`).join());
ann.stop();
bob.stop();
