import { Rest, RestError, type Me } from "@easelhq/client";
import "./style.css";
import type { App, View } from "./app";
import { Conflicts } from "./conflicts";
import { h, logo, toast } from "./dom";
import { openEditor } from "./editor/editor";
import { openGallery } from "./gallery";
import { Histories } from "./histories";
import { ImageList } from "./image-list";
import { Labels } from "./labels";
import { LocalStore } from "./local-store";
import { Connection } from "./offline/connection";
import { keepPage } from "./offline/register";
import { lost, RememberingRest } from "./offline/rest";
import { Seen } from "./offline/seen";
import { Outboxes } from "./outbox-storage";
import { Thumbnails } from "./pictures";
import { Sessions } from "./sessions";
import { openSignIn } from "./signin";
import { followTheme } from "./theme";
import { forgetToken, keepMe, keepToken, keptMe, takeToken } from "./token";
import { UploadQueue } from "./upload-queue";
import { Uploads } from "./uploads";

const root = document.querySelector<HTMLElement>("#app")!;
let token = takeToken();
let app: App | null = null;
let leave = () => {};
let view: View | null = null;
let store: Promise<LocalStore> | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Opens what the browser keeps, once for the page. */
function localStore(): Promise<LocalStore> {
  let told = false;
  const lostStore = () => {
    if (!told) {
      told = true;
      toast("This browser has no room to keep edits. Do not close the page before they are saved.", "error");
    }
  };
  store ??= LocalStore.open(lostStore).then((opened) => (opened.keeps || lostStore(), opened));
  return store;
}

function show(next: View): void {
  view?.close();
  view = next;
  root.replaceChildren(next.element);
}

function close(): void {
  leave();
  leave = () => {};
  app = null;
}

function signIn(problem = ""): void {
  close();
  show(
    openSignIn(problem, (given) => {
      token = given;
      keepToken(given);
      void enter();
    }),
  );
}

const invalid = (err: unknown) => err instanceof RestError && (err.status === 401 || err.status === 403);

async function enter(): Promise<void> {
  clearTimeout(retry);
  close();
  if (!token) {
    signIn();
    return;
  }
  show({
    element: h("div", { class: "splash", role: "status" }, logo(), h("span", { class: "spinner" })),
    close: () => {},
  });
  const using = token;
  try {
    const me = await whose();
    const opened = await localStore();
    if (using === token) {
      await start(me, opened);
    }
  } catch (err) {
    if (using !== token) {
      return;
    }
    if (invalid(err)) {
      forgetToken();
      signIn("This token is not valid, or it has expired.");
      return;
    }
    show({
      element: h(
        "div",
        { class: "splash", role: "alert" },
        logo(),
        h("p", {}, "The server cannot be reached."),
        h("button", { class: "button", type: "button", onclick: () => void enter() }, "Try again"),
      ),
      close: () => clearTimeout(retry),
    });
    retry = setTimeout(() => void enter(), 4000);
  }
}

const asking = new Rest({ token: () => token, patience: 0 });

/** Asks whose the token is; while nobody answers, it is whose it was. */
async function whose(): Promise<Me> {
  try {
    const me = await asking.me();
    keepMe(me);
    return me;
  } catch (err) {
    const kept = keptMe();
    if (!kept || !lost(err)) {
      throw err;
    }
    return kept;
  }
}

async function start(me: Me, opened: LocalStore): Promise<void> {
  const person = `${me.tenant}/${me.user_id}`; // the same name may be somebody else's in another tenant
  const seen = new Seen(opened, person);
  const outboxes = new Outboxes(opened, person);
  const conflicts = await Conflicts.open(opened, person);
  const histories = new Histories(opened, person);
  const stillMe = async () => {
    const now = await asking.me().catch((err: unknown) => {
      if (invalid(err)) {
        signOut("Your token has expired. Edits that wait are kept in this browser.");
      }
      throw err;
    });
    if (now.role !== me.role || now.user_id !== me.user_id || now.tenant !== me.tenant) {
      void enter();
    }
  };
  const connection = new Connection(stillMe, () => {
    if (app && !isImage()) {
      route(); // the list is as the server has it
    }
    void app?.sessions.drain();
    queue.nudge();
  });
  const rest = new RememberingRest({ token: () => token, patience: 0 }, seen, (there) => connection.heard(there));
  const queue = new UploadQueue(rest, opened, person);
  const uploads = new Uploads(queue);
  const sessions = new Sessions({ me, rest, outboxes, conflicts, seen });
  const signOut = (why?: string) => {
    if (!why) {
      seen.clear();
    }
    forgetToken();
    token = "";
    signIn(why);
  };
  outboxes.adopt(me.user_id);
  void histories.prune();
  void seen.prune();
  app = { me, rest, sessions, thumbnails: new Thumbnails(rest), list: new ImageList(rest), histories, conflicts, labels: new Labels(rest), uploads: queue, signOut };
  document.body.append(connection.note, uploads.element);
  leave = () => {
    sessions.close();
    queue.close();
    connection.close();
    uploads.element.remove();
  };
  route();
  void sessions.drain();
  void queue.resume();
}

function isImage(): RegExpExecArray | null {
  return /^#\/images\/([0-9a-f]{32})$/.exec(location.hash);
}

/** Shows what the address names: `#/images/ID`, or the gallery. */
function route(): void {
  if (!app) {
    return;
  }
  const match = isImage();
  show(match ? openEditor(app, match[1]!) : openGallery(app));
}

followTheme();
void keepPage();
addEventListener("online", () => app || !token || void enter());
addEventListener("hashchange", () => {
  if (location.hash.includes("token=")) {
    token = takeToken();
    void enter();
  } else {
    route();
  }
});
void enter();
