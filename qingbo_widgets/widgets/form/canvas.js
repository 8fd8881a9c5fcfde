// @ts-check
// An image with painted masks and paths over it, and the tools for both, by mouse, pen, finger and keys.
//
// With brush and eraser, dragging paints the mask that is chosen. With the path tool, a click adds a point to its path;
// points are dragged, or moved with the arrow keys (Shift: by 10), and removed with Delete. Points are pixels of the
// image, x to the right and y upward from its lower left corner, as Kling counts them.
//
// A mask goes to the kernel when the painting pauses, and before anything else on the page is clicked: messages arrive in
// the order in which they were sent, so a click on Generate finds it there.

import { colourTable, History, Layers } from "./layers.js";

/** @typedef {[x: number, y: number]} Point pixels of the image, from its lower left corner */
/** @typedef {{ width: number, height: number }} Size pixels of the image */
/** @typedef {{ left: number, bottom: number, width: number, height: number }} Area pixels of the screen */
/** @typedef {Pick<MouseEvent, "clientX" | "clientY">} Spot pixels of the screen */
/** @typedef {"brush" | "eraser" | "path"} Tool */
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

const SVG = "http://www.w3.org/2000/svg";
/** Of the static mask, and of each dynamic one. @type {import("./layers.js").Colour[]} */
const COLOURS = [
  [0, 160, 176],
  [230, 85, 13],
  [49, 130, 189],
  [49, 163, 84],
  [117, 107, 177],
  [197, 27, 138],
  [140, 109, 49],
];
/** Milliseconds without a stroke after which a mask is sent. */
const PAUSE = 300;
/** @type {Record<string, Tool>} */
const TOOL_KEYS = { b: "brush", e: "eraser", p: "path" };
let views = 0;

/** @param {number} mask */
const colourOf = (mask) => `rgb(${COLOURS[mask % COLOURS.length].join(" ")})`;

/**
 * Return a text with its `{names}` filled in.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => `${values[name]}`);
/** @type {Record<string, Point>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * Return the nearest pixel that the image has.
 * @param {Point} point
 * @param {Size} image
 * @returns {Point}
 */
export function inside([x, y], { width, height }) {
  return [Math.min(Math.max(Math.round(x), 0), width - 1), Math.min(Math.max(Math.round(y), 0), height - 1)];
}

/**
 * Return the pixel of the image under the pointer.
 * @param {Spot} spot of the pointer
 * @param {Area} area in which the image is shown
 * @param {Size} image
 */
export function pointAt({ clientX, clientY }, area, image) {
  const x = ((clientX - area.left) / area.width) * image.width;
  const y = ((area.bottom - clientY) / area.height) * image.height;
  return inside([x, y], image);
}

/**
 * Return the place in the image under the pointer, from the upper left corner; it may be outside.
 * @param {Spot} spot of the pointer
 * @param {{ left: number, top: number, width: number, height: number }} area in which the image is shown
 * @param {Size} image
 * @returns {[x: number, y: number]}
 */
export const placeAt = ({ clientX, clientY }, area, image) => [
  ((clientX - area.left) / area.width) * image.width,
  ((clientY - area.top) / area.height) * image.height,
];

/**
 * Return where the cursor of the keyboard is after a key; `null` for a key that does not move it.
 * @param {[x: number, y: number]} place
 * @param {Pick<KeyboardEvent, "key" | "shiftKey">} event
 * @param {Size} image
 * @param {number} pixels of the image that a key moves it; Shift makes it ten times as many
 * @returns {[x: number, y: number] | null}
 */
export function moved([x, y], { key, shiftKey }, image, pixels) {
  const step = STEPS[key];
  if (!step) return null;
  const [right, up] = step.map((way) => way * pixels * (shiftKey ? 10 : 1));
  return [Math.min(Math.max(x + right, 0), image.width), Math.min(Math.max(y - up, 0), image.height)];
}

/**
 * Return the diameter of the brush after a key; `null` for a key that does not change it.
 * @param {number} size pixels of the image
 * @param {string} key
 * @param {number} most
 */
export function resized(size, key, most) {
  const grows = "]+=".includes(key);
  if (!grows && !"[-".includes(key)) return null;
  const changed = grows ? Math.max(size * 1.2, size + 1) : Math.min(size / 1.2, size - 1);
  return Math.round(Math.min(Math.max(changed, 1), most));
}

/**
 * Return a path with one more point at its end.
 * @param {Point[]} path
 * @param {Point} point
 * @param {number} limit the most points that it may have
 * @returns {Point[] | null} `null` if it has as many already
 */
