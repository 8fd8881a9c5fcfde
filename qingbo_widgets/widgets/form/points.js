// @ts-check
// Places in the image, paths and the keys that change them, without a page.

/** @typedef {[x: number, y: number]} Point pixels of the image, from its lower left corner */
/** @typedef {{ width: number, height: number }} Size pixels of the image */
/** @typedef {{ left: number, bottom: number, width: number, height: number }} Area pixels of the screen */
/** @typedef {Pick<MouseEvent, "clientX" | "clientY">} Spot pixels of the screen */
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
 * Return a text with its `{names}` filled in.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => `${values[name]}`);

/**
 * Return a copy of a list with another item at one place.
 * @template Item
 * @param {Item[]} items
 * @param {number} at
 * @param {Item} item
 */
export const replaced = (items, at, item) => items.map((other, number) => (number === at ? item : other));
