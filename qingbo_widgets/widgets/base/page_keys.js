// @ts-check
// Keys that are pressed in the controls of this package, and which of them are the notebook's. One listener for the
// whole page; no view is needed.
//
// A key stays in the control: in JupyterLab's command mode, "d d" deletes the cell and an arrow leaves it. Commands to
// JupyterLab still work:
// - Shift+Enter, Ctrl+Enter and Alt+Enter run the cell, except in a text field, where Ctrl+Enter may be "Generate";
// - Ctrl+S saves, also in a text field, and other chords with a letter, such as Ctrl+B, act outside text fields. But
//   those that edit cells (copy, select all, undo, merge) stay, with those of the arrows and Backspace;
// - F1 to F12;
// - Escape leaves the control for its cell, unless the control has a use for it.

/** Lumino looks for commands from the focused element upwards, and stops at this attribute. */
const SUPPRESS = "data-lm-suppress-shortcuts";
const OURS = '[class*="qingbo"]';
const TEXT_FIELDS = "textarea, input:not([type=range], [type=checkbox], [type=radio], [type=button])";
const CELL = ".jp-Cell, .cell"; // of JupyterLab and Notebook 7, of nbclassic
/** Letters of chords that edit: without Shift, and with it. */
const EDITING = ["acvxyz", "mz"];

/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "isComposing">} Key */

/**
 * Decide for whom a key is.
 * @param {Key & Pick<KeyboardEvent, "getModifierState">} event
 * @param {boolean} isInText whether a text field has the focus
 * @returns {"control" | "notebook" | "save" | "leave"}
 */
export function purposeOf(event, isInText) {
  const { key } = event;
  // AltGr types a character.
  const isChord = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
  if (event.isComposing) return "control";
  if (key === "Enter") return !isInText && (isChord || event.shiftKey) ? "notebook" : "control";
  if (!isChord) return key === "Escape" ? "leave" : /^F\d+$/.test(key) ? "notebook" : "control";
  if (key.toLowerCase() === "s" && !event.altKey) return "save";
  const isEditing = EDITING[event.shiftKey ? 1 : 0]?.includes(key.toLowerCase());
  return isInText || isEditing || key.length > 1 ? "control" : "notebook";
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = event.target instanceof Element ? event.target : null;
  if (!target?.closest(OURS)) return;
  const isInText = target.matches(TEXT_FIELDS);
  const purpose = purposeOf(event, isInText);
  if (purpose === "control" || purpose === "leave") {
    target.setAttribute(SUPPRESS, "true");
    if ("Jupyter" in window) target.addEventListener("keydown", hold, { once: true }); // nbclassic has no Lumino
  } else {
    for (let part = target.closest(OURS); part; part = part.parentElement?.closest(OURS) ?? null)
      part.removeAttribute(SUPPRESS);
    target.removeAttribute(SUPPRESS);
  }
  if (purpose === "save" && isInText) resend(event, target);
  if (purpose === "leave") setTimeout(() => leave(event, target), 0); // once the control has had it
}

/** @param {Event} event */
const hold = (event) => event.stopPropagation();

/**
 * Send a key to the cell, because the text fields of ipywidgets let none out.
 * @param {KeyboardEvent} event
 * @param {Element} target
 */
function resend(event, target) {
  const cell = target.closest(CELL);
  if (!cell) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  cell.dispatchEvent(new KeyboardEvent("keydown", event));
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} target
 */
function leave(event, target) {
  if (event.defaultPrevented || document.activeElement !== target || document.fullscreenElement) return;
  /** @type {HTMLElement | null} */
  const cell = target.closest(CELL);
  cell?.focus({ preventScroll: true });
}

function initialize() {
  const { dataset } = document.documentElement;
  if (dataset.qingboKeys) return;
  dataset.qingboKeys = "true"; // outputs with a handler of their own look for it
  window.addEventListener("keydown", pressed, true);
}

export default { initialize };
