// @ts-check
// A button for files, beside a field. The box around the field (qingbo-files) takes files too that are dropped on it, or
// pasted while the focus is in it; pasted text, and a dropped link, stay what they are. Files that are dragged from
// JupyterLab's own file browser are named to the kernel, not sent.
//
// What is on its way belongs to the model, not to a view: a view is drawn anew when the field gets another line.

import { Sender } from "./sending.js";

/** @typedef {import("./sending.js").Transfer} Transfer */

/**
 * @typedef {object} State
 * @property {string} accept as of a file input
 * @property {number} limit megabytes of a file
 * @property {boolean} several whether the field takes more than one file
 * @property {number} room the number of files for which there is room; -1 for any number
 * @property {string} label of the field
 * @property {boolean} disabled
 * @property {string} lost a file that did not arrive, because its page was closed
 * @property {Record<string, string>} texts
 */
/** @typedef {{ line: HTMLElement, bar: HTMLProgressElement, said: HTMLElement }} Line */
/** @typedef {Event & { mimeData: { getData(type: string): any, hasData(type: string): boolean }, dropAction: string, proposedAction: string }} LuminoDrag */

const BOX = ".qingbo-files";
const OVER = "qingbo-files-over";
const BROWSED = "application/x-jupyter-icontents";
const GONE = ".jupyter-widgets-disconnected";
const TEXT_FIELDS = "input[type=text], textarea";
const MB = 1_000_000;
/** Milliseconds for which a message about a file is shown. */
const SHOWN = 20_000;
/** The shares of a file at which its progress is announced. */
const STEPS = 4;

/**
 * Return whether a file is of one of the types, or has one of the suffixes, of an `accept` attribute.
 * @param {Pick<File, "name" | "type">} file
 * @param {string} accept such as `image/*,.heic`
 */
export function isAccepted({ name, type }, accept) {
  return accept
    .split(",")
    .some((part) =>
      part.startsWith(".") ? name.toLowerCase().endsWith(part) : type.startsWith(part.slice(0, -1)),
    );
}

/**
 * Return the name of a pasted file: browsers call a picture without a file "image.png", or nothing.
 * @param {Pick<File, "name" | "type">} file
 */
export function pastedName({ name, type }) {
  const suffix = type.split("/")[1]?.replace(/\W.*/, "") || "png";
  return !name || /^image\.\w+$/.test(name) ? `pasted.${suffix === "jpeg" ? "jpg" : suffix}` : name;
}

/**
 * Return the size of a file, or how much of it has arrived, as megabytes: whole ones, unless the file is small.
 * @param {number} size of the whole file
 * @param {number} [taken] the bytes that have arrived
 */
export function megabytes(size, taken) {
  const digits = size < 10 * MB ? 1 : 0;
  const unit = MB / 10 ** digits;
  const count = taken === undefined ? Math.ceil(size / unit) : Math.floor(taken / unit);
  return (count / 10 ** digits).toFixed(digits);
}

/**
 * @param {string} text with `{names}`
 * @param {Record<string, string | number>} values
 */
const filledIn = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} attributes
 * @param {Element} parent
 */
function append(name, attributes, parent) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return parent.appendChild(element);
}

/** @param {DataTransfer | null} data @returns whether files of this computer are dragged or pasted, and no link */
const holdsFiles = (data) => Boolean(data?.types.includes("Files") && !data.types.includes("text/uri-list"));

