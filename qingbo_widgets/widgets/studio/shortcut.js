// @ts-check
// Ctrl+Enter or Cmd+Enter in a text field of the studio that contains this widget.
// The text is sent with the key: what was typed last may still be on its way to the kernel.

/**
 * Return whether a key is the shortcut.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "isComposing">} event
 */
export const isShortcut = (event) =>
  event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;

/**
 * Return the text field of which the studio submits the text.
 * @param {EventTarget | null} target what has the focus
 * @param {Node} el part of the studio
 * @returns {HTMLTextAreaElement | null} `null` for other fields, and for those of another studio
 */
export function fieldOf(target, el) {
  const field = /** @type {Element} */ (target);
  if (field.tagName !== "TEXTAREA" || !field.closest(".qingbo-studio")?.contains(el)) return null;
  // What is pasted there is not for generating, and may contain an API key.
  return field.closest(".qingbo-paste") ? null : /** @type {HTMLTextAreaElement} */ (field);
}

/** @type {import("@anywidget/types").Render} */
function render({ model, el }) {
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const field = isShortcut(event) ? fieldOf(event.target, el) : null;
    if (!field) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    model.send({ label: field.labels[0]?.textContent ?? "", text: field.value });
  };
  document.addEventListener("keydown", pressed, true);
  el.dataset.listens = "keydown"; // a key before this is lost, so tests wait for it
  return () => document.removeEventListener("keydown", pressed, true);
}

export default { render };
