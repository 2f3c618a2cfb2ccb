// Uploads a picture, draws on it, lets a model propose and a reviewer accept.
//
//	EASEL_URL=http://127.0.0.1:8080 EASEL_TOKEN=… node annotate.js
import { Rest, RestError } from "@easelhq/client";

const rest = new Rest({ url: process.env.EASEL_URL!, token: process.env.EASEL_TOKEN! });

// A picture of one pixel; yours is new Blob([await readFile("street.jpg")]).
const pixel = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==", "base64");
const image = await rest.upload(new Blob([pixel]), { filename: "street.png" });

const car = await rest.draw(image.id, {
  label: "car",
  x: 0.25,
  y: 0.25,
  width: 0.5,
  height: 0.25,
  attributes: { parked: true },
});
console.log("drew", car.label, "at rev", car.rev);

// Only if nobody has changed it in the meantime.
const truck = await rest.change(image.id, car.id, { label: "truck" }, car.rev);
console.log("renamed it to", truck.label, "at rev", truck.rev);
try {
  await rest.change(image.id, car.id, { label: "bus" }, car.rev);
} catch (err) {
  console.log("too late:", (err as RestError).code);
}

await rest.drawAll(
  [0.95, 0.7, 0.2].map((confidence) => ({
    image_id: image.id,
    label: "person",
    x: 0.1,
    y: 0.1,
    width: 0.1,
    height: 0.3,
    confidence,
    source: "model",
    model: "yolo 11",
  })),
);
console.log("accepted", await rest.accept(image.id, { min_confidence: 0.7 }));

const { annotations, version } = await rest.annotations(image.id);
console.log(annotations.length, "annotations at version", version);
