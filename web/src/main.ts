import "./style.css";
import type { App, View } from "./app";
import { Rest, RestError } from "./client";
import { Conflicts } from "./conflicts";
import { h, logo, toast } from "./dom";
import { openEditor } from "./editor/editor";
import { openGallery } from "./gallery";
import { Histories } from "./histories";
import { ImageList } from "./image-list";
import { Labels } from "./labels";
import { LocalStore } from "./local-store";
import { Outboxes } from "./outbox-storage";
import { Thumbnails } from "./pictures";
import { Sessions } from "./sessions";
import { openSignIn } from "./signin";
import { followTheme } from "./theme";
import { forgetToken, keepToken, takeToken } from "./token";

const root = document.querySelector<HTMLElement>("#app")!;
let token = takeToken();
let app: App | null = null;
let view: View | null = null;
let store: Promise<LocalStore> | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Opens what the browser keeps, once for the page. */
function localStore(): Promise<LocalStore> {
  let told = false;
  const lost = () => {
    if (!told) {
      told = true;
      toast("This browser has no room to keep edits. Do not close the page before they are saved.", "error");
    }
  };
  store ??= LocalStore.open(lost).then((opened) => (opened.keeps || lost(), opened));
  return store;
}

function show(next: View): void {
  view?.close();
  view = next;
  root.replaceChildren(next.element);
}

function signIn(problem = ""): void {
  app?.sessions.close();
  app = null;
  show(
    openSignIn(problem, (given) => {
      token = given;
      keepToken(given);
      void enter();
    }),
  );
}

async function enter(): Promise<void> {
  clearTimeout(retry);
  app?.sessions.close();
  if (!token) {
    signIn();
    return;
  }
  show({
    element: h("div", { class: "splash", role: "status" }, logo(), h("span", { class: "spinner" })),
    close: () => {},
  });
  const rest = new Rest({ token: () => token, patience: 0 });
  try {
    const me = await rest.me();
    const kept = await localStore();
    const person = `${me.tenant}/${me.user_id}`; // the same name may be somebody else's in another tenant
    const outboxes = new Outboxes(kept, person);
    const conflicts = await Conflicts.open(kept, person);
    const histories = new Histories(kept, person);
    outboxes.adopt(me.user_id);
    void histories.prune();
    app = {
      me,
      rest,
      sessions: new Sessions(me, rest, () => token, outboxes, conflicts),
      thumbnails: new Thumbnails(rest),
      list: new ImageList(rest),
      histories,
      conflicts,
      labels: new Labels(rest),
      signOut: (why) => {
        forgetToken();
        token = "";
        signIn(why);
      },
    };
    route();
    void app.sessions.drain();
  } catch (err) {
    if (err instanceof RestError && (err.status === 401 || err.status === 403)) {
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

/** Shows what the address names: `#/images/ID`, or the gallery. */
function route(): void {
  if (!app) {
    return;
  }
  const match = /^#\/images\/([0-9a-f]{32})$/.exec(location.hash);
  show(match ? openEditor(app, match[1]!) : openGallery(app));
}

followTheme();
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
