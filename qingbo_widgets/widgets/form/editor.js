// @ts-check
// What is edited on an image, without a page: the masks and the paths of a request, strokes, points and undo.

import { History, Layers } from "./layers.js";
import { replaced, withPoint } from "./points.js";

/** @typedef {import("./points.js").Point} Point */
/** @typedef {import("./points.js").Size} Size */
/** @typedef {import("./layers.js").Area} Area */
/** @typedef {import("./layers.js").Place} Place */

/**
 * @typedef {object} Offer
 * @property {number} active the mask that is edited: 0 is the static one
 * @property {number[]} offered the masks that can be edited
 * @property {boolean} paints whether masks can be painted
 * @property {number} limit the most points that a path may have
 */
/** @typedef {{ runs: Uint8Array, path: Point[] }} Snapshot the state of one mask */
/** @typedef {{ mask: boolean, path: boolean }} Changes */
/**
 * @typedef {object} Stroke
 * @property {number} pointer what paints it; -1 for a key
 * @property {number} mask
 * @property {Place} last
 * @property {boolean} erases
 */

/** @param {Snapshot[keyof Snapshot]} one @param {Snapshot[keyof Snapshot]} other */
const isEqual = (one, other) => `${one}` === `${other}`;

export class Editor {
  /** The masks; `null` until the image is there. @type {Layers | null} */
  layers = null;
  /** The paths of the dynamic masks. @type {Point[][]} */
  paths = [];
  /** The stroke that is under way. @type {Stroke | null} */
  stroke = null;
  /** @type {Map<number, History<Snapshot>>} */
  #histories = new Map();

  /** @param {<Name extends keyof Offer>(name: Name) => Offer[Name]} get returns what can be edited now */
  constructor(get) {
    this.get = get;
  }

  get mask() {
    return this.get("active");
  }

  /** Whether the mask is one to paint. */
  get paints() {
    return this.get("paints") && this.get("offered").includes(this.mask);
  }

  /** Whether it can be painted now. */
  get canPaint() {
    return this.paints && this.layers !== null;
  }

  /** The path of the mask; the static mask has none. */
  get path() {
    return this.paths[this.mask - 1] ?? [];
  }

  set path(changed) {
    const at = this.mask - 1;
    if (at < 0) return;
    const isNew = at >= this.paths.length;
    this.paths = isNew ? [...this.paths, changed] : replaced(this.paths, at, changed);
  }

  /** The part of the image that the mask covers, from 0 to 1. */
  get share() {
    return this.layers?.share(this.mask) ?? 0;
  }

  /** What can be undone and redone of the mask. */
  get history() {
    const history = this.#histories.get(this.mask) ?? new History();
    this.#histories.set(this.mask, history);
    return history;
  }

  /**
   * Begin with an image. The same one from another source keeps its masks; the kernel sends those of another image.
   * @param {Size} size
   */
  open({ width, height }) {
    if (this.layers?.width !== width || this.layers.height !== height)
      this.layers = new Layers(width, height);
    this.#histories.clear();
  }

  /** Forget the changes of a mask that the kernel has changed. @param {number} mask */
  forget(mask) {
    this.#histories.delete(mask);
  }

  /** Make the next change one that can be undone. */
  record() {
    this.history.record(this.#snapshot());
  }

  /**
   * Change the mask; return whether it can be changed.
   * @param {(layers: Layers) => void} act
   */
  change(act) {
    if (!this.layers || !this.canPaint) return false;
    this.record();
    act(this.layers);
    return true;
  }

  undo() {
    return this.#restore((history, now) => history.undo(now));
  }

  redo() {
    return this.#restore((history, now) => history.redo(now));
  }

  /**
   * Begin a stroke. `extend` paints it.
   * @param {number} pointer what paints it; -1 for a key
   * @param {Place} from
   * @param {boolean} erases
   */
  begin(pointer, from, erases) {
    this.record();
    this.stroke = { pointer, mask: this.mask, last: from, erases };
  }

  /**
   * Paint the stroke on to a place; return the changed area, or `null` if there is none.
   * @param {Place} to
   * @param {number} radius
   */
  extend(to, radius) {
    if (!this.stroke || !this.layers) return null;
    const { mask, last, erases } = this.stroke;
    this.stroke.last = to;
    return this.layers.stroke(mask, last, to, radius, erases);
  }

  /** End the stroke and return it; `null` if there is none. */
  end() {
    const ended = this.stroke;
    this.stroke = null;
    return ended;
  }

  /**
   * Add a point to the path; return whether there was room for it.
   * @param {Point} point
   */
  addPoint(point) {
    const longer = this.mask > 0 ? withPoint(this.path, point, this.get("limit")) : null;
    if (!longer) return false;
    this.record();
    this.path = longer;
    return true;
  }

  /** @returns {Snapshot} */
  #snapshot() {
    return { runs: this.layers?.runs(this.mask) ?? new Uint8Array(), path: this.path };
  }

  /**
   * @param {(history: History<Snapshot>, now: Snapshot) => Snapshot | undefined} step
   * @returns {Changes | null} what has changed; `null` if nothing can be restored
   */
  #restore(step) {
    if (!this.layers || this.stroke) return null;
    const before = this.#snapshot();
    const restored = step(this.history, before);
    if (!restored) return null;
    const changes = {
      mask: !isEqual(restored.runs, before.runs),
      path: !isEqual(restored.path, before.path),
    };
    if (changes.mask) this.layers.setRuns(this.mask, restored.runs);
    if (changes.path) this.path = restored.path;
    return changes;
  }
}
