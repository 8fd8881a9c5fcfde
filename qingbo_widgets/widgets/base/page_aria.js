// @ts-check
// What ipywidgets does not give to assistive technology. The kernel marks elements with CSS classes, the only attribute
// of a widget that it can set, and this script turns them into ARIA attributes. One observer does for the whole page.
//
// - qingbo-opens-NAME, on a button: it shows and hides the element with the class qingbo-panel-NAME of the same widget.
//   A button that is no toggle button says by the class qingbo-expanded that it is shown.
// - qingbo-about-NAME, on a message: it is about the element with the class qingbo-field-NAME.
// - qingbo-row, on a box, such as a shot: a qingbo-note in it is about all its fields, and its buttons are described by
//   its first label, because each row has buttons of the same names.
// - qingbo-card: a group named by the prompt.
// - qingbo-busy, on a button: it ignores clicks for a moment, but keeps the focus.
// - Other toggle buttons: pressed, or not; those of a choice form a group.

const ROOT = ".qingbo";
const FIELDS = "input, select, textarea";

let ids = 0;

/**
 * Return the id of an element; give it one if it has none.
 * @param {Element} element
 */
function idOf(element) {
  if (!element.id) {
    ids += 1;
    element.id = `qingbo-${ids}`;
  }
  return element.id;
}

/**
 * Return what follows a prefix in the classes of an element.
 * @param {Iterable<string>} classes
 * @param {string} prefix
 */
export function nameIn(classes, prefix) {
  for (const name of classes) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return "";
}

/**
 * Return the attributes of a field from the messages about it.
 * @param {{ id: string, isEmpty: boolean, isError: boolean }[]} messages
 * @returns {Record<string, string | null>} `null` removes an attribute
 */
export function described(messages) {
  const shown = messages.filter((message) => !message.isEmpty);
  return {
    "aria-describedby": shown.map((message) => message.id).join(" ") || null,
    "aria-invalid": shown.some((message) => message.isError) ? "true" : null,
  };
}

/**
 * @param {Element} element
 * @param {Record<string, string | null>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

/** @param {Element} note */
const messageIn = (note) => ({
  id: idOf(note),
  isEmpty: note.textContent?.trim() === "",
  isError: note.querySelector(".qingbo-alarm") !== null,
});

/** @param {Element} button */
const isPressed = (button) => button.classList.contains("mod-active");

/**
 * Return the first element with a class in the same widget.
 * @param {Element} element
 * @param {string} name
 */
const beside = (element, name) =>
  element.parentElement?.closest(ROOT)?.querySelector(`.${CSS.escape(name)}`) ?? null;

/** @param {Element} root */
function describeFields(root) {
  /** @type {Map<Element, Element[]>} */
  const notes = new Map();
  for (const note of root.querySelectorAll(".qingbo-note")) {
    const name = nameIn(note.classList, "qingbo-about-");
    const place = name ? beside(note, `qingbo-field-${name}`) : note.closest(".qingbo-row");
    for (const field of place?.querySelectorAll(FIELDS) ?? []) {
      notes.set(field, [...(notes.get(field) ?? []), note]);
    }
  }
  for (const [field, own] of notes) set(field, described(own.map(messageIn)));
}

/** @param {Element} root */
function describeButtons(root) {
  for (const button of root.querySelectorAll("button.widget-toggle-button, button[class*='qingbo-opens-']")) {
    const name = nameIn(button.classList, "qingbo-opens-");
    if (!name) {
      set(button, { "aria-pressed": String(isPressed(button)) });
      continue;
    }
    const panel = beside(button, `qingbo-panel-${name}`);
    const isOpen = isPressed(button) || button.classList.contains("qingbo-expanded");
    set(button, { "aria-expanded": String(isOpen), "aria-controls": panel && idOf(panel) });
    if (panel) set(panel, { role: "group", "aria-labelledby": idOf(button) });
  }
  for (const choice of root.querySelectorAll(".widget-toggle-buttons")) {
    const label = choice.querySelector(".widget-label");
    set(choice, { role: "group", "aria-labelledby": label && idOf(label) });
    for (const button of choice.querySelectorAll("button"))
      set(button, { "aria-pressed": String(isPressed(button)) });
  }
  for (const button of root.querySelectorAll("button.qingbo-busy, button[aria-disabled]")) {
    set(button, { "aria-disabled": button.classList.contains("qingbo-busy") ? "true" : null });
  }
}

/** @param {Element} root */
function describeRows(root) {
  for (const row of root.querySelectorAll(".qingbo-row")) {
    const label = row.querySelector(".widget-label");
    for (const button of row.querySelectorAll("button"))
      set(button, { "aria-describedby": label && idOf(label) });
  }
}

/** @param {Element} root */
function nameCards(root) {
  for (const card of [root, ...root.querySelectorAll(".qingbo-card")]) {
    const prompt = card.matches(".qingbo-card") ? card.querySelector(".qingbo-prompt")?.textContent : null;
    if (prompt) set(card, { role: "group", "aria-label": prompt.slice(0, 120) });
  }
}

/** @type {Set<Element>} */
const changed = new Set();
/** @type {WeakSet<Element>} */
const watched = new WeakSet();
/** @type {MutationObserver} */
let observer;

/**
 * Bring the widget that contains this element up to date before the next picture.
 * @param {Element} element
 */
function mark(element) {
  let root = element.closest(ROOT);
  for (let outer = root; outer; outer = outer.parentElement?.closest(ROOT) ?? null) root = outer;
  if (!root) return;
  if (!watched.has(root)) {
    watched.add(root);
    observer.observe(root, { subtree: true, attributes: true, attributeFilter: ["class"] });
  }
  if (!changed.size) requestAnimationFrame(update);
  changed.add(root);
}

function update() {
  const roots = [...changed];
  changed.clear();
  for (const root of roots) {
    if (!root.isConnected) continue;
    describeFields(root);
    describeButtons(root);
    describeRows(root);
    nameCards(root);
  }
}

/** @param {MutationRecord[]} records */
function observed(records) {
  for (const { target, addedNodes } of records) {
    const element = /** @type {Element} */ (target);
    if (element.closest(ROOT)) mark(element);
    else {
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches(ROOT)) mark(node);
        else for (const root of node.querySelectorAll(ROOT)) mark(root);
      }
    }
  }
}

function initialize() {
  const { dataset } = document.documentElement;
  if (dataset.qingboAria) return;
  dataset.qingboAria = "true";
  observer = new MutationObserver(observed);
  observer.observe(document.body, { subtree: true, childList: true });
  for (const root of document.querySelectorAll(ROOT)) mark(root);
}

export default { initialize };
