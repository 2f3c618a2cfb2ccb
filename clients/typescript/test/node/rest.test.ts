import { describe, expect, it } from "vitest";
import { Rest, RestError, type Path, type Verb } from "../../src/index.js";
import { aNode, pixel } from "./world.js";

const box = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };

/** Notes every operation that a test calls. */
function watched(rest: Rest, called: Set<string>): Rest {
  const { http } = rest;
  const [ask, send] = [http.ask.bind(http), http.send.bind(http)];
  http.ask = (verb, path, given) => {
    called.add(`${verb} ${path}`);
    return ask(verb, path, given);
  };
  http.send = (verb, path, init) => {
    if (path.endsWith("/events")) {
      called.add("get /api/images/{id}/events");
    }
    return send(verb, path, init);
  };
  return rest;
}

async function refusal(call: Promise<unknown>): Promise<RestError> {
  const err = await call.then(
    () => null,
    (e: unknown) => e,
  );
  expect(err).toBeInstanceOf(RestError);
  return err as RestError;
}

describe.skipIf(!process.env.EASEL_BIN)("the HTTP interface of a real node", () => {
  const node = aNode();
  const called = new Set<string>();
  const as = async (user: string, role = "owner") => watched(await node.rest(user, role), called);

  it("tells who somebody is, and what the tenant uses", async () => {
    const rest = await as("ann");
    expect(await rest.me()).toEqual({ user_id: "ann", tenant: "studio", role: "owner", name: "ann" });
    expect(await rest.user("ann")).toMatchObject({ id: "ann", role: "owner" });
    expect((await rest.usage()).limits.image_annotations).toBeGreaterThan(0);
    expect((await rest.http.call("get", "/api/cluster", {})).members).toHaveLength(1);
    expect((await rest.http.call("get", "/health", {})).status).toBe("ok");
    expect((await rest.http.call("get", "/ready", {})).status).toBe("ready");
    for (const path of ["/metrics", "/docs"] as const) {
      expect(await (await rest.http.call("get", path, {})).text()).toContain("easel");
    }
    expect(await rest.http.call("get", "/openapi.json", {})).toMatchObject({ openapi: "3.1.0" });
  });

  it("keeps images", async () => {
    const rest = await as("ann");
    const image = await rest.upload(pixel, { filename: "one.png", key: "the same" });
    expect((await rest.upload(pixel, { filename: "one.png", key: "the same" })).id).toBe(image.id);
    expect(image).toMatchObject({ filename: "one.png", content_type: "image/png", uploaded_by: "ann", deleted_at: null, metadata: {}, version: 0 });
    expect((await rest.rename(image.id, "two.png")).filename).toBe("two.png");
    expect((await rest.describe(image.id, { state: "done" })).metadata).toEqual({ state: "done" });
    expect((await rest.image(image.id)).filename).toBe("two.png");
    expect((await rest.images({ filename: "TWO" })).images.map((i) => i.id)).toEqual([image.id]);
    const all: string[] = [];
    for await (const one of rest.allImages({ limit: 1 })) {
      all.push(one.id);
    }
    expect(all).toContain(image.id);
    expect((await rest.file(image.id)).size).toBe(pixel.size);
    expect((await rest.thumbnail(image.id, 64)).size).toBeGreaterThan(0);
    expect((await rest.sqlite(image.id)).size).toBeGreaterThan(0);
    expect(await rest.tiling(image.id)).toMatchObject({ state: "none" }); // it is small
    expect(await refusal(rest.tile(image.id, [0, 0, 0]))).toMatchObject({ status: 404 });
    expect(await rest.imageStates({ filename: "two" })).toMatchObject({ done: 1 });
    const signed = await rest.url(image.id);
    expect((await (await fetch(new URL(signed.url, node.it.url))).blob()).size).toBe(pixel.size);
    called.add("get /signed/{tenant}/{image}");
    const { ticket } = await rest.ticket(image.id);
    expect((await fetch(`${node.it.url}/api/images/${image.id}/file?ticket=${ticket}`)).status).toBe(200);
    await rest.remove(image.id);
    expect(await refusal(rest.image(image.id))).toMatchObject({ status: 410, code: "gone" });
    expect((await rest.restore(image.id)).deleted_at).toBeNull();
  });

  it("draws every shape and reads it back as it was", async () => {
    const rest = await as("ann");
    const image = await rest.upload(pixel);
    const shapes = [
      { type: "rotated_box", points: [[0.5, 0.25], [0.75, 0.5], [0.5, 0.75], [0.25, 0.5]] },
      { type: "polygon", points: [[0.25, 0.25], [0.75, 0.25], [0.5, 0.75]], holes: [[[0.45, 0.3], [0.55, 0.3], [0.5, 0.4]]] },
      { type: "polyline", points: [[0.25, 0.25], [0.5, 0.75]] },
      { type: "point", points: [[0.25, 0.25]] },
      { type: "ellipse", center: [0.5, 0.5], radii: [0.25, 0.125] },
      { type: "tag" },
    ] as const;
    for (const shape of shapes) {
      const made = await rest.draw(image.id, { label: shape.type, shape: structuredClone(shape) as never });
      expect(made.shape).toEqual(shape);
      expect(await rest.annotation(image.id, made.id)).toEqual(made);
    }
    const plain = await rest.draw(image.id, { label: "box", ...box, attributes: { sure: true, lanes: 2, kind: "car" }, confidence: 0.5 });
    expect(plain).toMatchObject({ ...box, confidence: 0.5, rev: 1, created_by: "ann", attributes: { sure: true, lanes: 2, kind: "car" } });
    expect(plain.shape).toBeUndefined();
    const renamed = await rest.change(image.id, plain.id, { label: "case", attributes: { lanes: null } }, 1);
    expect(renamed).toMatchObject({ label: "case", rev: 2, attributes: { sure: true, kind: "car" } });
    const late = await refusal(rest.change(image.id, plain.id, { label: "late" }, 1));
    expect(late).toMatchObject({ status: 412, code: "conflict", current: renamed });
    expect((await rest.annotations(image.id, { label: "case" })).annotations).toEqual([renamed]);
    const seed = await rest.http.call("get", "/api/annotations/by-image/{imageId}", { path: { imageId: image.id } });
    expect(seed.annotations).toHaveLength(shapes.length + 1);
    await rest.removeAnnotation(image.id, plain.id, 2);
    expect(await refusal(rest.annotation(image.id, plain.id))).toMatchObject({ code: "gone" });
    const invalid = await refusal(rest.draw(image.id, { label: "", ...box }));
    expect(invalid).toMatchObject({ status: 422, code: "invalid" });
    expect(invalid.details[0]?.path).toBe("label");
  });

  it("remembers what was done, and brings it back", async () => {
    const rest = await as("ann");
    const image = await rest.upload(pixel);
    const [a, b] = await rest.drawAll(["cup", "mug"].map((label) => ({ image_id: image.id, label, ...box })));
    const ops = [{ k: "patch" as const, id: a!, set: { label: "glass" } }];
    const ack = await rest.apply(image.id, "script", 1, ops);
    expect(await rest.apply(image.id, "script", 1, ops)).toEqual(ack);
    expect((await rest.ops(image.id, 0)).map((deed) => [deed.ver, deed.by, deed.ops.length])).toEqual([[1, "ann", 2], [2, "ann", 1]]);
    expect((await rest.annotationsAt(image.id, 1)).map((one) => one.label).sort()).toEqual(["cup", "mug"]);
    expect(await rest.revert(image.id, { version: 1 })).toBe(1);
    expect((await rest.annotation(image.id, a!)).label).toBe("cup");
    expect(await rest.revert(image.id, { user: "ann", since: 2 })).toBe(1);
    expect(await rest.revert(image.id, { annotation: b!, version: 1 })).toBe(0);
    const leave = new AbortController();
    const told: unknown[] = [];
    for await (const frame of rest.events(image.id, leave.signal)) {
      if (frame.t === "snap") {
        expect(frame.annotations).toHaveLength(2);
        void rest.draw(image.id, { label: "late", ...box });
      } else if (frame.t === "ops") {
        told.push(frame.ops[0]?.annotation?.label);
        leave.abort();
      }
    }
    expect(told).toEqual(["late"]);
  });

  it("judges predictions, and chats", async () => {
    const rest = await as("ann");
    const image = await rest.upload(pixel);
    const proposal = { image_id: image.id, label: "car", ...box, source: "model" as const, model: "yolo" };
    const ids = await rest.drawAll([0.9, 0.8, 0.1].map((confidence) => ({ ...proposal, confidence })));
    expect(await rest.accept(image.id, { min_confidence: 0.8 })).toBe(2);
    expect(await rest.reject(image.id, { ids: [ids[2]!] })).toBe(1);
    const line = await rest.say(image.id, "done");
    expect(line).toMatchObject({ by: "ann", text: "done" });
    expect(await rest.messages(image.id)).toEqual([line]);
    expect(await rest.messages(image.id, line.id)).toEqual([]);
  });

  it("keeps values, files, keys and the label schema", async () => {
    const rest = await as("ann");
    const stored = await rest.putValue("a/b c", "one", { absent: true, ttl: 60 });
    expect(await refusal(rest.putValue("a/b c", "two", { absent: true }))).toMatchObject({ status: 412 });
    const value = await rest.value("a/b c");
    expect([new TextDecoder().decode(value!.content), value!.etag]).toEqual(["one", `"${stored.etag}"`]);
    expect((await rest.values("a/")).keys.map((k) => k.key)).toEqual(["a/b c"]);
    await rest.deleteValue("a/b c", { etag: value!.etag });
    expect(await rest.value("a/b c")).toBeNull();

    await rest.putFile("models/v1.json", '{"of":"mine"}', { type: "application/json", meta: { Author: "ann" } });
    const file = await rest.stored("models/v1.json");
    expect([await file!.text(), file!.headers.get("X-Easel-Meta-Author")]).toEqual(['{"of":"mine"}', "ann"]);
    expect((await rest.files("models/")).files.map((f) => [f.name, f.size])).toEqual([["models/v1.json", 13]]);
    await rest.deleteFile("models/v1.json");
    expect(await rest.stored("models/v1.json")).toBeNull();

    const key = await rest.createKey("robot", "annotator", 3600);
    expect(key.key).toMatch(/^easel_/);
    expect((await rest.keys()).keys.map((k) => k.name)).toEqual(["robot"]);
    await rest.deleteKey(key.id);

    const { version } = await rest.schema();
    const labels = [{ name: "car", color: "#ff0000", key: "c", attributes: [{ name: "lanes", type: "number" as const, min: 1 }] }];
    const schema = await rest.putSchema(version, { open: true, labels });
    expect(await rest.schema()).toEqual(schema);
    expect(schema.labels).toEqual(labels);
    expect((await refusal(rest.putSchema(version, { open: false, labels: [] }))).current).toEqual(schema);
    expect((await rest.schemaVersions()).map((v) => v.version)).toContain(schema.version);
  });

  it("refuses strangers, and erases a tenant that is named", async () => {
    const rest = await as("eve", "viewer");
    expect(await refusal(rest.upload(pixel))).toMatchObject({ status: 403, code: "forbidden" });
    expect(await refusal(new Rest({ url: node.it.url, token: "nobody" }).me())).toMatchObject({ status: 401 });
    const owner = await as("ann");
    expect(await refusal(owner.http.call("delete", "/api/tenant", { body: { confirm: "another" } }))).toMatchObject({ status: 422 });
    expect(await owner.http.call("delete", "/api/tenant", { body: { confirm: "studio" } })).toMatchObject({ tenant: "studio" });
  });

  it("has called every operation of the API's document", async () => {
    const document = (await (await fetch(`${node.it.url}/openapi.json`)).json()) as { paths: Record<Path, Record<Verb, object>> };
    const all = Object.entries(document.paths).flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb} ${path}`));
    called.add("get /api/images/{id}/live"); // live.test.ts
    expect(all.filter((operation) => !called.has(operation))).toEqual([]);
  });
});