export const withPoint = (path, point, limit) => (path.length < limit ? [...path, point] : null);

/**
 * Return a path after a key was pressed on one of its points, and the number of the point that has the focus then.
 * @param {Point[]} path
 * @param {number} at the number of the point
 * @param {Pick<KeyboardEvent, "key" | "shiftKey">} event
 * @param {Size} image
 * @returns {{ path: Point[], focused: number } | null} `null` for a key without a meaning here
 */
export function edit(path, at, { key, shiftKey }, image) {
  if (key === "Delete" || key === "Backspace")
    return { path: path.filter((_, number) => number !== at), focused: Math.max(at - 1, 0) };
  const step = STEPS[key];
  if (!step) return null;
  const [right, up] = step.map((pixels) => pixels * (shiftKey ? 10 : 1));
  /** @param {Point} point */
  const move = ([x, y]) => inside([x + right, y + up], image);
  const moved = path.map((point, number) => (number === at ? move(point) : point));
  return { path: moved, focused: at };
}

/**
 * Return a path as the `points` of a polyline. SVG counts y downward, from the upper edge.
 * @param {Point[]} path
 * @param {number} height of the image
 */
export const polyline = (path, height) => path.map(([x, y]) => `${x},${height - y}`).join(" ");

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent
 */
function draw(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  parent.append(element);
  return element;
}

/**
 * Return the number of the point that an element shows; `null` for other elements.
 * @param {EventTarget | null} element
 */
