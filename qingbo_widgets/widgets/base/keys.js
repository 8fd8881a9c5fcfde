// @ts-check
// Single keys for the widget that contains this one. They are sent to the kernel while the focus is inside that
// widget, except while the user writes in a field; there, only Escape acts, and leaves the field.

/**
 * @typedef {object} State
 * @property {string[]} wanted the keys to send to the kernel
 * @property {Record<string, string>} here by key, the class of what the page plays, or puts the focus into
 * @property {boolean} grab whether to take the focus when the widget is shown
 */

const FIELDS = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select";
const PRESSABLE = "button, a, summary, video";

/**
 * Decide what a key does.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "isComposing">} event
 * @param {Pick<State, "wanted" | "here">} keys
 * @param {{ isInField: boolean, isOnPressable: boolean }} focus what has the focus
 * @returns {"leave" | "answer" | "send" | null} leave the field, act in the page, send it to the kernel; `null`
 *     for a key that is not ours
 */
export function actionOf(event, { wanted, here }, { isInField, isOnPressable }) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  if (isInField) return event.key === "Escape" ? "leave" : null;
  if (event.key === " " && isOnPressable) return null; // a space presses the button
  if (here[event.key]) return "answer";
  return wanted.includes(event.key) ? "send" : null;
}

/**
 * Pause videos of which one plays; play all otherwise.
 * @param {Pick<HTMLVideoElement, "paused" | "play" | "pause">[]} videos
 */
export function toggle(videos) {
  const arePaused = videos.every((video) => video.paused);
  for (const video of videos) {
    if (arePaused) video.play().catch(() => {});
    else video.pause();
  }
}

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  /** @type {HTMLElement | null} */
  let root = null;
  let frame = 0;

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const target = /** @type {Element} */ (event.target);
    const here = model.get("here");
    const action = actionOf(
      event,
      { wanted: model.get("wanted"), here },
      { isInField: target.closest(FIELDS) !== null, isOnPressable: target.closest(PRESSABLE) !== null },
    );
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (action === "leave")
      focusRoot(); // the text stays as it is
    else if (action === "answer") answer(root?.querySelector(`.${here[event.key]}`));
    else model.send({ key: event.key });
  };
  /** @param {Element | null | undefined} place */
  const answer = (place) => {
    const videos = [...(place?.querySelectorAll("video") ?? [])];
    toggle(videos);
    /** @type {HTMLElement | null | undefined} */
    const field = videos.length ? null : place?.querySelector("input, textarea");
    field?.focus();
  };
  const focusRoot = () => root?.focus({ preventScroll: true });
  // A click beside the controls takes the focus, so that the next key is not the notebook's.
  /** @param {PointerEvent} event */
  const clicked = (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!target.closest(`${FIELDS}, ${PRESSABLE}`)) setTimeout(focusRoot, 0);
  };
  const attach = () => {
    root = el.closest(".qingbo-keys");
    if (!root || !el.isConnected) {
      frame = requestAnimationFrame(attach); // not in the page yet
      return;
    }
    root.tabIndex = 0;
    // JupyterLab would take a digit for a heading, and two zeros for a restart of the kernel.
    root.dataset.lmSuppressShortcuts = "true";
    // Before the fields themselves, which let no key out.
    root.addEventListener("keydown", pressed, true);
    root.addEventListener("pointerdown", clicked);
    if (model.get("grab")) focusRoot();
  };
  attach();
  return () => {
    cancelAnimationFrame(frame);
    root?.removeEventListener("keydown", pressed, true);
    root?.removeEventListener("pointerdown", clicked);
  };
}

export default { render };