function control() {
  /** @type {Sender} */
  let sender;
  /** What each view does when there is something new. @type {Set<() => void>} */
  const views = new Set();
  /** The elements of the views. @type {Set<Element>} */
  const places = new Set();
  let message = { text: "", isAlarm: false };
  /** The last announced share of each file. @type {Map<string, number>} */
  const announced = new Map();
  let isConnected = () => true;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;

  /** @type {import("@anywidget/types").Initialize<State>} */
  function initialize({ model }) {
    /** @param {string} name @param {Record<string, string | number>} values */
    const text = (name, values = {}) => filledIn(model.get("texts")[name] ?? "", values);
    sender = new Sender((content, buffers) => model.send(content, undefined, buffers), {
      changed: refresh,
      ended({ id, name }, outcome, reason) {
        announced.delete(id);
        say(reason || text(outcome, { name }), outcome !== "arrived" && outcome !== "cancelled");
      },
    });
    /** @param {any} content */
    const receive = (content) => {
      if (content.kind === "said") say(content.text, true);
      else sender.receive(content);
    };
    /** @param {BeforeUnloadEvent} event */
    const warn = (event) => sender.transfers.length && event.preventDefault();
    const leave = () => sender.leave();
    model.on("msg:custom", receive);
    isConnected = () => hasKernel(model.widget_manager, places);
    window.addEventListener("beforeunload", warn);
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("beforeunload", warn);
      window.removeEventListener("pagehide", leave);
      clearInterval(clock);
      clearTimeout(fading);
      sender.transfers = [];
    };
  }

  /** @param {string} text @param {boolean} isAlarm */
  function say(text, isAlarm) {
    message = { text, isAlarm };
    clearTimeout(fading);
    fading = setTimeout(() => say("", false), SHOWN);
    refresh();
  }

  function refresh() {
    for (const show of views) show();
    const isBusy = sender.transfers.length > 0;
    if (isBusy && clock === undefined) clock = setInterval(() => sender.tick(isConnected()), 1000);
    if (!isBusy) {
      clearInterval(clock);
      clock = undefined;
    }
  }

  /**
   * Send files, as far as the field takes them.
   * @param {import("@anywidget/types").AnyModel<State>} model
   * @param {{ file: File, name: string }[]} files
   */
  function take(model, files) {
    if (model.get("disabled")) return;
    const [texts, limit, room] = [model.get("texts"), model.get("limit"), model.get("room")];
    const free = room < 0 ? files.length : room - sender.transfers.length;
    const most = model.get("several") ? free : 1;
    const problems = [];
    let count = 0;
    for (const { file, name } of files) {
      const why = whyNot(file, name, model.get("accept"), limit);
      const size = megabytes(file.size);
      if (why || count >= most) problems.push(filledIn(texts[why || "full"], { name, size, limit }));
      else {
        count += 1;
        sender.add(file, name);
      }
    }
    say(problems.join(" "), true);
  }

  /** @type {import("@anywidget/types").Render<State>} */
  function render({ model, el }) {
    /** @param {string} name @param {Record<string, string | number>} values */
    const text = (name, values = {}) => filledIn(model.get("texts")[name] ?? "", values);
    el.classList.add("qingbo-file");
    const button = append(
      "button",
      { type: "button", class: "jupyter-button widget-button qingbo-small" },
      el,
    );
    const input = append("input", { type: "file", hidden: "", tabindex: "-1", "aria-hidden": "true" }, el);
    const below = append("div", { class: "qingbo-file-below" }, el);
    const lines = append("div", { class: "qingbo-file-lines" }, below);
    const note = append("div", { class: "qingbo-file-note qingbo-alarm", role: "status" }, below);
    const spoken = append("div", { class: "qingbo-file-spoken", role: "status" }, below);

    /** The line of each file on its way, by its id. @type {Map<string, Line>} */
    const shown = new Map();
    /** @param {Transfer} transfer */
    function addLine({ id, name }) {
      const line = append("div", { class: "qingbo-file-line" }, lines);
      const bar = append("progress", { max: "1", "aria-label": name }, line);
      const said = append("span", {}, line);
      const end = append(
        "button",
        { type: "button", class: "jupyter-button widget-button qingbo-small" },
        line,
      );
      end.textContent = text("cancel");
      end.setAttribute("aria-label", text("cancel_file", { name }));
      end.addEventListener("click", () => {
        sender.cancel(id);
        button.focus();
      });
      const parts = { line, bar, said };
      shown.set(id, parts);
      return parts;
    }
    /** @param {Transfer} transfer */
    function lineText(transfer) {
      const { name, file, taken, isActive } = transfer;
      if (!isActive) return text("queued", { name });
      if (sender.isWaiting(transfer)) return text("waiting", { name });
      const values = { name, done: megabytes(file.size, taken), total: megabytes(file.size) };
      return text("sending", values);
    }
    function show() {
      const several = model.get("several");
      button.textContent = text(several ? "choose_several" : "choose");
      button.setAttribute("aria-label", `${button.textContent} ${model.get("label")}`.trim());
      button.title = text("help");
      button.disabled = model.get("disabled");
      input.multiple = several;
      input.accept = model.get("accept");
      const there = new Set(sender.transfers.map(({ id }) => id));
      for (const [id, { line }] of shown) {
        if (there.has(id)) continue;
        if (line.contains(document.activeElement)) button.focus();
        line.remove();
        shown.delete(id);
      }
      for (const transfer of sender.transfers) {
        const { bar, said } = shown.get(transfer.id) ?? addLine(transfer);
        said.textContent = lineText(transfer);
        bar.value = transfer.taken / transfer.file.size;
        announce(transfer, said.textContent);
      }
      const lost =
        model.get("lost") && !sender.transfers.length ? text("lost", { name: model.get("lost") }) : "";
      const { isAlarm, text: own } = message;
      const visible = isAlarm && own ? own : lost;
      if (note.textContent !== visible) note.textContent = visible;
      if (!isAlarm && own) spoken.textContent = own;
    }
    /** Announce a quarter of a file, not each piece, and that the kernel is busy. @param {Transfer} transfer @param {string} said */
    function announce(transfer, said) {
      const share = sender.isWaiting(transfer)
        ? -1
        : Math.floor((STEPS * transfer.taken) / transfer.file.size);
      if (share === announced.get(transfer.id)) return;
      announced.set(transfer.id, share);
      spoken.textContent = said;
    }

    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      take(model, named(input.files));
      input.value = ""; // the same file may be chosen again
    });
    model.on("change", show);
    views.add(show);
    places.add(el);
    show();
    const stop = whenInside(el, BOX, (box) => listen(box, model));
    return () => {
      stop();
      model.off("change", show);
      views.delete(show);
      places.delete(el);
    };
  }

  /**
   * Take what is dropped on a box, or pasted in it.
   * @param {HTMLElement} box
   * @param {import("@anywidget/types").AnyModel<State>} model
   * @returns a function that ends it
   */
  function listen(box, model) {
    const ending = new AbortController();
    /**
     * @param {string} name
     * @param {(event: any) => void} act
     */
    const on = (name, act) => box.addEventListener(name, act, { capture: true, signal: ending.signal });
    /** @param {Event} event */
    const own = (event) => {
      event.preventDefault();
      event.stopPropagation(); // JupyterLab takes what is dropped, too
    };
    /** @param {boolean} isOver */
    const mark = (isOver) => box.classList.toggle(OVER, isOver && !model.get("disabled"));

    for (const name of ["dragenter", "dragover"])
      on(name, (/** @type {DragEvent} */ event) => {
        if (!holdsFiles(event.dataTransfer)) return;
        own(event);
        if (event.dataTransfer) event.dataTransfer.dropEffect = model.get("disabled") ? "none" : "copy";
        mark(true);
      });
    for (const name of ["dragleave", "lm-dragleave"])
      on(name, (/** @type {DragEvent} */ event) => {
        if (!box.contains(/** @type {Node | null} */ (event.relatedTarget))) mark(false);
      });
    on("drop", (/** @type {DragEvent} */ event) => {
      mark(false);
      if (!holdsFiles(event.dataTransfer)) return;
      own(event);
      take(model, named(event.dataTransfer?.files));
    });
    on("paste", (/** @type {ClipboardEvent} */ event) => {
      const data = event.clipboardData;
      const isText =
        data?.types.includes("text/plain") && /** @type {Element} */ (event.target).matches(TEXT_FIELDS);
      if (!data?.files.length || isText) return;
      own(event);
      take(
        model,
        named(data.files).map(({ file }) => ({ file, name: pastedName(file) })),
      );
    });
    // Lumino's own events, of which the browser's know nothing.
    for (const name of ["lm-dragenter", "lm-dragover", "lm-drop"])
      on(name, (/** @type {LuminoDrag} */ event) => {
        if (!event.mimeData.hasData(BROWSED) || model.get("disabled")) return;
        own(event);
        event.dropAction = event.proposedAction;
        mark(name !== "lm-drop");
        if (name !== "lm-drop") return;
        for (const path of event.mimeData.getData(BROWSED)) model.send({ kind: "served", path });
      });
    return () => {
      ending.abort();
      mark(false);
    };
  }

  return { initialize, render };
}

