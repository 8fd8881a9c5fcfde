// @ts-check
// Where the focus goes when its element is removed, hidden or disabled. The browser would give it to the page, where
// the next Tab begins at the top, and the next letter is a command to the notebook. It goes, in this order,
// - to the same control, if it was only drawn again,
// - to the next control in the nearest box that has one, else to the one before,
// - to the widget itself, and on to the first control that appears there.
// Of several next ones, the main one (qingbo-main) has it: the prompt, once a key is put in.
// It never goes to a button that may cost money (qingbo-pays): the user may be about to press Enter.
//
// Where it goes after a click: to the control to which the kernel gives the class qingbo-focus-TIME, with the time of
// the click in milliseconds by the clock of this page, unless the user has moved the focus since. The kernel may answer
// much later.

const OURS = '[class*="qingbo"]';
const REGION = ".qingbo";
const CELL = ".jp-Cell, .cell"; // of JupyterLab and Notebook 7, of nbclassic
const CONTROLS = "a[href], button, input, select, textarea, summary, video[controls], [tabindex='0']";
const MAIN = ".qingbo-main";
const PAYS = ".qingbo-pays, .mod-primary";
/** Milliseconds in which a control that is drawn again counts as the same. */
const SOON = 1500;
/** Milliseconds in which a new control may lack its classes and its label. */
const SETTLED = 100;
/** The attributes that can hide or disable a control. */
const CHANGES = ["disabled", "style", "class", "hidden"];
/** Before the time of a click in the class of the control that the kernel gives the focus. */
const WISH = "qingbo-focus-";
const FOCUSABLE = "input, select, textarea, button, [tabindex]";

/**
 * @typedef {object} Control
 * @property {string} name what tells it from others: its kind and its label
 * @property {boolean} follows whether it comes after the lost one
 * @property {boolean} pays whether it may cost money
 * @property {boolean} [isMain] whether the user most likely wants it: the prompt of a studio
 */

/**
 * Choose the control that takes the focus from a lost one.
 * @template {Control} T
 * @param {T[]} controls those that can have the focus, in the order of the page
 * @param {string} name the name of the lost one
 * @returns {T | null}
 */
export function successor(controls, name) {
  const free = controls.filter((control) => !control.pays);
  const next = free.filter((control) => control.follows);
  const same = [...next, ...free].find((control) => control.name === name);
  return same ?? next.find((control) => control.isMain) ?? next[0] ?? free.at(-1) ?? null;
}

/**
 * @typedef {object} Step
 * @property {Element} box
 * @property {number} at the position of the step below among its children
 */

/**
 * @typedef {object} Place
 * @property {HTMLElement} element
 * @property {string} name
 * @property {Step[]} steps from the element outwards
 */

/** @type {Place | null} What has the focus. */
let place = null;
/** @type {{ place: Place, now: HTMLElement, isRegion: boolean, at: number } | null} What has it instead. */
let lost = null;
/** @type {MutationObserver} */
let observer;
/** When the focus was moved last, other than by this script. */
let movedAt = 0;
/** Whether this script is moving the focus. */
let isOurs = false;
/** The time of the last wish of the kernel that was looked at. */
let wishedAt = 0;

/**
 * Return the time of the last click after which a control with these classes should have the focus; 0 if there is none.
 * @param {Iterable<string>} classes
 */
export function wishIn(classes) {
  const wishes = [...classes].filter((name) => name.startsWith(WISH));
  return Math.max(0, ...wishes.map((name) => Number(name.slice(WISH.length))));
}

/** @param {HTMLElement} element */
function moveTo(element) {
  isOurs = true;
  element.focus({ preventScroll: true });
  isOurs = false;
}

