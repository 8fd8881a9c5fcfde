// Single keys for the widget that this stands in: told to the kernel while the focus is inside that widget,
// and never out of a text that is being written.

const WRITTEN = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select";

function render({ model, el }) {
  let root = null;
  let asked = 0;

  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (!model.get("wanted").includes(event.key) || event.target.closest(WRITTEN)) return;
    event.preventDefault();
    event.stopPropagation();
    model.send({ key: event.key });
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
    root.addEventListener("keydown", pressed);
    root.addEventListener("pointerdown", clicked);
    if (model.get("grab")) root.focus({ preventScroll: true });
  };
  attach();
  return () => {
    cancelAnimationFrame(asked);
    root?.removeEventListener("keydown", pressed);
    root?.removeEventListener("pointerdown", clicked);
  };
}

export default { render };
