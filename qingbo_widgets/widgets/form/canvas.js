// @ts-check
// An image with painted masks and paths over it, and the tools for both, by mouse, pen, finger and keys.
//
// With brush and eraser, dragging paints the mask that is chosen. With the path tool, a click adds a point to its path;
// points are dragged, or moved with the arrow keys (Shift: by 10), and removed with Delete. Points are pixels of the
// image, x to the right and y upward from its lower left corner, as Kling counts them.

import { COLOURS, colourOf, draw, drawCross, drawPaths, drawRing, numberOf } from "./drawing.js";
import { exchange } from "./exchange.js";
import { colourTable, History, Layers } from "./layers.js";
import { edit, filled, inside, moved, placeAt, pointAt, resized, withPoint } from "./points.js";
import { add, addToolbar } from "./toolbar.js";

/** @typedef {import("./points.js").Point} Point */
/** @typedef {import("./points.js").Size} Size */
/** @typedef {import("./toolbar.js").Tool} Tool */

/** @typedef {{ runs: Uint8Array, path: Point[] }} Edited the state of one mask */
/**
 * @typedef {object} State
 * @property {string} source what to load: a URL, or the data itself
 * @property {Point[][]} paths of the dynamic masks
 * @property {number} active the mask that is edited: 0 is the static one
 * @property {number[]} offered the masks that can be edited
 * @property {boolean} paints whether masks can be painted
 * @property {number} limit the most points that a path may have
 * @property {Record<string, string>} texts
 */

