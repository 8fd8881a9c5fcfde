// @ts-check
// The paths and the cursor over the image, as SVG.

import { polyline } from "./points.js";

/** @typedef {import("./points.js").Point} Point */

const SVG = "http://www.w3.org/2000/svg";
/** Of the static mask, and of each dynamic one. @type {import("./layers.js").Colour[]} */
export const COLOURS = [
  [0, 160, 176],
  [230, 85, 13],
  [49, 130, 189],
  [49, 163, 84],
  [117, 107, 177],
  [197, 27, 138],
  [140, 109, 49],
];

/** @param {number} mask */
export const colourOf = (mask) => `rgb(${COLOURS[mask % COLOURS.length].join(" ")})`;

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent
 */
export function draw(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  parent.append(element);
  return element;
}

/**
 * Return the number of the point that an element shows; `null` for other elements.
 * @param {EventTarget | null} element
 */
export function numberOf(element) {
  const number = element instanceof SVGElement ? element.dataset.point : undefined;
  return number === undefined ? null : Number(number);
}

/**
 * Draw the paths of the dynamic masks; the points of the one that is edited can have the focus.
 * @param {Element} parent
 * @param {Point[][]} paths
 * @param {number} height of the image
 * @param {number} unit one pixel of the screen, in pixels of the image
 * @param {number} active the mask that is edited
 * @param {boolean} isEdited whether its points can be moved
 */
export function drawPaths(parent, paths, height, unit, active, isEdited) {
  paths.forEach((path, number) => {
    const colour = colourOf(number + 1);
    const isActive = number + 1 === active;
    const points = polyline(path, height);
    const opacity = isActive ? 1 : 0.6;
    for (const [stroke, width] of /** @type {[string, number][]} */ ([
      ["#fff", 5],
      [colour, 2.5],
    ]))
      draw("polyline", { points, stroke, "stroke-width": width * unit, "stroke-opacity": opacity }, parent);
    path.forEach(([x, y], at) => {
      const place = { cx: x, cy: height - y, r: (isActive ? 7 : 4) * unit };
      const circle = draw(
        "circle",
        { ...place, fill: colour, stroke: "#fff", "stroke-width": 2 * unit },
        parent,
      );
      if (!isActive || !isEdited) return;
      circle.setAttribute("tabindex", "0");
      circle.setAttribute("role", "button");
      circle.setAttribute("data-point", `${at}`);
      circle.setAttribute("aria-label", `${at + 1}: ${x}, ${y}`);
    });
    if (!path.length) return;
    const [x, y] = path[0];
    const place = { x: x + 10 * unit, y: height - y - 8 * unit };
    const size = { "font-size": 14 * unit, "stroke-width": 3 * unit };
    draw("text", { ...place, ...size, fill: colour }, parent).textContent = `${number + 1}`;
  });
}

/**
 * Draw where the next point goes, as a cross.
 * @param {Element} parent
 * @param {[number, number]} place from the upper left corner
 * @param {number} unit one pixel of the screen, in pixels of the image
 * @param {string} colour
 */
export function drawCross(parent, [x, y], unit, colour) {
  const d = `M${x} ${y - 9 * unit}v${18 * unit}M${x - 9 * unit} ${y}h${18 * unit}`;
  for (const [stroke, width] of /** @type {[string, number][]} */ ([
    ["#fff", 4],
    [colour, 2],
  ]))
    draw("path", { d, stroke, "stroke-width": width * unit }, parent);
}

/**
 * Draw the edge of the brush, as a ring that can be seen on any image.
 * @param {Element} parent
 * @param {[number, number]} place from the upper left corner
 * @param {number} unit one pixel of the screen, in pixels of the image
 * @param {number} radius
 */
export function drawRing(parent, [cx, cy], unit, radius) {
  const r = Math.max(radius, unit);
  for (const [stroke, width] of /** @type {[string, number][]} */ ([
    ["#000", 3],
    ["#fff", 1.5],
  ]))
    draw("circle", { cx, cy, r, fill: "none", stroke, "stroke-width": width * unit }, parent);
}
