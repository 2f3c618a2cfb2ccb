// While nodes are upgraded one after the other, one may hand out a page and another,
// asked for what that page is made of, not have it: its files are named by their
// build. The page is then fetched again, until it and its files are of one build.
addEventListener(
  "error",
  ({ target }) => {
    const file = target instanceof Element && (target.src || target.href);
    if (!file || !file.includes("/assets/")) {
      return;
    }
    const app = document.getElementById("app");
    if (app && !app.hasChildNodes()) {
      app.textContent = "Easel is being updated. One moment…";
    }
    setTimeout(() => location.reload(), 1500);
  },
  true, // errors of files do not bubble
);
