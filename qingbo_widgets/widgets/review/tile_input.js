// @ts-check
// Mouse and keys on the tiles of a gallery. One tile is a stop of the Tab key; arrows move from tile to tile. A
// checkbox, x, Space, Shift and Ctrl select; the kernel keeps the selection. A tile under the mouse, or with the
// focus, plays its video: the kernel puts a muted player into an output, which is laid over the picture.

/**
 * @typedef {object} State
 * @property {string[]} picked the keys of the selected tasks, on this page or another
 * @property {boolean} plays whether videos may play in tiles
 */

const TILE = ".qingbo-tile";
const PREVIEW = ".qingbo-preview";
/** What closes itself with Escape. */
const OPENED = ".qingbo-opened";
/** What Escape closes before the selection is cleared, if it has the focus. */
const PARTS = ["compared", "tagging"];
/** The bar, and what belongs to it. */
const SELECTION = ".qingbo-selection";
/** Milliseconds: a mouse that passes by starts nothing, and neither does an arrow key that is held down. */
const REST = 150;
const FOCUS_REST = 700;

/**
 * Return the tile that a key leads to, and `null` for a key that does not move.
 * @param {string} key
 * @param {number} place the tile with the focus
 * @param {number} count
 * @param {number} columns
 */
export function moved(key, place, count, columns) {
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    ArrowUp: place - columns,
    ArrowDown: place + columns,
    Home: 0,
    End: count - 1,
  };
  const target = targets[key];
  if (target === undefined) return null;
  return target < 0 || target >= count ? place : target;
}

/**
 * Return the keys from one place to another, in the order of the page.
 * @param {string[]} keys
 * @param {number} from
 * @param {number} to
 */