/** @type {Record<string, Tool>} */
const TOOL_KEYS = { b: "brush", e: "eraser", p: "path" };
let views = 0;

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  const id = `qingbo-canvas-${++views}`;
  /** @param {string} name @param {Record<string, string | number>} values */
  const text = (name, values = {}) => filled(model.get("texts")[name] ?? "", values);

  const root = add("div", { class: "qingbo-canvas-tools" }, el);
  const toolbar = addToolbar(root, id, text, {
    mask: choose,
    tool: take,
    size: resize,
    undo,
    redo,
    clear,
    invert,
  });
  const box = add("div", { class: "qingbo-canvas" }, root);
  const image = add("img", { class: "qingbo-canvas-image" }, box);
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  const overlay = add("canvas", { class: "qingbo-canvas-masks", "aria-hidden": "true" }, box);
  const svg = /** @type {SVGSVGElement} */ (
    draw(
      "svg",
      {
        class: "qingbo-canvas-paths",
        preserveAspectRatio: "none",
        role: "application",
        tabindex: 0,
        "aria-describedby": `${id}-help`,
      },
      box,
    )
  );
  const drawn = draw("g", {}, svg);
  const cursorMark = draw("g", { class: "qingbo-canvas-cursor" }, svg);
  const status = add("div", { class: "qingbo-canvas-status", role: "status" }, root);
  const help = add("div", { class: "qingbo-canvas-help", id: `${id}-help` }, root);
  el.classList.add("qingbo-script-runs");

  /** The masks; `null` until the image is there. @type {Layers | null} */
  let layers = null;
  /** The number of the point that follows the pointer. @type {number | null} */
  let dragged = null;
  /** The stroke that is under way, and the pointer that paints it; -1 for a key.
   * @type {{ pointer: number, mask: number, last: [number, number], erases: boolean } | null} */
  let stroke = null;
  /** @type {Point[][]} */
  let paths = [];
  /** The tool that was chosen, which some masks do not have. @type {Tool} */
  let chosen = "brush";
  let diameter = 0;
  /** Where the brush is, in pixels from the upper left corner. @type {[number, number]} */
  let cursor = [0, 0];
  let isHovering = false;
  /** @type {Map<number, History<Edited>>} */
  const histories = new Map();

  const active = () => model.get("active");
  const path = () => (active() > 0 ? (paths[active() - 1] ?? []) : []);
  const natural = () => ({ width: image.naturalWidth, height: image.naturalHeight });
  /** Of the masks, because an image that is being loaded again has no size. @returns {Size} */
  const size = () => layers ?? natural();
  const most = () => Math.max(Math.round(Math.min(size().width, size().height) / 2), 2);
  /** @param {PointerEvent} event */
  const point = (event) => pointAt(event, svg.getBoundingClientRect(), size());
  /** @param {PointerEvent} event */
  const place = (event) => placeAt(event, svg.getBoundingClientRect(), size());
  /** @param {number} mask */
  const nameOf = (mask) => (mask ? text("dynamic", { number: mask }) : text("static"));
  const canPaint = () => model.get("paints") && model.get("offered").includes(active());
  /** @returns {Tool} */
  const tool = () => {
    if (chosen === "path") return active() > 0 ? "path" : "brush";
    return canPaint() || !active() ? chosen : "path";
  };
  const historyOf = (mask = active()) => {
    const history = histories.get(mask) ?? new History();
    histories.set(mask, history);
    return history;
  };
  /** @returns {Edited} */
  const edited = () => ({ runs: layers?.runs(active()) ?? new Uint8Array(), path: path() });
  /** @param {string} message */
  const say = (message) => {
    status.textContent = message;
  };

  // ------------------------------------------------------------------ to the kernel

  /** @param {Point[]} changed */
  function setPath(changed) {
    const at = active() - 1;
    if (at < 0) return;
    paths =
      at < paths.length ? paths.map((path, number) => (number === at ? changed : path)) : [...paths, changed];
  }
  function sendPaths() {
    flush(); // a new mask and its path are one mask
    model.set("paths", paths);
    model.save_changes();
  }
  const { soon, flush, receive } = exchange((content, buffers) => model.send(content, undefined, buffers), {
    layers: () => layers,
    painting: () => stroke?.mask ?? null,
    changed(mask) {
      histories.delete(mask);
      paint();
      show();
    },
  });

  // ------------------------------------------------------------------ what is edited

  /** @param {number} mask */
  function choose(mask) {
    flush();
    model.set("active", mask);
    model.save_changes();
    follow();
  }
  /** @param {Tool} wanted */
  function take(wanted) {
    chosen = wanted;
    show();
    say(text(tool()));
  }
  /** @param {number} pixels */
  function resize(pixels) {
    diameter = Math.min(Math.max(pixels, 1), most());
    showTools();
    showCursor();
  }
  /**
   * Change the mask that is edited, so that it can be undone.
   * @param {(layers: Layers) => void} act
   * @param {string} message
   */
  function change(act, message) {
    if (!layers || !canPaint()) return;
    historyOf().record(edited());
    act(layers);
    soon(active());
    paint();
    show();
    report(message);
  }
  /** @param {string} message what happened */
  function report(message) {
    const share = layers?.share(active()) ?? 0;
    const percent = share && share < 0.01 ? "< 1" : Math.round(share * 100);
    const area = share
      ? text("share", { mask: nameOf(active()), percent })
      : text("empty", { mask: nameOf(active()) });
    const isNext = active() > 0 && share > 0 && path().length < 2;
    say([message, area, isNext ? text("next") : ""].filter(Boolean).join(" "));
  }
  function clear() {
    change((layers) => layers.clear(active()), text("cleared"));
  }
  function invert() {
    change((layers) => layers.invert(active()), text("inverted"));
  }
  function undo() {
    restore(historyOf().undo(edited()), text("undone"));
  }
  function redo() {
    restore(historyOf().redo(edited()), text("redone"));
  }
  /**
   * @param {Edited | undefined} state
   * @param {string} message
   */
  function restore(state, message) {
    if (!state || !layers || stroke) return;
    const before = edited();
    if (`${state.runs}` !== `${before.runs}`) {
      layers.setRuns(active(), state.runs);
      soon(active());
    }
    if (JSON.stringify(state.path) !== JSON.stringify(before.path)) {
      setPath(state.path);
      sendPaths();
    }
    paint();
    show();
    report(message);
  }

  // ------------------------------------------------------------------ painting

  /**
   * @param {number} pointer
   * @param {[number, number]} from
   * @param {boolean} erases
   */
  function begin(pointer, from, erases) {
    historyOf().record(edited());
    stroke = { pointer, mask: active(), last: from, erases };
    extend(from);
  }
  /** @param {[number, number]} to */
  function extend(to) {
    if (!stroke || !layers) return;
    const area = layers.stroke(stroke.mask, stroke.last, to, diameter / 2, stroke.erases);
    stroke.last = to;
    if (area) paint(area);
  }
  function end() {
    if (!stroke) return;
    const { mask, erases } = stroke;
    stroke = null;
    soon(mask);
    showTools();
    report(text(erases ? "erased" : "painted"));
  }

  /** Draw the masks, or an area of them, in their colours. */
  function paint(area = layers?.whole) {
    const context = overlay.getContext("2d");
    if (!layers || !context || !area) return;
    const drawn = layers.around(area);
    const colours = layers.picture(drawn, colourTable(COLOURS, active()), active());
    context.putImageData(new ImageData(colours, drawn.width, drawn.height), drawn.x, drawn.y);
  }

  // ------------------------------------------------------------------ drawing

  /**
   * Draw all anew, and give the focus to a point; by default, to the one that has it now.
   * @param {number | null} focused its number
   */
  function show(focused = drawn.contains(document.activeElement) ? numberOf(document.activeElement) : null) {
    drawn.replaceChildren();
    showTools();
    showPaths();
    showCursor();
    if (focused === null) return;
    /** @type {SVGElement | null} */
    const circle = svg.querySelector(`[data-point="${focused}"]`);
    (circle ?? svg).focus();
  }

  function showTools() {
    const history = historyOf();
    toolbar.show({
      offered: model.get("offered"),
      mask: active(),
      tool: tool(),
      canPaint: canPaint() && layers !== null,
      size: diameter,
      most: most(),
      canUndo: history.past.length > 0,
      canRedo: history.future.length > 0,
    });
    help.textContent = text("help");
    image.alt = text("image");
    svg.dataset.tool = tool();
    svg.setAttribute("aria-label", text("canvas", { mask: nameOf(active()), tool: text(tool()) }));
  }

  function showPaths() {
    const { width, height } = size();
    if (!width || !svg.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawPaths(drawn, paths, height, width / svg.clientWidth, active(), tool() === "path");
  }

  /** Show where the brush is: under the pointer or, if the image has the focus, where the keys moved it. */
  function showCursor() {
    cursorMark.replaceChildren();
    const isHere = isHovering || document.activeElement === svg;
    if (!isHere || !svg.clientWidth || !layers) return;
    const unit = size().width / svg.clientWidth;
    if (tool() !== "path") drawRing(cursorMark, cursor, unit, diameter / 2);
    else if (!isHovering) drawCross(cursorMark, cursor, unit, colourOf(active())); // the pointer is one itself
  }

  // ------------------------------------------------------------------ pointers

  svg.addEventListener("pointerdown", (event) => {
    const erases = tool() === "eraser" || event.button === 5; // the other end of a pen
    if ((event.button !== 0 && event.button !== 5) || !layers || stroke || dragged !== null) return;
    event.preventDefault();
    svg.focus({ preventScroll: true });
    if (tool() !== "path") {
      if (!canPaint()) return;
      svg.setPointerCapture(event.pointerId);
      begin(event.pointerId, place(event), erases);
      return;
    }
    const at = numberOf(event.target);
    if (at !== null) {
      historyOf().record(edited());
      dragged = at;
      svg.setPointerCapture(event.pointerId);
      return;
    }
    addPoint(point(event));
  });
  svg.addEventListener("pointermove", (event) => {
    if (!layers) return;
    isHovering = event.pointerType !== "touch";
    cursor = place(event);
    if (dragged !== null) {
      const [at, to] = [dragged, point(event)];
      setPath(path().map((other, number) => (number === at ? to : other)));
      show(at);
    } else if (stroke?.pointer === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const part of events.length ? events : [event]) extend(place(part));
    }
    showCursor();
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
    svg.addEventListener(name, (event) => {
      if (stroke?.pointer === event.pointerId) end();
      if (dragged === null) return;
      dragged = null;
      sendPaths();
    });
  svg.addEventListener("pointerleave", () => {
    isHovering = false;
    showCursor();
    flush();
  });

  /** @param {Point} added */
  function addPoint(added) {
    const longer = active() > 0 ? withPoint(path(), added, model.get("limit")) : null;
    if (!longer) return say(text("full", { limit: model.get("limit") }));
    historyOf().record(edited());
    setPath(longer);
    show(longer.length - 1);
    sendPaths();
    const [x, y] = added;
    say(text("point", { number: longer.length, x, y }));
  }

  // ------------------------------------------------------------------ keys

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was used */
  function press(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const letter = key.toLowerCase();
    if (ctrlKey || metaKey) {
      if (altKey || (letter !== "z" && letter !== "y")) return false;
      if (letter === "y" || shiftKey) redo();
      else undo();
      return true;
    }
    if (altKey || !layers) return false;
    const at = numberOf(event.target);
    const changed = at === null ? null : edit(path(), at, event, size());
    if (changed) {
      historyOf().record(edited());
      setPath(changed.path);
      show(changed.focused);
      sendPaths();
      return true;
    }
    return event.target === svg && steer(event, letter);
  }
  /**
   * @param {KeyboardEvent} event
   * @param {string} letter
   */
  function steer(event, letter) {
    const { key } = event;
    const step = Math.max(Math.round((size().width / Math.max(svg.clientWidth, 1)) * 4), 1);
    const to = moved(cursor, event, size(), step);
    const bigger = resized(diameter, key, most());
    if (to) {
      cursor = to;
      isHovering = false;
      if (stroke?.pointer === -1) extend(to);
      showCursor();
      const [x, y] = inside([to[0], size().height - to[1]], size());
      say(text(layers?.has(active(), to) ? "place_painted" : "place", { x, y }));
    } else if (key === " " || key === "Enter") {
      if (tool() === "path") {
        if (!event.repeat) addPoint(inside([cursor[0], size().height - cursor[1]], size()));
      } else if (canPaint() && !stroke) begin(-1, cursor, tool() === "eraser");
    } else if (bigger !== null) {
      resize(bigger);
      say(text("sized", { number: diameter }));
    } else if (letter in TOOL_KEYS) take(TOOL_KEYS[letter]);
    else return false;
    return true;
  }
  root.addEventListener("keydown", (event) => {
    if (!press(event)) return;
    // JupyterLab has uses of its own for these keys.
    event.preventDefault();
    event.stopPropagation();
  });
  svg.addEventListener("keyup", ({ key }) => {
    if ((key === " " || key === "Enter") && stroke?.pointer === -1) end();
  });
  svg.addEventListener("focus", showCursor);
  svg.addEventListener("blur", () => {
    if (stroke?.pointer === -1) end();
    showCursor();
    flush();
  });

  // ------------------------------------------------------------------ the page

  const follow = () => {
    if (dragged === null) paths = model.get("paths").map((path) => [...path]);
    paint();
    show();
  };
  const load = () => {
    const source = model.get("source");
    if (image.getAttribute("src") !== source) image.src = source;
  };
  image.addEventListener("load", () => {
    flush();
    const { width, height } = natural();
    // The same image from another source keeps a stroke that is under way; the kernel sends the masks of another image.
    if (layers?.width !== width || layers.height !== height) layers = new Layers(width, height);
    [overlay.width, overlay.height] = [width, height];
    diameter ||= Math.max(Math.round(Math.min(width, height) / 12), 2);
    diameter = Math.min(diameter, most());
    cursor = [width / 2, height / 2];
    histories.clear();
    paint();
    show();
    model.send({ kind: "ready" });
  });
  /** @param {Event} event */
  const onPress = (event) => {
    if (!(event.target instanceof Node && svg.contains(event.target))) flush();
  };
  const sizes = new ResizeObserver(() => show());
  sizes.observe(box);
  document.addEventListener("pointerdown", onPress, true);
  document.addEventListener("visibilitychange", flush);
  const traits = "change:paths change:active change:offered change:paints change:texts";
  model.on(traits, follow);
  model.on("change:source", load);
  model.on("msg:custom", receive);
  follow();
  load();
  return () => {
    flush();
    sizes.disconnect();
    document.removeEventListener("pointerdown", onPress, true);
    document.removeEventListener("visibilitychange", flush);
    model.off(traits, follow);
    model.off("change:source", load);
    model.off("msg:custom", receive);
  };
}

export default { render };
