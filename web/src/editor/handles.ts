/**
 * Names the handles of the shape that is being changed: Annotorious draws them as
 * buttons, which a screen reader would read out without a word. They come and go
 * with the selection, and are few.
 */
export function nameHandles(surface: HTMLElement, signal: AbortSignal): void {
  const name = () => {
    for (const handle of surface.querySelectorAll('svg [role="button"]:not([aria-label])')) {
      handle.setAttribute("aria-label", "Drag to change the shape");
    }
  };
  const observer = new MutationObserver(name);
  observer.observe(surface, { childList: true, subtree: true });
  signal.addEventListener("abort", () => observer.disconnect());
}