/** Give the focus to the control that the kernel has chosen after a click, unless the user has moved it since. */
function grant() {
  for (const chosen of document.querySelectorAll(`[class*="${WISH}"]`)) {
    const at = wishIn(chosen.classList);
    if (at <= wishedAt) continue;
    const control = /** @type {HTMLElement | null} */ (
      chosen.matches(FOCUSABLE) ? chosen : chosen.querySelector(FOCUSABLE)
    );
    if (!control || !canHaveFocus(control)) continue; // it may be drawn later
    wishedAt = at;
    if (movedAt > at) continue;
    moveTo(control);
    control.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** @param {Element} element */
function nameOf(element) {
  const labels = /** @type {HTMLInputElement} */ (element).labels;
  const text = labels?.length
    ? labels[0].textContent
    : (element.getAttribute("aria-label") ?? element.textContent);
  return `${element.tagName} ${element.className} ${text?.trim()}`;
}

/**
 * @param {HTMLElement} element
 * @returns {Place}
 */
function placeOf(element) {
  const steps = [];
  for (let child = /** @type {Element} */ (element); child.parentElement; child = child.parentElement) {
    const box = child.parentElement;
    steps.push({ box, at: [...box.children].indexOf(child) });
    if (box.matches(CELL)) break;
  }
  return { element, name: nameOf(element), steps };
}

/** @param {Element} element */
const canHaveFocus = (element) =>
  element.isConnected &&
  !element.matches(":disabled") &&
  element.checkVisibility({ visibilityProperty: true });

/** @type {WeakMap<Node, number>} When elements were added to the page. */
const added = new WeakMap();

/** @param {Element} element */
function isFresh(element) {
  const latest = performance.now() - SETTLED;
  for (
    let part = /** @type {Element | null} */ (element);
    part && !part.matches(CELL);
    part = part.parentElement
  ) {
    if ((added.get(part) ?? 0) > latest) return true;
  }
  return false;
}

const isNowhere = () => !document.activeElement || document.activeElement === document.body;

/**
 * Return the controls of a box.
 * @param {Step} step
 * @param {Element} element the lost one
 */
function controlsIn({ box, at }, element) {
  const next = box.contains(element) ? element : box.children[at];
  return [.../** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll(CONTROLS))]
    .filter(
      (control) => control !== element && canHaveFocus(control) && control.closest(OURS) && !isFresh(control),
    )
    .map((control) => ({
      control,
      name: nameOf(control),
      pays: control.matches(PAYS),
      isMain: control.closest(MAIN) !== null,
      follows:
        next !== undefined &&
        (control === next ||
          (next.compareDocumentPosition(control) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0),
    }));
}

/**
 * Return what takes the focus instead of a lost element.
 * @param {Place} from
 * @returns {{ now: HTMLElement, isRegion: boolean } | null}
 */
function replacement({ element, name, steps }) {
  for (const step of steps) {
    if (!canHaveFocus(step.box)) continue;
    const found = successor(controlsIn(step, element), name);
    if (found) return { now: found.control, isRegion: false };
    if (step.box.matches(`${REGION}, ${CELL}`)) {
      return { now: /** @type {HTMLElement} */ (step.box), isRegion: true };
    }
  }
  return null;
}

/** @param {HTMLElement} region */
function focusRegion(region) {
  if (!region.hasAttribute("tabindex")) {
    region.tabIndex = -1;
    region.addEventListener("blur", () => region.removeAttribute("tabindex"), { once: true });
  }
  moveTo(region);
}

/**
 * @param {Place} from
 * @param {{ now: HTMLElement, isRegion: boolean }} found
 * @param {number} at
 */
function give(from, found, at) {
  lost = { place: from, ...found, at };
  if (found.isRegion) focusRegion(found.now);
  else {
    moveTo(found.now);
    found.now.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** @param {Place} from */
function recover(from) {
  const found = replacement(from);
  if (!found) return;
  give(from, found, performance.now());
  setTimeout(improve, SETTLED);
}

/** Give the focus to what has been drawn meanwhile, unless the user has moved it. */
function improve() {
  if (!lost) return;
  const { place: from, now, isRegion, at } = lost;
  if (document.activeElement !== now || performance.now() - at > SOON) {
    lost = null;
    return;
  }
  setTimeout(improve, SETTLED);
  if (canHaveFocus(from.element) && from.element.closest(OURS)) {
    lost = null;
    moveTo(from.element);
    return;
  }
  const found = replacement(from);
  if (!found || found.isRegion || found.now === now) return;
  const isBetter = nameOf(found.now) === from.name || found.now.matches(`${MAIN} *`);
  if (isRegion || isBetter) give(from, found, at);
}

/** @param {MutationRecord[]} records */
function changed(records) {
  for (const { addedNodes } of records) for (const node of addedNodes) added.set(node, performance.now());
  grant();
  if (place && (isNowhere() || document.activeElement === place.element)) {
    const { element } = place;
    if (!canHaveFocus(element)) {
      const from = place;
      place = null;
      recover(from);
      return;
    }
    const isMoved = records.some(({ removedNodes }) =>
      [...removedNodes].some((node) => node.contains(element)),
    );
    if (isMoved && isNowhere()) moveTo(element);
    place = placeOf(element);
  }
}

/** @param {FocusEvent} event */
function focused(event) {
  if (!isOurs) movedAt = Date.now();
  const element = /** @type {HTMLElement} */ (event.target);
  place = element.closest(OURS) ? placeOf(element) : null;
  watch();
}

/** Watch the page while the focus is in a control of ours. */
function watch() {
  if (!place) observer.disconnect();
  else
    observer.observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: CHANGES,
    });
}

/**
 * Give the focus to a button that was clicked: Safari does not, and the observer follows the focus.
 * @param {MouseEvent} event
 */
function clicked(event) {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (button?.closest(OURS) && isNowhere()) moveTo(button);
}

/** The user may have left it for nothing, with a click beside all controls. */
function left() {
  setTimeout(() => {
    if (place && isNowhere() && canHaveFocus(place.element)) place = null;
    watch();
  }, 0);
}

function initialize() {
  const { dataset } = document.documentElement;
  if (dataset.qingboFocus) return;
  dataset.qingboFocus = "true";
  document.addEventListener("focusin", focused);
  document.addEventListener("focusout", left);
  document.addEventListener("click", clicked, true);
  observer = new MutationObserver(changed);
  if (document.activeElement) focused(/** @type {any} */ ({ target: document.activeElement }));
  movedAt = 0; // that was before this script
}

export default { initialize };
