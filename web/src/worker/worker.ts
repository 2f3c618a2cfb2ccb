/// <reference lib="webworker" />
// Keeps the page's own files, so that it opens while no server can be reached.
// It knows nothing of anybody's data: what is below /api is left to the browser,
// and no address that it keeps has a query.
declare const self: ServiceWorkerGlobalScope;
/** The page's files and what they are a build of; build/worker.ts writes both. */
declare const __FILES__: string[];
declare const __BUILD__: string;

const PREFIX = "easel-page-";
const CACHE = PREFIX + __BUILD__;
/** For how long the network is waited for before the kept page is shown. */
const PATIENCE = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) {
    return;
  }
  if (event.request.mode === "navigate" && url.pathname === "/") {
    event.respondWith(page(event.request));
  } else if (url.pathname !== "/" && __FILES__.includes(url.pathname)) {
    event.respondWith(kept(url.pathname).then((found) => found ?? fetch(event.request)));
  }
});

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(__FILES__);
}

/** Lets go of the files of other builds. */
async function forget(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function kept(path: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(path);
}

/** The newest page, or the kept one where the server cannot be reached or takes too long. */
async function page(request: Request): Promise<Response> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE));
  const fresh = fetch(request).catch(() => undefined);
  const first = await Promise.race([fresh, late]);
  if (first && first.status < 500) {
    return first;
  }
  return (await kept("/")) ?? (await fresh) ?? Response.error();
}

export {};
