// @ts-check
// An image with painted masks and paths over it, and the tools for both, by mouse, pen, finger and keys.
//
// With brush and eraser, dragging paints the mask that is chosen. With the path tool, a click adds a point to its path;
// points are dragged, or moved with the arrow keys (Shift: by 10), and removed with Delete. Points are pixels of the
// image, x to the right and y upward from its lower left corner, as Kling counts them.

import { COLOURS, colourOf, draw, drawCross, drawPaths, drawRing, numberOf } from "./drawing.js";
import { Editor } from "./editor.js";
import { exchange } from "./exchange.js";
import { colourTable } from "./layers.js";
import { edit, filled, inside, moved, placeAt, pointAt, replaced, resized } from "./points.js";
import { add, addToolbar } from "./toolbar.js";

/** @typedef {import("./points.js").Point} Point */
/** @typedef {import("./points.js").Size} Size */
/** @typedef {import("./toolbar.js").Tool} Tool */

/**
 * @typedef {object} Shown
 * @property {string} source what to load: a URL, or the data itself
 * @property {Point[][]} paths of the dynamic masks
 * @property {Record<string, string>} texts
 */
/** @typedef {Shown & import("./editor.js").Offer} State */

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

  const editor = new Editor((name) => model.get(name));
  /** The number of the point that follows the pointer. @type {number | null} */
  let dragged = null;
  /** The tool that was chosen, which some masks do not have. @type {Tool} */
  let chosen = "brush";
  let diameter = 0;
  /** Where the brush is, in pixels from the upper left corner. @type {[number, number]} */
  let cursor = [0, 0];
  let isHovering = false;

  const natural = () => ({ width: image.naturalWidth, height: image.naturalHeight });
  /** Of the masks, because an image that is being loaded again has no size. @returns {Size} */
  const size = () => editor.layers ?? natural();
  const most = () => Math.max(Math.round(Math.min(size().width, size().height) / 2), 2);
  /** @param {PointerEvent} event */
  const point = (event) => pointAt(event, svg.getBoundingClientRect(), size());
  /** @param {PointerEvent} event */
  const place = (event) => placeAt(event, svg.getBoundingClientRect(), size());
  const maskName = () => (editor.mask ? text("dynamic", { number: editor.mask }) : text("static"));
  /** @returns {Tool} */
  const tool = () => {
    if (chosen === "path") return editor.mask > 0 ? "path" : "brush";
    return editor.paints || !editor.mask ? chosen : "path";
  };
  /** @param {string} message */
  const say = (message) => {
    status.textContent = message;
  };

  // ------------------------------------------------------------------ to the kernel

  function sendPaths() {
    flush(); // a new mask and its path are one mask
    model.set("paths", editor.paths);
    model.save_changes();
  }
  const { soon, flush, receive } = exchange((content, buffers) => model.send(content, undefined, buffers), {
    layers: () => editor.layers,
    painting: () => editor.stroke?.mask ?? null,
    changed(mask) {
      editor.forget(mask);
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
   * @param {(layers: import("./layers.js").Layers) => void} act
   * @param {string} message
   */
  function change(act, message) {
    if (!editor.change(act)) return;
    soon(editor.mask);
    paint();
    show();
    report(message);
  }
  /** @param {string} message what happened */
  function report(message) {
    const { mask, share, path } = editor;
    const percent = share && share < 0.01 ? "< 1" : Math.round(share * 100);
    const area = text(share ? "share" : "empty", { mask: maskName(), percent });
    const isNext = mask > 0 && share > 0 && path.length < 2;
    say([message, area, isNext ? text("next") : ""].filter(Boolean).join(" "));
  }
  function clear() {
    change((layers) => layers.clear(editor.mask), text("cleared"));
  }
  function invert() {
    change((layers) => layers.invert(editor.mask), text("inverted"));
  }
  function undo() {
    restored(editor.undo(), text("undone"));
  }
  function redo() {
    restored(editor.redo(), text("redone"));
  }
  /**
   * @param {import("./editor.js").Changes | null} changes
   * @param {string} message
   */
  function restored(changes, message) {
    if (!changes) return;
    if (changes.mask) soon(editor.mask);
    if (changes.path) sendPaths();
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
    editor.begin(pointer, from, erases);
    extend(from);
  }
  /** @param {[number, number]} to */
  function extend(to) {
    const area = editor.extend(to, diameter / 2);
    if (area) paint(area);
  }
  function end() {
    const stroke = editor.end();
    if (!stroke) return;
    soon(stroke.mask);
    showTools();
    report(text(stroke.erases ? "erased" : "painted"));
  }

  /** Draw the masks, or an area of them, in their colours. */
  function paint(area = editor.layers?.whole) {
    const [{ layers, mask }, context] = [editor, overlay.getContext("2d")];
    if (!layers || !context || !area) return;
    const drawn = layers.around(area);
    const colours = layers.picture(drawn, colourTable(COLOURS, mask), mask);
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
    const { mask, canPaint, history } = editor;
    toolbar.show({
      offered: model.get("offered"),
      mask,
      tool: tool(),
      canPaint,
      size: diameter,
      most: most(),
      canUndo: history.past.length > 0,
      canRedo: history.future.length > 0,
    });
    help.textContent = text("help");
    image.alt = text("image");
    svg.dataset.tool = tool();
    svg.setAttribute("aria-label", text("canvas", { mask: maskName(), tool: text(tool()) }));
  }

  function showPaths() {
    const { width, height } = size();
    if (!width || !svg.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawPaths(drawn, editor.paths, height, width / svg.clientWidth, editor.mask, tool() === "path");
  }

  /** Show where the brush is: under the pointer or, if the image has the focus, where the keys moved it. */
  function showCursor() {
    cursorMark.replaceChildren();
    const isHere = isHovering || document.activeElement === svg;
    if (!isHere || !svg.clientWidth || !editor.layers) return;
    const unit = size().width / svg.clientWidth;
    if (tool() !== "path") drawRing(cursorMark, cursor, unit, diameter / 2);
    else if (!isHovering) drawCross(cursorMark, cursor, unit, colourOf(editor.mask)); // the pointer is one itself
  }

  // ------------------------------------------------------------------ pointers

  svg.addEventListener("pointerdown", (event) => {
    const erases = tool() === "eraser" || event.button === 5; // the other end of a pen
    if ((event.button !== 0 && event.button !== 5) || !editor.layers) return;
    if (editor.stroke || dragged !== null) return;
    event.preventDefault();
    svg.focus({ preventScroll: true });
    if (tool() !== "path") {
      if (!editor.canPaint) return;
      svg.setPointerCapture(event.pointerId);
      begin(event.pointerId, place(event), erases);
      return;
    }
    const at = numberOf(event.target);
    if (at !== null) {
      editor.record();
      dragged = at;
      svg.setPointerCapture(event.pointerId);
      return;
    }
    addPoint(point(event));
  });
  svg.addEventListener("pointermove", (event) => {
    if (!editor.layers) return;
    isHovering = event.pointerType !== "touch";
    cursor = place(event);
    if (dragged !== null) {
      const [at, to] = [dragged, point(event)];
      editor.path = replaced(editor.path, at, to);
      show(at);
    } else if (editor.stroke?.pointer === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const part of events.length ? events : [event]) extend(place(part));
    }
    showCursor();
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
    svg.addEventListener(name, (event) => {
      if (editor.stroke?.pointer === event.pointerId) end();
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
    if (!editor.addPoint(added)) return say(text("full", { limit: model.get("limit") }));
    show(editor.path.length - 1);
    sendPaths();
    const [x, y] = added;
    say(text("point", { number: editor.path.length, x, y }));
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
    if (altKey || !editor.layers) return false;
    const at = numberOf(event.target);
    const changed = at === null ? null : edit(editor.path, at, event, size());
    if (changed) {
      editor.record();
      editor.path = changed.path;
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
      if (editor.stroke?.pointer === -1) extend(to);
      showCursor();
      const [x, y] = inside([to[0], size().height - to[1]], size());
      say(text(editor.layers?.has(editor.mask, to) ? "place_painted" : "place", { x, y }));
    } else if (key === " " || key === "Enter") {
      if (tool() === "path") {
        if (!event.repeat) addPoint(inside([cursor[0], size().height - cursor[1]], size()));
      } else if (editor.canPaint && !editor.stroke) begin(-1, cursor, tool() === "eraser");
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
    if ((key === " " || key === "Enter") && editor.stroke?.pointer === -1) end();
  });
  svg.addEventListener("focus", showCursor);
  svg.addEventListener("blur", () => {
    if (editor.stroke?.pointer === -1) end();
    showCursor();
    flush();
  });

  // ------------------------------------------------------------------ the page

  const follow = () => {
    if (dragged === null) editor.paths = model.get("paths").map((path) => [...path]);
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
    editor.open({ width, height });
    [overlay.width, overlay.height] = [width, height];
    diameter ||= Math.max(Math.round(Math.min(width, height) / 12), 2);
    diameter = Math.min(diameter, most());
    cursor = [width / 2, height / 2];
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
