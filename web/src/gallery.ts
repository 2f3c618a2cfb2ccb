import type { App, View } from "./app";
import { RestError, type Image } from "@easelhq/client";
import { colorOf, initials } from "./colors";
import { h, icon, iconButton, logo, toast } from "./dom";
import { askName, showHelp } from "./dialog";
import { Grid, skeletons } from "./grid";
import { given, type ImageQuery } from "./image-list";
import { editLabels } from "./label-dialog";
import { Narrowing } from "./narrowing";
import { parseSearch } from "./search";
import { toggleTheme } from "./theme";

const ACCEPT = "image/png,image/jpeg,image/gif,image/webp,image/avif,image/tiff";

/** All images of the tenant, newest first, and a place to drop new ones. */
export function openGallery(app: App): View {
  const closing = new AbortController();
  const writable = app.me.role !== "viewer";
  let filter = "";
  let request = 0;
  const leaving = new Set<string>();

  const failure = (err: Error) => toast(err.message, "error");
  const grid = new Grid(
    app,
    {
      rename: (image) => void rename(image),
      remove: (image) => void remove(image),
    },
    closing.signal,
  );
  const more = h("button", { class: "button more", type: "button", hidden: true, onclick: () => void load(false) }, "Show more");
  const body = h("section", { class: "gallery-body", "aria-busy": "true" });
  const picker = h("input", {
    type: "file",
    accept: ACCEPT,
    multiple: true,
    hidden: true,
    onchange: () => {
      uploads.add([...(picker.files ?? [])]);
      picker.value = "";
    },
  });
  const search = h("input", {
    class: "field search",
    type: "search",
    placeholder: "Search by name, label:cup or by:ann",
    "aria-label": "Search by name, by label with label:, by uploader with by:",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        filter = search.value.trim();
        void load(true);
      }, 200);
    },
  });
  let typing: ReturnType<typeof setTimeout>;
  let uploaded: ReturnType<typeof setTimeout>;

  const { uploads } = app;
  closing.signal.addEventListener(
    "abort",
    uploads.on("done", (image) => {
      app.list.add(image);
      show();
      clearTimeout(uploaded);
      uploaded = setTimeout(() => void load(true), 500);
    }),
  );

  const narrowing = new Narrowing(app, () => void load(true));
  filter = search.value = app.list.wanted.filename; // whoever comes back from an image sees the same list
  const who = app.me.name || app.me.user_id;
  const element = h(
    "main",
    { class: "gallery" },
    h(
      "header",
      { class: "bar" },
      logo(),
      h("div", { class: "with-icon grow" }, icon("search"), search),
      writable &&
        h("button", { class: "button primary", type: "button", onclick: () => picker.click() }, icon("upload"), "Upload"),
      h(
        "span",
        { class: "me", title: `${who}, ${app.me.role} in ${app.me.tenant}` },
        h("span", { class: "avatar", style: `--tint: ${colorOf(app.me.user_id)}` }, initials(who)),
        h("span", { class: "me-text" }, h("b", {}, who), h("small", {}, `${app.me.role} · ${app.me.tenant}`)),
      ),
      ["admin", "owner"].includes(app.me.role) && iconButton("tag", "Labels", () => void editLabels(app)),
      iconButton("theme", "Light or dark", toggleTheme),
      iconButton("help", "Keyboard help (?)", showHelp),
      iconButton("out", "Sign out", () => app.signOut()),
    ),
    narrowing.element,
    body,
    picker,
    h("div", { class: "drop-hint", "aria-hidden": "true" }, icon("upload"), "Drop to upload"),
  );

  async function load(fresh: boolean): Promise<void> {
    const mine = ++request;
    const wanted = () => mine === request && !closing.signal.aborted;
    if (fresh) {
      if (!body.childElementCount) {
        body.replaceChildren(skeletons());
      }
    }
    body.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const { state, ...others } = query();
      if (fresh) {
        void app.rest.imageStates(given(others)).then(
          (counts) => wanted() && narrowing.count(counts),
          () => {}, // the list itself says what is wrong
        );
      }
      if (await (fresh ? app.list.load({ ...others, state }, wanted) : app.list.extend(wanted))) {
        more.hidden = !app.list.more;
        show();
      }
    } catch (err) {
      if (mine !== request || closing.signal.aborted) {
        return;
      }
      if (err instanceof RestError && err.status === 401) {
        app.signOut("Your token has expired.");
        return;
      }
      const text = err instanceof Error ? err.message : "Something went wrong.";
      if (grid.element.isConnected) {
        toast(text, "error");
      } else {
        body.replaceChildren(failed(text));
      }
    } finally {
      if (mine === request) {
        body.setAttribute("aria-busy", "false");
        more.disabled = false;
      }
    }
  }

  /** What is to be listed: the fields of the row above, and the words of the search. */
  function query(): ImageQuery {
    const [fields, words] = [narrowing.query, parseSearch(filter)];
    return { ...fields, filename: words.filename, label: words.label || fields.label, uploaded_by: words.uploaded_by || fields.uploaded_by };
  }

  function show(): void {
    const { images } = app.list;
    grid.show(images);
    narrowing.offer(images);
    if (images.length === 0) {
      body.replaceChildren(empty());
    } else if (!grid.element.isConnected) {
      body.replaceChildren(grid.element, more);
    }
  }

  async function rename(image: Image): Promise<void> {
    const name = await askName(image.filename);
    if (name) {
      await app.rest.rename(image.id, name).then(() => toast(`Renamed to ${name}.`), failure);
      await load(true);
    }
  }

  async function remove(image: Image): Promise<void> {
    if (leaving.has(image.id)) {
      return; // a double click deletes once
    }
    leaving.add(image.id);
    const restore = () => app.rest.restore(image.id).then(() => toast(`${image.filename} is back.`), failure).then(() => load(true));
    await app.rest
      .remove(image.id)
      .then(() => toast(`${image.filename} was deleted.`, "info", { label: "Restore", run: () => void restore() }), failure);
    leaving.delete(image.id);
    await load(true);
  }

  function empty(): HTMLElement {
    return filter || narrowing.narrows
      ? h("div", { class: "blank" }, icon("search"), h("h2", {}, "Nothing matches"), h("p", { class: "muted" }, "Try fewer letters of the name, the exact word of a label, or another state."))
      : h(
          "div",
          { class: "blank" },
          icon("image"),
          h("h2", {}, "No images yet"),
          h("p", { class: "muted" }, writable ? "Drop photographs anywhere on this page, or choose some." : "Somebody else has to upload the first one."),
          writable && h("button", { class: "button primary", type: "button", onclick: () => picker.click() }, icon("upload"), "Choose images"),
        );
  }

  function failed(text: string): HTMLElement {
    return h(
      "div",
      { class: "blank", role: "alert" },
      icon("close"),
      h("h2", {}, "The images did not come"),
      h("p", { class: "muted" }, text),
      h("button", { class: "button", type: "button", onclick: () => void load(true) }, "Try again"),
    );
  }

  if (writable) {
    const carriesFiles = (e: DragEvent) => e.dataTransfer?.types.includes("Files") ?? false;
    let depth = 0;
    const mark = (change: number) => {
      depth = Math.max(0, depth + change);
      element.classList.toggle("dropping", depth > 0);
    };
    element.addEventListener("dragenter", (e) => carriesFiles(e) && mark(1));
    element.addEventListener("dragleave", (e) => carriesFiles(e) && mark(-1));
    element.addEventListener("dragover", (e) => carriesFiles(e) && e.preventDefault());
    element.addEventListener("drop", (e) => {
      e.preventDefault();
      depth = 0;
      mark(0);
      uploads.add([...(e.dataTransfer?.files ?? [])]);
    });
  }
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void load(true), {
    signal: closing.signal,
  });
  addEventListener(
    "keydown",
    (e) => {
      const typing = e.target instanceof HTMLElement && e.target.closest("input, textarea, dialog");
      if (!typing && !e.ctrlKey && !e.metaKey && !e.altKey && (e.key === "?" || e.key === "/")) {
        e.preventDefault();
        e.key === "?" ? showHelp() : search.focus();
      }
    },
    { signal: closing.signal },
  );
  document.title = "Easel";
  void app.labels.refresh().then(() => narrowing.offer(app.list.images));
  void load(true);
  return { element, close: () => (clearTimeout(uploaded), narrowing.close(), closing.abort()) };
}
