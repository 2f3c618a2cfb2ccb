import type { App, View } from "./app";
import { RestError, type Image } from "./client";
import { colorOf, initials } from "./colors";
import { h, icon, iconButton, logo, toast } from "./dom";
import { askName, showHelp } from "./dialog";
import { Grid, skeletons } from "./grid";
import { editLabels } from "./label-dialog";
import { parseSearch } from "./search";
import { toggleTheme } from "./theme";
import { Uploads } from "./uploads";

const ACCEPT = "image/png,image/jpeg,image/gif,image/webp,image/avif,image/tiff";

/** All images of the tenant, newest first, and a place to drop new ones. */
export function openGallery(app: App): View {
  const closing = new AbortController();
  const writable = app.me.role !== "viewer";
  let cursor = "";
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
    placeholder: "Search by name, or label:cup",
    "aria-label": "Search by name, or by label with label:",
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

  const uploads = new Uploads(app.rest, (image) => {
    show([image, ...app.listed.filter((other) => other.id !== image.id)]);
    clearTimeout(uploaded);
    uploaded = setTimeout(() => void load(true), 500);
  });

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
    body,
    picker,
    uploads.element,
    h("div", { class: "drop-hint", "aria-hidden": "true" }, icon("upload"), "Drop to upload"),
  );

  async function load(fresh: boolean): Promise<void> {
    const mine = ++request;
    const wanted = parseSearch(filter);
    if (fresh) {
      cursor = "";
      if (!body.childElementCount) {
        body.replaceChildren(skeletons());
      }
    }
    body.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const page = await app.rest.images({ limit: 60, cursor, ...wanted });
      if (mine !== request || closing.signal.aborted) {
        return;
      }
      const images = page.images ?? [];
      cursor = page.next_cursor ?? "";
      more.hidden = !cursor;
      const before = new Set(fresh ? [] : app.listed.map((image) => image.id));
      show([...(fresh ? [] : app.listed), ...images.filter((image) => !before.has(image.id))]);
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

  function show(images: Image[]): void {
    app.listed = images;
    grid.show(images);
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
    return filter
      ? h("div", { class: "blank" }, icon("search"), h("h2", {}, "Nothing matches"), h("p", { class: "muted" }, "Try fewer letters of the name, or the exact word after label:"))
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
  void load(true);
  return { element, close: () => (clearTimeout(uploaded), closing.abort()) };
}
