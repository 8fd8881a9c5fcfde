// @ts-check
// An image with paths over it. A click adds a point to the active path; points are dragged, or moved with
// the arrow keys (Shift: by 10), and removed with Delete. All positions are pixels of the image itself,
// x to the right and y upward from its lower left corner, as Kling counts them.

/** @typedef {[x: number, y: number]} Point pixels of the image, from its lower left corner */
/** @typedef {{ width: number, height: number }} Size pixels of the image */
/** @typedef {{ left: number, bottom: number, width: number, height: number }} Area pixels of the screen */
/** @typedef {Pick<MouseEvent, "clientX" | "clientY">} Place pixels of the screen */
/**
 * @typedef {object} State
 * @property {string} source what to load: a URL, or the data itself
 * @property {string} label what the image shows
 * @property {Point[][]} paths
 * @property {number} active the number of the path that is being drawn
 * @property {number} limit the most points that a path may have
 */

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#e6550d", "#3182bd", "#31a354", "#756bb1", "#c51b8a", "#8c6d31"];
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
 * @param {Place} place of the pointer
 * @param {Area} area in which the image is shown
 * @param {Size} image
 */
export function pointAt({ clientX, clientY }, area, image) {
  const x = ((clientX - area.left) / area.width) * image.width;
  const y = ((area.bottom - clientY) / area.height) * image.height;
  return inside([x, y], image);
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

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "qingbo-canvas";
  const image = document.createElement("img");
  image.className = "qingbo-canvas-image";
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  box.append(image);
  const svg = /** @type {SVGSVGElement} */ (
    draw("svg", { class: "qingbo-canvas-paths", preserveAspectRatio: "none" }, box)
  );
  el.append(box);
  el.classList.add("qingbo-script-runs");

  /** The number of the point that follows the pointer. @type {number | null} */
  let dragged = null;
  /** @type {Point[][]} */
  let paths = [];

  const active = () => model.get("active");
  const path = () => paths[active()] || [];
  const size = () => ({ width: image.naturalWidth, height: image.naturalHeight });
  /** @param {PointerEvent} event */
  const point = (event) => pointAt(event, svg.getBoundingClientRect(), size());

  /**
   * @param {Point[]} edited
   * @param {number | null} focused the number of the point that gets the focus
   */
  function change(edited, focused = null) {
    paths = paths.map((path, number) => (number === active() ? edited : path));
    show(focused);
  }
  function send() {
    model.set("paths", paths);
    model.save_changes();
  }

  /**
   * Draw all anew, and give the focus to a point; by default, to the one that has it now.
   * @param {number | null} focused its number
   */
  function show(focused = svg.contains(document.activeElement) ? numberOf(document.activeElement) : null) {
    svg.replaceChildren();
    paint();
    if (focused === null) return;
    /** @type {SVGElement | null} */
    const circle = svg.querySelector(`[data-point="${focused}"]`);
    circle?.focus();
  }

  function paint() {
    const { width, height } = size();
    if (!width || !svg.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", model.get("label"));
    const unit = width / svg.clientWidth; // one pixel of the screen, in pixels of the image
    paths.forEach((path, number) => {
      const colour = COLOURS[number % COLOURS.length];
      const isActive = number === active();
      const points = polyline(path, height);
      const opacity = isActive ? 1 : 0.6;
      draw("polyline", { points, stroke: "#fff", "stroke-width": 5 * unit, "stroke-opacity": opacity }, svg);
      draw(
        "polyline",
        { points, stroke: colour, "stroke-width": 2.5 * unit, "stroke-opacity": opacity },
        svg,
      );
      path.forEach(([x, y], at) => {
        const place = { cx: x, cy: height - y, r: (isActive ? 7 : 4) * unit };
        const circle = draw(
          "circle",
          { ...place, fill: colour, stroke: "#fff", "stroke-width": 2 * unit },
          svg,
        );
        if (!isActive) return;
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
        svg,
      );
      text.textContent = `${number + 1}`;
    });
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !image.naturalWidth || active() >= paths.length) return;
    event.preventDefault();
    const at = numberOf(event.target);
    if (at !== null) {
      dragged = at;
      svg.setPointerCapture(event.pointerId);
      return;
    }
    const longer = withPoint(path(), point(event), model.get("limit"));
    if (!longer) return;
    change(longer, longer.length - 1);
    send();
  });
  svg.addEventListener("pointermove", (event) => {
    if (dragged !== null) change(path().map((other, at) => (at === dragged ? point(event) : other)));
  });
  svg.addEventListener("pointerup", () => {
    if (dragged === null) return;
    dragged = null;
    send();
  });
  svg.addEventListener("keydown", (event) => {
    const at = numberOf(event.target);
    const edited = at === null ? null : edit(path(), at, event, size());
    if (!edited) return;
    change(edited.path, edited.focused);
    // JupyterLab has uses of its own for these keys.
    event.preventDefault();
    event.stopPropagation();
    send();
  });

  const follow = () => {
    if (dragged === null) paths = model.get("paths").map((path) => [...path]);
    show();
  };
  const load = () => {
    image.alt = model.get("label");
    const source = model.get("source");
    if (image.getAttribute("src") !== source) image.src = source;
  };
  image.addEventListener("load", () => show());
  const sizes = new ResizeObserver(() => show());
  sizes.observe(box);
  model.on("change:paths change:active change:label", follow);
  model.on("change:source change:label", load);
  follow();
  load();
  return () => {
    sizes.disconnect();
    model.off("change:paths change:active change:label", follow);
    model.off("change:source change:label", load);
  };
}

export default { render };