function numberOf(element) {
  const number = element instanceof SVGElement ? element.dataset.point : undefined;
  return number === undefined ? null : Number(number);
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent
 * @param {string} text
 */
function add(name, attributes, parent, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.append(text);
  parent.append(element);
  return element;
}

/**
 * Add a row of buttons of which one is chosen.
 * @param {Element} parent
 * @param {string} name of the group
 * @param {(value: string) => void} choose
 */
function addSegments(parent, name, choose) {
  const group = add("div", { class: "qingbo-segments", role: "radiogroup" }, parent);
  let shown = "";
  group.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) choose(event.target.value);
  });
  return {
    /**
     * @param {string} label
     * @param {{ value: string, text: string, title?: string, colour?: string, disabled?: boolean }[]} segments
     * @param {string} chosen
     */
    show(label, segments, chosen) {
      group.setAttribute("aria-label", label);
      if (JSON.stringify(segments) !== shown) {
        const focused = group.contains(document.activeElement);
        shown = JSON.stringify(segments);
        group.replaceChildren();
        for (const { value, text, title = "", colour = "", disabled = false } of segments) {
          const segment = add("label", title ? { title } : {}, group);
          const input = add("input", { type: "radio", name, value }, segment);
          input.disabled = disabled;
          if (colour) add("span", { class: "qingbo-swatch", style: `background: ${colour}` }, segment);
          add("span", {}, segment, text);
        }
        if (focused) inputOf(chosen)?.focus();
      }
      const input = inputOf(chosen);
      if (input) input.checked = true;
    },
  };
  /**
   * @param {string} value
   * @returns {HTMLInputElement | null}
   */
  function inputOf(value) {
    return group.querySelector(`input[value="${value}"]`);
  }
}

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  const id = `qingbo-canvas-${++views}`;
  /** @param {string} name @param {Record<string, string | number>} values */
  const text = (name, values = {}) => filled(model.get("texts")[name] ?? "", values);

  const root = add("div", { class: "qingbo-canvas-tools" }, el);
  const bar = add("div", { class: "qingbo-canvas-bar" }, root);
  const masks = addSegments(bar, `${id}-mask`, (value) => choose(Number(value)));
  const tools = addSegments(bar, `${id}-tool`, (value) => take(/** @type {Tool} */ (value)));
  const sizeLabel = add("label", { class: "qingbo-canvas-size" }, bar);
  const sizeName = add("span", {}, sizeLabel);
  const slider = add("input", { type: "range", min: 1, step: 1 }, sizeLabel);
  const sizeText = add("output", {}, sizeLabel);
  const acts = add("div", { class: "qingbo-canvas-acts" }, bar);
  const [undoButton, redoButton, clearButton, invertButton] = [undo, redo, clear, invert].map((act) => {
    const button = add("button", { type: "button" }, acts);
    button.addEventListener("click", act);
    return button;
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
  /** @type {Tool} */
  let tool = "brush";
  let diameter = 0;
  /** Where the brush is, in pixels from the upper left corner. @type {[number, number]} */
  let cursor = [0, 0];
  let isHovering = false;
  /** @type {Map<number, History<Edited>>} */
  const histories = new Map();
  /** The painted masks that the kernel does not have yet. @type {Set<number>} */
  const unsent = new Set();
  /** The number of the last content that came for each mask. @type {Map<number, number>} */
  const arrivals = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const active = () => model.get("active");
  const path = () => (active() > 0 ? (paths[active() - 1] ?? []) : []);
  const size = () => ({ width: image.naturalWidth, height: image.naturalHeight });
  const most = () => Math.max(Math.round(Math.min(image.naturalWidth, image.naturalHeight) / 2), 2);
  /** @param {PointerEvent} event */
  const point = (event) => pointAt(event, svg.getBoundingClientRect(), size());
  /** @param {PointerEvent} event */
  const place = (event) => placeAt(event, svg.getBoundingClientRect(), size());
  /** @param {number} mask */
  const nameOf = (mask) => (mask ? text("dynamic", { number: mask }) : text("static"));
  const canPaint = () => model.get("paints") && model.get("offered").includes(active());
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
  /** @param {number} mask */
  function soon(mask) {
    unsent.add(mask);
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  }
  function flush() {
    clearTimeout(timer);
    if (!layers || stroke) return;
    for (const mask of [...unsent].sort()) {
      model.send({ kind: "painted", mask, ...size() }, undefined, [layers.runs(mask).buffer]);
    }
    unsent.clear();
  }

  // ------------------------------------------------------------------ from the kernel

  /**
   * Show the content of a mask that was loaded, or is empty.
   * @param {{ kind: string, mask: number }} message
   * @param {DataView[]} buffers
   */
  async function receive({ kind, mask }, buffers) {
    if (kind !== "mask" || !layers || unsent.has(mask) || stroke?.mask === mask) return;
    const [target, arrival] = [layers, (arrivals.get(mask) ?? 0) + 1];
    arrivals.set(mask, arrival);
    const colours = buffers.length ? await decode(buffers[0], size()) : null;
    if (arrivals.get(mask) !== arrival || target !== layers || unsent.has(mask)) return;
    if (colours) layers.setImage(mask, colours);
    else layers.clear(mask);
    histories.delete(mask);
    paint();
    show();
  }

  // ------------------------------------------------------------------ what is edited

  /** @param {number} mask */
  function choose(mask) {
    flush();
    model.set("active", mask);
    model.save_changes();
    if (!mask && tool === "path") tool = "brush";
    follow();
  }
  /** @param {Tool} chosen */
  function take(chosen) {
    const isPossible = chosen === "path" ? active() > 0 : canPaint();
    if (isPossible) tool = chosen;
    show();
    say(text(tool));
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
    const colours = layers.picture(area, colourTable(COLOURS, active()));
    context.putImageData(new ImageData(colours, area.width, area.height), area.x, area.y);
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
    if (tool !== "path" && !canPaint() && active() > 0) tool = "path";
    const offered = model.get("offered");
    const names = offered.map((mask) => ({ value: `${mask}`, text: nameOf(mask), colour: colourOf(mask) }));
    masks.show(text("masks"), names, `${active()}`);
    const kinds = /** @type {Tool[]} */ (["brush", "eraser", "path"]).map((kind) => ({
      value: kind,
      text: text(kind),
      title: text(`${kind}_help`),
      disabled: kind === "path" ? !active() : !canPaint(),
    }));
    tools.show(text("tools"), kinds, tool);
    sizeName.textContent = text("size");
    slider.max = `${most()}`;
    slider.value = `${diameter}`;
    slider.disabled = !canPaint();
    sizeText.textContent = text("pixels", { number: diameter });
    const history = historyOf();
    undoButton.disabled = !history.past.length;
    redoButton.disabled = !history.future.length;
    clearButton.disabled = invertButton.disabled = !canPaint() || !layers;
    for (const [button, name] of /** @type {[HTMLButtonElement, string][]} */ ([
      [undoButton, "undo"],
      [redoButton, "redo"],
      [clearButton, "clear"],
      [invertButton, "invert"],
    ])) {
      button.textContent = text(name);
      button.title = text(`${name}_help`);
    }
    help.textContent = text("help");
    image.alt = text("image");
    svg.dataset.tool = tool;
    svg.setAttribute("aria-label", text("canvas", { mask: nameOf(active()), tool: text(tool) }));
  }

  function showPaths() {
    const { width, height } = size();
    if (!width || !svg.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const unit = width / svg.clientWidth; // one pixel of the screen, in pixels of the image
    paths.forEach((path, number) => {
      const colour = colourOf(number + 1);
      const isActive = number + 1 === active();
      const points = polyline(path, height);
      const opacity = isActive ? 1 : 0.6;
      draw(
        "polyline",
        { points, stroke: "#fff", "stroke-width": 5 * unit, "stroke-opacity": opacity },
        drawn,
      );
      draw(
        "polyline",
        { points, stroke: colour, "stroke-width": 2.5 * unit, "stroke-opacity": opacity },
        drawn,
      );
      path.forEach(([x, y], at) => {
        const place = { cx: x, cy: height - y, r: (isActive ? 7 : 4) * unit };
        const circle = draw(
          "circle",
          { ...place, fill: colour, stroke: "#fff", "stroke-width": 2 * unit },
          drawn,
        );
        if (!isActive || tool !== "path") return;
        circle.setAttribute("tabindex", "0");
        circle.setAttribute("role", "button");
        circle.setAttribute("data-point", `${at}`);
        circle.setAttribute("aria-label", `${at + 1}: ${x}, ${y}`);
      });
      if (!path.length) return;
      const [x, y] = path[0];
      const place = { x: x + 10 * unit, y: height - y - 8 * unit };
      const text = draw(
        "text",
        { ...place, "font-size": 14 * unit, fill: colour, "stroke-width": 3 * unit },
        drawn,
      );
      text.textContent = `${number + 1}`;
    });
  }

  /** Show where the brush is: under the pointer or, if the image has the focus, where the keys moved it. */
  function showCursor() {
    cursorMark.replaceChildren();
    const isHere = isHovering || document.activeElement === svg;
    if (!isHere || !svg.clientWidth || !layers) return;
    const unit = image.naturalWidth / svg.clientWidth;
    const [cx, cy] = cursor;
    if (tool === "path") {
      if (isHovering) return; // the pointer is a cross itself
      const d = `M${cx - 9 * unit} ${cy}h${18 * unit}M${cx} ${cy - 9 * unit}v${18 * unit}`;
      for (const [stroke, width] of /** @type {[string, number][]} */ ([
        ["#fff", 4],
        [colourOf(active()), 2],
      ]))
        draw("path", { d, stroke, "stroke-width": width * unit }, cursorMark);
      return;
    }
    const r = Math.max(diameter / 2, unit);
    for (const [stroke, width] of /** @type {[string, number][]} */ ([
      ["#000", 3],
      ["#fff", 1.5],
    ]))
      draw("circle", { cx, cy, r, fill: "none", stroke, "stroke-width": width * unit }, cursorMark);
  }

  // ------------------------------------------------------------------ pointers

  svg.addEventListener("pointerdown", (event) => {
    const erases = tool === "eraser" || event.button === 5; // the other end of a pen
    if ((event.button !== 0 && event.button !== 5) || !layers || stroke || dragged !== null) return;
    event.preventDefault();
    svg.focus({ preventScroll: true });
    if (tool !== "path") {
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
    const step = Math.max(Math.round((image.naturalWidth / Math.max(svg.clientWidth, 1)) * 4), 1);
    const to = moved(cursor, event, size(), step);
    const bigger = resized(diameter, key, most());
    if (to) {
      cursor = to;
      isHovering = false;
      if (stroke?.pointer === -1) extend(to);
      showCursor();
      const [x, y] = inside([to[0], image.naturalHeight - to[1]], size());
      say(text(layers?.has(active(), to) ? "place_painted" : "place", { x, y }));
    } else if (key === " " || key === "Enter") {
      if (tool === "path") {
        if (!event.repeat) addPoint(inside([cursor[0], image.naturalHeight - cursor[1]], size()));
      } else if (canPaint() && !stroke) begin(-1, cursor, tool === "eraser");
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
  slider.addEventListener("input", () => resize(Number(slider.value)));

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
    const { width, height } = size();
    layers = new Layers(width, height);
    [overlay.width, overlay.height] = [width, height];
    diameter ||= Math.max(Math.round(Math.min(width, height) / 12), 2);
    diameter = Math.min(diameter, most());
    cursor = [width / 2, height / 2];
    histories.clear();
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

/**
 * Return the colours of an image file, in another size if it has one.
 * @param {DataView} file
 * @param {Size} size
 */
async function decode(file, { width, height }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.imageSmoothingEnabled = false;
  try {
    context.drawImage(await createImageBitmap(new Blob([/** @type {any} */ (file)])), 0, 0, width, height);
  } catch {
    return null; // not an image
  }
  return context.getImageData(0, 0, width, height).data;
}

export default { render };
