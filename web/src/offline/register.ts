/**
 * Has the page's own files kept by its service worker. A newer build is looked for
 * whenever the page is looked at again, so that a page which stays open for weeks
 * does not come back, one day without a server, as it was weeks ago.
 */
export async function keepPage(): Promise<void> {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) {
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register("/sw.js");
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") {
        registration.update().catch(() => {}); // no server is there
      }
    });
  } catch {
    // Some private windows have none: the page then needs the server to open.
  }
}
