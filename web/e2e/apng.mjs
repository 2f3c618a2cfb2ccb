// Joins screenshots to an animated PNG, which every browser and code host shows:
// the chunks of each picture are taken over as they are.
import { crc32 } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function* chunks(png) {
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    yield { type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

/** Makes one picture of PNGs of equal size; delay is how long each shows, in milliseconds. */
export function animate(frames) {
  const header = [...chunks(frames[0].png)].find(({ type }) => type === "IHDR").data;
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length, 0); // and 0 plays: for ever
  const out = [SIGNATURE, chunk("IHDR", header), chunk("acTL", control)];
  let sequence = 0;
  for (const [i, { png, delay }] of frames.entries()) {
    const all = [...chunks(png)];
    if (!all.find(({ type }) => type === "IHDR").data.equals(header)) {
      throw new Error(`frame ${i} has another size or format`);
    }
    const frame = Buffer.alloc(26);
    frame.writeUInt32BE(sequence++, 0);
    header.copy(frame, 4, 0, 8); // width and height; the offsets stay 0
    frame.writeUInt16BE(delay, 20);
    frame.writeUInt16BE(1000, 22);
    out.push(chunk("fcTL", frame));
    for (const { data } of all.filter(({ type }) => type === "IDAT")) {
      if (i === 0) {
        out.push(chunk("IDAT", data));
      } else {
        const number = Buffer.alloc(4);
        number.writeUInt32BE(sequence++, 0);
        out.push(chunk("fdAT", Buffer.concat([number, data])));
      }
    }
  }
  out.push(chunk("IEND", Buffer.alloc(0)));
  return Buffer.concat(out);
}
