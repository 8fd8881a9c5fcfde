// Single keys for the widget that this stands in: told to the kernel while the focus is inside that widget,
// and never out of a text that is being written, but for Escape, which leaves it.

const WRITTEN = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select";
const PRESSED = "button, a, summary, video";

function render({ model, el }) {
  let root = null;
  let asked = 0;

  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const here = model.get("here")[event.key];
    const isWritten = event.target.closest(WRITTEN);
    if (isWritten ? event.key !== "Escape" : !here && !model.get("wanted").includes(event.key)) return;
    if (event.key === " " && event.target.closest(PRESSED)) return; // it is theirs
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (isWritten) root.focus({ preventScroll: true }); // and what was written is kept
    else if (here) answer(root.querySelector(`.${here}`));
    else model.send({ key: event.key });
  };
  const answer = (place) => {
    const videos = [...(place?.querySelectorAll("video") ?? [])];
    const isStill = videos.every((video) => video.paused);
    for (const video of videos) isStill ? video.play().catch(() => {}) : video.pause();
    if (!videos.length) place?.querySelector("input, textarea")?.focus();
  };
  // A click beside the controls brings the focus here, so that the next key is ours and not the notebook's.
  const clicked = (event) => {
    if (event.target.closest(`${WRITTEN}, button, a, video, summary`)) return;
    setTimeout(() => root?.focus({ preventScroll: true }), 0);
  };
  const attach = () => {
    root = el.closest(".qingbo-keys");
    if (!root || !el.isConnected) {
      asked = requestAnimationFrame(attach); // not in the page yet
      return;
    }
    root.tabIndex = 0;
    // JupyterLab would take a digit for a heading, and two zeros for a restart of the kernel.
    root.dataset.lmSuppressShortcuts = "true";
    // Before the fields themselves, which let no key out.
    root.addEventListener("keydown", pressed, true);
    root.addEventListener("pointerdown", clicked);
    if (model.get("grab")) root.focus({ preventScroll: true });
  };
  attach();
  return () => {
    cancelAnimationFrame(asked);
    root?.removeEventListener("keydown", pressed, true);
    root?.removeEventListener("pointerdown", clicked);
  };
}

export default { render };