/**
 * Return the name of the text that says why a file is not taken; empty if it is.
 * @param {File} file
 * @param {string} name
 * @param {string} accept
 * @param {number} limit megabytes
 */
export function whyNot({ size, type }, name, accept, limit) {
  if (!isAccepted({ name, type }, accept)) return "other";
  if (!size) return "empty";
  return size > limit * MB ? "too_large" : "";
}

/**
 * Return false if the kernel has certainly ended: JupyterLab has none after a shutdown, and marks the views after a restart.
 * @param {any} manager
 * @param {Set<Element>} places the views
 */
function hasKernel(manager, places) {
  if (manager && "kernel" in manager && (!manager.kernel || manager.kernel.isDisposed)) return false;
  return places.size === 0 || [...places].some((place) => !place.closest(GONE));
}

/** @param {FileList | null | undefined} files */
const named = (files) => [...(files ?? [])].map((file) => ({ file, name: file.name }));

/**
 * Do something with the box around an element, as soon as it is in the page.
 * @param {Element} element
 * @param {string} selector
 * @param {(box: HTMLElement) => () => void} act returns what ends it
 * @returns a function that ends it
 */
function whenInside(element, selector, act) {
  let frame = 0;
  /** @type {() => void} */
  let end = () => {};
  const attach = () => {
    /** @type {HTMLElement | null} */
    const box = element.closest(selector);
    if (box) end = act(box);
    else frame = requestAnimationFrame(attach);
  };
  attach();
  return () => {
    cancelAnimationFrame(frame);
    end();
  };
}

export default control;
