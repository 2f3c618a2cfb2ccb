// Five people in five browsers on one image: who is where, who edits what, and
// following another's view, against a real node (EASEL_BIN).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EaselNode, eventually, launchBrowser, Person } from "./node.mjs";

const NAMES = { ann: "Ann Lee", bob: "Bob Stone", cleo: "Cleo Park", dan: "Dan Roy", eve: "Eve Holm" };

let node, browser, token, image;
const people = {};

before(async () => {
  assert.ok(process.env.EASEL_BIN, "EASEL_BIN names the binary to test");
  node = await EaselNode.start();
  browser = await launchBrowser();
  token = await node.token("ann", NAMES.ann);
  image = await node.upload(token, "coffee.jpg");
  for (const [user, name] of Object.entries(NAMES)) {
    people[user] = await Person.arrive(browser, node, await node.token(user, name), { viewport: { width: 900, height: 600 } });
  }
});

after(async () => {
  await browser?.close();
  await node?.close();
});

const all = (fn) => Promise.all(Object.values(people).map(fn));
const face = (person, user) => person.page.locator(`.people .avatar[data-user="${user}"]`);

test("each sees the four others", async () => {
  await all((person) => person.openImage(image.id));
  await all((person) => eventually("four faces", async () => (await person.page.locator(".people .avatar[data-user]").count()) === 4));
});

test("what each draws, all see, and all end equal", async () => {
  const users = Object.keys(people);
  for (const [i, user] of users.entries()) {
    await people[user].draw([0.3 + 0.1 * i, 0.2], [0.37 + 0.1 * i, 0.4], `of ${user}`);
  }
  const want = users.map((user) => `of ${user}`).sort();
  await all((person) => eventually("five labels", async () => (await person.labels()).sort().join() === want.join()));
  await all((person) => person.badge("saved"));
  assert.deepEqual((await node.annotations(token, image.id)).map((a) => a.label).sort(), want);
});

test("who edits what is told to all, with a frame around it", async () => {
  const { bob, ann, cleo } = people;
  await bob.page.locator('.boxes button:has-text("of dan")').first().click();
  for (const person of [ann, cleo]) {
    await person.page.locator('.person[data-user="bob"] .held:not([hidden])').waitFor();
    await eventually("Bob's face says so", async () => (await face(person, "bob").getAttribute("aria-label")) === "Follow Bob Stone, editing “of dan”");
    await person.page.locator('.boxes .holder:text-is("Bob Stone")').waitFor();
  }
});

test("a drag in progress is seen as it grows", async () => {
  const { eve, ann } = people;
  const { mouse } = eve.page;
  await mouse.move(...(await eve.at(0.3, 0.6)));
  await mouse.down();
  await mouse.move(...(await eve.at(0.5, 0.8)), { steps: 5 });
  await ann.page.locator('.person[data-user="eve"] .draft:not([hidden])').waitFor();
  await eventually("Eve is said to draw", async () => (await face(ann, "eve").getAttribute("data-doing")) === "drawing");
  assert.equal((await node.annotations(token, image.id)).length, 5, "a draft is not stored");
  await mouse.up();
  await ann.page.locator('.person[data-user="eve"] .draft').waitFor({ state: "hidden" });
  await eventually("it is stored", async () => (await node.annotations(token, image.id)).length === 6);
  await eve.page.keyboard.press("Escape");
});

test("one follows another's view until one moves", async () => {
  const { ann, dan } = people;
  const zoom = (person) => person.page.evaluate(() => Number(document.querySelector(".editor").dataset.zoom));
  await face(dan, "ann").click();
  await dan.page.locator('.following:text-is("Following Ann Lee: stop")').waitFor();
  await ann.page.evaluate(() => document.activeElement?.blur());
  for (let i = 0; i < 4; i++) {
    await ann.page.keyboard.press("+");
  }
  await eventually("Dan's view is as close as Ann's", async () => {
    const [a, d] = [await zoom(ann), await zoom(dan)];
    return a > 2 && Math.abs(a - d) < 0.15 * a;
  });
  await dan.page.mouse.move(...(await dan.at(0.5, 0.5)));
  const before = await zoom(dan);
  await dan.page.mouse.wheel(0, -200);
  await dan.page.locator(".following").waitFor({ state: "hidden" });
  assert.equal(await face(dan, "ann").getAttribute("aria-pressed"), "false");
  await eventually("the wheel zooms", async () => (await zoom(dan)) > before);
});

test("who leaves is gone for all", async () => {
  await people.eve.context.close();
  const { faults } = people.eve;
  delete people.eve;
  await all((person) => eventually("three faces", async () => (await person.page.locator(".people .avatar[data-user]").count()) === 3));
  assert.deepEqual(faults, []);
});

test("no page ran into an error", () => {
  assert.deepEqual(Object.values(people).flatMap((person) => person.faults), []);
});
