// @ts-check
// Notifies the user of the end of tasks: a notification of the browser, and a mark in the title of the tab until the
// tab is seen again. The model gets the ends whether or not a cell with the button is on the page, which a long
// notebook takes away while it is out of sight.
//
// The choice is the browser's, not the notebook's: it holds for all notebooks of the server, and is still there in
// the next cell and tomorrow. All kernels of a page share one title, so its state is the window's.

/**
 * @typedef {{finished: number, failed: number, notice?: {id: string, title: string, body: string}}} End
 * @typedef {{label: string, help: string, blocked: string, one: string, many: string, failed: string}} Texts
 * @typedef {{finished: number, failed: number, prefix: string, name: string, watcher: MutationObserver | null}} Mark
 * @typedef {{isOn: boolean | null, mark: Mark, shown: string[]}} Shared
 */

const CHOICE = "qingbo-notify"; // in localStorage, and the name of the event that it has changed
const MOST_SHOWN = 100;

/** @returns {Shared} what all kernels of the page share */
function shared() {
  const page = /** @type {Window & {qingboNotify?: Shared}} */ (window);
  page.qingboNotify ??= {
    isOn: null,
    mark: { finished: 0, failed: 0, prefix: "", name: "", watcher: null },
    shown: [],
  };
  return page.qingboNotify;
}

/** Return whether the user wants to be notified. */
export function isOn() {
  try {
    return localStorage.getItem(CHOICE) === "on";
  } catch {
    return shared().isOn === true; // the browser stores nothing for this page
  }
}

/** @param {boolean} value */
function choose(value) {
  shared().isOn = value;
  try {
    if (value) localStorage.setItem(CHOICE, "on");
    else localStorage.removeItem(CHOICE);
  } catch {
    // Then it holds until the page is loaded again.
  }
  window.dispatchEvent(new Event(CHOICE));
}

/** Return whether the browser shows notifications of this page. */
export const canShow = () => "Notification" in window && Notification.permission === "granted";

/** Turn notifications on or off, after a click: the first one asks the browser for its permission. */
export async function toggle() {
  choose(!isOn());
  if (!isOn() || !("Notification" in window) || Notification.permission !== "default") return;
  try {
    await Notification.requestPermission();
  } catch {
    // Impossible in this browser, as the text beside the button says.
  }
  window.dispatchEvent(new Event(CHOICE));
}

const isSeen = () => document.visibilityState === "visible" && document.hasFocus();

/**
 * Return what stands before the title of the tab.
 * @param {{finished: number, failed: number}} mark
 * @param {Texts} texts
 */
export function prefixOf({ finished, failed }, texts) {
  const parts = [];
  if (finished) parts.push((finished === 1 ? texts.one : texts.many).replace("{count}", String(finished)));
  if (failed) parts.push(texts.failed.replace("{count}", String(failed)));
  return parts.length ? `${parts.join(", ")} · ` : "";
}

/** Write the mark before the title, also after JupyterLab has written a new title. */
function writeTitle() {
  const { mark } = shared();
  if (!mark.prefix || document.title.startsWith(mark.prefix)) return;
  mark.name = document.title;
  document.title = mark.prefix + mark.name;
}

/**
 * Count an end in the title of a tab that is not seen.
 * @param {End} end
 * @param {Texts} texts
 */
function markTitle({ finished, failed }, texts) {
  const { mark } = shared();
  const name = mark.prefix ? mark.name : document.title;
  mark.finished += finished;
  mark.failed += failed;
  mark.prefix = prefixOf(mark, texts);
  if (!mark.prefix) return;
  mark.name = name;
  document.title = mark.prefix + name;
  if (mark.watcher) return;
  mark.watcher = new MutationObserver(writeTitle);
  mark.watcher.observe(document.head, { childList: true, subtree: true, characterData: true });
  for (const event of ["focus", "visibilitychange"]) window.addEventListener(event, unmarkTitle, true);
}

/** Take the mark away, because the tab is seen. */
function unmarkTitle() {
  const { mark } = shared();
  if (!mark.watcher || !isSeen()) return;
  mark.watcher.disconnect();
  for (const event of ["focus", "visibilitychange"]) window.removeEventListener(event, unmarkTitle, true);
  if (document.title.startsWith(mark.prefix)) document.title = document.title.slice(mark.prefix.length);
  Object.assign(mark, { finished: 0, failed: 0, prefix: "", name: "", watcher: null });
}

/**
 * Handle the end of a task or a sweep.
 * @param {End} end
 * @param {Texts} texts
 */
export function ended(end, texts) {
  if (!isOn()) return;
  if (!isSeen()) markTitle(end, texts);
  const { notice } = end;
  const { shown } = shared();
  if (!notice || !canShow() || shown.includes(notice.id)) return;
  shown.push(notice.id);
  shown.splice(0, shown.length - MOST_SHOWN);
  try {
    // Of two tabs with this notebook, the second replaces the notification of the first, silently.
    const shownNow = new Notification(notice.title, { body: notice.body, tag: notice.id, silent: true });
    shownNow.onclick = () => {
      window.focus();
      shownNow.close();
    };
  } catch {
    // Android's Chrome has the class, and only service workers may use it.
  }
}

/** @type {import("@anywidget/types").Initialize} */
function initialize({ model }) {
  /** @param {End} end */
  const onMessage = (end) => ended(end, model.get("texts"));
  model.on("msg:custom", onMessage);
  return () => model.off("msg:custom", onMessage);
}

/** @type {import("@anywidget/types").Render} */
function render({ model, el }) {
  const button = document.createElement("button");
  const icon = document.createElement("i");
  const label = document.createElement("span");
  const note = document.createElement("span");
  button.type = "button";
  button.className = "jupyter-widgets jupyter-button widget-button qingbo-bell";
  icon.setAttribute("aria-hidden", "true");
  note.className = "qingbo-dim qingbo-bell-note";
  note.setAttribute("role", "status");
  button.append(icon, " ", label);
  el.append(button, note);
  const draw = () => {
    const texts = /** @type {Texts} */ (model.get("texts"));
    const on = isOn();
    label.textContent = texts.label;
    button.title = texts.help;
    button.setAttribute("aria-pressed", String(on));
    button.classList.toggle("mod-active", on);
    icon.className = on ? "fa fa-bell" : "fa fa-bell-o";
    note.textContent = on && !canShow() ? texts.blocked : "";
  };
  button.addEventListener("click", () => void toggle());
  window.addEventListener(CHOICE, draw);
  window.addEventListener("storage", draw); // chosen in another tab
  model.on("change:texts", draw);
  draw();
  return () => {
    window.removeEventListener(CHOICE, draw);
    window.removeEventListener("storage", draw);
    model.off("change:texts", draw);
  };
}

export default { initialize, render };