export function between(keys, from, to) {
  return keys.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/**
 * Return what an extended selection adds and drops, when its end moves.
 * @param {string[]} keys
 * @param {number} anchor
 * @param {number} before the end so far
 * @param {number} after
 */
export function stretched(keys, anchor, before, after) {
  const on = between(keys, anchor, after);
  return { on, off: between(keys, anchor, before).filter((key) => !on.includes(key)) };
}

/**
 * Decide what a key does on a tile.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "isComposing">} event
 * @returns {"all" | "toggle" | "move" | "extend" | "escape" | "delete" | null}
 */
export function purposeOf(event) {
  const { key } = event;
  if (event.isComposing || event.altKey) return null;
  if (event.ctrlKey || event.metaKey) return key.toLowerCase() === "a" && !event.shiftKey ? "all" : null;
  if (key === " " || key.toLowerCase() === "x") return "toggle";
  if (key === "Escape") return "escape";
  if (key === "Delete") return "delete";
  if (moved(key, 0, 1, 1) === null) return null;
  return event.shiftKey ? "extend" : "move";
}

/**
 * Whether the page may play a video that the user has not started.
 * @param {(query: string) => { matches: boolean }} matchMedia
 */
export function mayPlay(matchMedia) {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  /** @type {HTMLElement | null} */
  let root = null;
  let frame = 0;
  /** The key of the task whose tile is a stop of Tab, and of the one that gets the focus as soon as it is there. */
  let current = "";
  let awaited = "";
  /** The CSS class of a panel that gets the focus as soon as it is there. */
  let awaitedPanel = "";
  /** Where a range begins and ends. */
  let anchor = "";
  let end = "";
  /** Whether the kernel gives the focus to a tile: its video has just been watched, so it does not play again. */
  let isGiven = false;
  /** The key of the task that plays, and the timer that starts it. */
  let playing = "";
  let timer = 0;
  let picked = new Set(model.get("picked"));

  /** @returns {HTMLElement[]} */
  const tiles = () => [...(root?.querySelectorAll(TILE) ?? [])].filter((tile) => keyOf(tile)).map(asHtml);
  /** @param {Element} node */
  const asHtml = (node) => /** @type {HTMLElement} */ (node);
  /** @param {Element | null | undefined} tile */
  const keyOf = (tile) => asHtml(tile?.querySelector("[data-key]") ?? el).dataset.key ?? "";
  /** @param {EventTarget | null} target */
  const tileAt = (target) => (target instanceof Element ? target.closest(TILE) : null);
  /** @param {Element | null | undefined} tile @returns {HTMLElement | null | undefined} */
  const buttonOf = (tile) => tile?.querySelector("button");

  // ------------------------------------------------------------------ what the page shows

  const arrange = () => {
    frame = 0;
    const all = tiles();
    const keys = all.map(keyOf);
    if (!keys.includes(current)) current = keys[0] ?? "";
    for (const tile of all) {
      const key = keyOf(tile);
      tile.classList.toggle("qingbo-picked", picked.has(key));
      const box = /** @type {HTMLInputElement | null} */ (tile.querySelector(".qingbo-check"));
      if (box) box.checked = picked.has(key);
      const button = buttonOf(tile);
      if (button) button.tabIndex = key === current ? 0 : -1;
    }
    root?.classList.toggle("qingbo-picking", picked.size > 0);
    if (awaited && keys.includes(awaited)) {
      isGiven = true;
      focusTile(awaited);
      isGiven = false;
    }
    if (awaitedPanel) focusPanel();
    if (isOpen()) stop();
    cover();
  };
  /** Whether a task is open: its video is the one that plays. */
  const isOpen = () => Boolean(root?.querySelector(".qingbo-open"));
  const arrangeSoon = () => {
    frame ||= requestAnimationFrame(arrange);
  };
  /** @param {string} key */
  const focusTile = (key) => {
    awaited = "";
    current = key;
    const button = buttonOf(tiles().find((tile) => keyOf(tile) === key));
    button?.focus();
    button?.scrollIntoView({ block: "nearest" });
  };
  const focusPanel = () => {
    const panel = root?.querySelector(`.${CSS.escape(awaitedPanel)}`);
    if (!panel) return;
    awaitedPanel = "";
    asHtml(panel).tabIndex = 0; // its own script may not run yet
    asHtml(panel).focus();
  };

  // ------------------------------------------------------------------ the selection

  /** @param {string[]} on @param {string[]} [off] */
  const pick = (on, off = []) => {
    for (const key of off) picked.delete(key);
    for (const key of on) picked.add(key); // the kernel may be busy
    model.send({ on, off });
    arrangeSoon();
  };
  /** @param {string} key */
  const toggle = (key) => {
    anchor = end = key;
    if (picked.has(key)) pick([], [key]);
    else pick([key]);
  };
  /** @param {string} key */
  const extend = (key) => {
    const keys = tiles().map(keyOf);
    if (!keys.includes(anchor)) anchor = end = current;
    const { on, off } = stretched(keys, keys.indexOf(anchor), keys.indexOf(end), keys.indexOf(key));
    end = key;
    pick(on, off);
  };

  /**
   * Return the message that Escape sends from an element; `null` where the key has another use, or none.
   * @param {Element} target
   */
  const escapeFrom = (target) => {
    if (target.closest(OPENED) || document.fullscreenElement) return null;
    const part = PARTS.find((name) => target.closest(`.qingbo-${name}`));
    if (part) return { close: part };
    return picked.size || (tileAt(target) && isOpen()) ? { escape: true } : null;
  };
  /** @param {KeyboardEvent} event */
  const escaped = (event) => {
    const target = /** @type {Element} */ (event.target);
    const message = escapeFrom(target);
    if (!message) return;
    event.preventDefault();
    event.stopPropagation();
    model.send(message);
    if (message.escape && target.closest(SELECTION)) focusTile(current); // the bar goes away
  };

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const purpose = purposeOf(event);
    if (purpose === "escape") escaped(event);
    const tile = tileAt(event.target);
    if (!tile || !purpose || purpose === "escape") return;
    const all = tiles();
    const keys = all.map(keyOf);
    const place = keys.indexOf(keyOf(tile));
    event.preventDefault();
    event.stopPropagation();
    if (purpose === "toggle") toggle(keys[place] ?? "");
    else if (purpose === "all") pick(keys);
    else if (purpose === "delete") model.send({ delete: keys[place] });
    else {
      const first = all[0]?.offsetTop;
      const columns = all.filter((one) => one.offsetTop === first).length || 1;
      const key = keys[moved(event.key, place, keys.length, columns) ?? place] ?? "";
      if (purpose === "extend") extend(key);
      else anchor = end = key;
      focusTile(key);
      arrangeSoon();
    }
  };
  // The browser presses a focused button when the space bar is released.
  /** @param {KeyboardEvent} event */
  const released = (event) => {
    if (event.key === " " && tileAt(event.target)) event.preventDefault();
  };
  /** @param {MouseEvent} event */
  const clicked = (event) => {
    const tile = tileAt(event.target);
    if (!tile) return;
    const isBox = /** @type {Element} */ (event.target).matches(".qingbo-check");
    if (!isBox && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      stop(); // it opens
      return;
    }
    if (!isBox) event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey && anchor) extend(keyOf(tile));
    else toggle(keyOf(tile));
    current = keyOf(tile);
    buttonOf(tile)?.focus(); // so that the next key begins here
  };

  // ------------------------------------------------------------------ the preview

  /** Lay the player over the picture of its tile, once it shows the first frame. */
  const cover = () => {
    const preview = root && asHtml(root.querySelector(PREVIEW) ?? el);
    const video = preview?.querySelector("video");
    const picture = tiles()
      .find((tile) => keyOf(tile) === playing)
      ?.querySelector(".qingbo-poster");
    if (!root || !preview || preview === el) return;
    const isWanted = Boolean(playing && picture && video?.dataset.key === playing);
    preview.classList.toggle("qingbo-playing", isWanted && (video?.readyState ?? 0) >= 2);
    if (!isWanted || !video || !picture) return;
    const [from, to] = [root.getBoundingClientRect(), picture.getBoundingClientRect()];
    const style = { left: to.left - from.left, top: to.top - from.top, width: to.width, height: to.height };
    for (const [name, value] of Object.entries(style)) preview.style.setProperty(name, `${value}px`);
    video.muted = true; // of a video that is written into a page, only its attribute is
    video.onloadeddata = arrangeSoon;
    if (video.paused) video.play().catch(() => {});
  };
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    if (!playing) return;
    playing = "";
    for (const video of root?.querySelectorAll(`${PREVIEW} video`) ?? []) {
      /** @type {HTMLVideoElement} */ (video).pause();
      video.removeAttribute("src");
      /** @type {HTMLVideoElement} */ (video).load(); // free the decoder now
    }
    root?.querySelector(PREVIEW)?.classList.remove("qingbo-playing");
    model.send({ preview: "" });
  };
  /** @param {Element | null} tile @param {number} rest */
  const playSoon = (tile, rest) => {
    const key = keyOf(tile);
    if (key && key === playing) return;
    stop();
    if (!key || isOpen() || !model.get("plays") || !mayPlay((query) => matchMedia(query))) return;
    timer = Number(
      setTimeout(() => {
        playing = key;
        model.send({ preview: key });
      }, rest),
    );
  };
  let over = "";
  /** @param {PointerEvent} event */
  const hovered = (event) => {
    if (event.pointerType !== "mouse") return;
    const tile = tileAt(event.target);
    if (keyOf(tile) === over) return;
    over = keyOf(tile);
    playSoon(tile, REST);
  };
  const left = () => {
    over = "";
    stop();
  };
  /** @param {FocusEvent} event */
  const focused = (event) => {
    awaitedPanel = ""; // the user has moved on
    const tile = tileAt(event.target);
    if (!tile) {
      awaited = ""; // the user is elsewhere
      if (!over) stop();
      return;
    }
    current = keyOf(tile);
    arrangeSoon();
    if (!isGiven && /** @type {Element} */ (event.target).matches(":focus-visible"))
      playSoon(tile, FOCUS_REST);
  };
  /** @param {FocusEvent} event */
  const blurred = (event) => {
    if (!root?.contains(/** @type {Node | null} */ (event.relatedTarget)) && !over) stop();
  };

  // ------------------------------------------------------------------ attaching

  const onPicked = () => {
    picked = new Set(model.get("picked"));
    arrangeSoon();
  };
  /** @param {any} message */
  const onMessage = (message) => {
    const { focus = "", panel = "" } = message ?? {};
    if (!focus && !panel) return;
    const { activeElement } = document;
    if (activeElement && activeElement !== document.body && !root?.contains(activeElement)) return;
    awaited = focus;
    awaitedPanel = panel;
    arrangeSoon();
  };
  /** @type {[string, (event: any) => void, boolean][]} */
  const listeners = [
    ["keydown", pressed, true],
    ["keyup", released, true],
    ["click", clicked, true],
    ["pointerover", hovered, false],
    ["pointerleave", left, false],
    ["focusin", focused, false],
    ["focusout", blurred, false],
  ];
  const changes = new MutationObserver(arrangeSoon);
  let attaching = 0;
  const attach = () => {
    root = el.closest(".qingbo-gallery");
    if (!root || !el.isConnected) {
      attaching = requestAnimationFrame(attach); // not in the page yet
      return;
    }
    el.classList.add("qingbo-script-runs");
    for (const [name, listener, captures] of listeners) root.addEventListener(name, listener, captures);
    changes.observe(root, { childList: true, subtree: true });
    model.on("change:picked", onPicked);
    model.on("msg:custom", onMessage);
    arrange();
  };
  attach();
  return () => {
    cancelAnimationFrame(attaching);
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    changes.disconnect();
    model.off("change:picked", onPicked);
    model.off("msg:custom", onMessage);
    for (const [name, listener, captures] of listeners) root?.removeEventListener(name, listener, captures);
  };
}

export default { render };
