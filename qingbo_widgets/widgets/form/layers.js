// @ts-check
// The painted masks of one image, without a page: strokes, undo, and the form in which a mask goes to the kernel.
//
// Each pixel of the image is one byte, with one bit for each mask: bit 0 is the static mask, bits 1 to 6 are the
// dynamic ones. Places are pixels from the upper left corner; a pixel's centre is half a pixel further.

/** @typedef {[x: number, y: number]} Place */
/** @typedef {{ x: number, y: number, width: number, height: number }} Area */
/** @typedef {[red: number, green: number, blue: number]} Colour */

/** The parts of 255 that a painted pixel of the mask being edited, or of another one, covers of the image. */
const [EDITED, OTHER] = [150, 90];
/** The edge of the mask being edited, which shows it on an image of its own colour too. */
const EDGE = 0xffffffff;

export class Layers {
  /**
   * @param {number} width pixels
   * @param {number} height pixels
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height);
  }

  /** @returns {Area} */
  get whole() {
    return { x: 0, y: 0, width: this.width, height: this.height };
  }

  /**
   * Paint or erase along a line with a round brush.
   * @param {number} layer
   * @param {Place} from
   * @param {Place} to the same place for a dab
   * @param {number} radius
   * @param {boolean} erases
   * @returns {Area | null} the changed area; `null` if the line is outside the image
   */
  stroke(layer, [fromX, fromY], [toX, toY], radius, erases = false) {
    const left = Math.max(Math.floor(Math.min(fromX, toX) - radius), 0);
    const top = Math.max(Math.floor(Math.min(fromY, toY) - radius), 0);
    const right = Math.min(Math.ceil(Math.max(fromX, toX) + radius), this.width);
    const bottom = Math.min(Math.ceil(Math.max(fromY, toY) + radius), this.height);
    if (left >= right || top >= bottom) return null;
    const [alongX, alongY] = [toX - fromX, toY - fromY];
    const length = alongX * alongX + alongY * alongY;
    const bit = 1 << layer;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const [px, py] = [x + 0.5 - fromX, y + 0.5 - fromY];
        const part = length ? Math.min(Math.max((px * alongX + py * alongY) / length, 0), 1) : 0;
        const [dx, dy] = [px - part * alongX, py - part * alongY];
        if (dx * dx + dy * dy > radius * radius) continue;
        if (erases) this.pixels[y * this.width + x] &= ~bit;
        else this.pixels[y * this.width + x] |= bit;
      }
    }
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  /**
   * Return whether the pixel at a place is painted.
   * @param {number} layer
   * @param {Place} place
   */
  has(layer, [x, y]) {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const isInside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    return isInside && (this.pixels[row * this.width + column] & (1 << layer)) !== 0;
  }

  /** @param {number} layer */
  clear(layer) {
    for (let at = 0; at < this.pixels.length; at++) this.pixels[at] &= ~(1 << layer);
  }

  /** @param {number} layer */
  invert(layer) {
    for (let at = 0; at < this.pixels.length; at++) this.pixels[at] ^= 1 << layer;
  }

  /**
   * Return the part of the image that a mask covers, from 0 to 1.
   * @param {number} layer
   */
  share(layer) {
    let count = 0;
    for (const pixel of this.pixels) count += (pixel >> layer) & 1;
    return count / this.pixels.length;
  }

  /**
   * Return a mask as the lengths of its runs, row by row from the upper left corner: unpainted, painted, unpainted, …
   * Each length is a variable-length integer: seven bits a byte, the lowest first, the eighth bit if more follow.
   * @param {number} layer
   */
  runs(layer) {
    /** @type {number[]} */
    const bytes = [];
    let [painted, start] = [0, 0];
    for (let at = 0; at <= this.pixels.length; at++) {
      const now = at < this.pixels.length ? (this.pixels[at] >> layer) & 1 : -1;
      if (now === painted) continue;
      let length = at - start;
      for (; length > 127; length = Math.floor(length / 128)) bytes.push((length % 128) + 128);
      bytes.push(length);
      [painted, start] = [now, at];
    }
    return Uint8Array.from(bytes);
  }

  /**
   * Replace a mask by what `runs` returned.
   * @param {number} layer
   * @param {Uint8Array} runs of an image of the same size
   */
  setRuns(layer, runs) {
    this.clear(layer);
    let [at, length, factor, painted] = [0, 0, 1, 0];
    for (const byte of runs) {
      length += (byte % 128) * factor;
      factor *= 128;
      if (byte > 127) continue;
      const end = Math.min(at + length, this.pixels.length);
      if (painted) for (; at < end; at++) this.pixels[at] |= 1 << layer;
      [at, length, factor, painted] = [end, 0, 1, 1 - painted];
    }
  }

  /**
   * Replace a mask by an image of the same size: its opaque part or, if it has no transparency, its light part.
   * @param {number} layer
   * @param {Uint8ClampedArray} colours red, green, blue and alpha of each pixel
   */
  setImage(layer, colours) {
    let isOpaque = true;
    for (let at = 3; isOpaque && at < colours.length; at += 4) isOpaque = colours[at] === 255;
    this.clear(layer);
    for (let pixel = 0, at = 0; pixel < this.pixels.length; pixel++, at += 4) {
      const light = 0.299 * colours[at] + 0.587 * colours[at + 1] + 0.114 * colours[at + 2];
      if ((isOpaque ? light : colours[at + 3]) >= 128) this.pixels[pixel] |= 1 << layer;
    }
  }

  /** The pixels of the edge of a mask, so many that it can be seen if the whole image is on a screen. */
  get edge() {
    return Math.max(Math.round(Math.max(this.width, this.height) / 700), 1);
  }

  /**
   * Return an area with the edge that is drawn around it.
   * @param {Area} area
   * @returns {Area}
   */
  around({ x, y, width, height }) {
    const [left, top] = [Math.max(x - this.edge, 0), Math.max(y - this.edge, 0)];
    const right = Math.min(x + width + this.edge, this.width);
    const bottom = Math.min(y + height + this.edge, this.height);
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  /**
   * Return an area of all masks as colours, half transparent; the one that is edited has a white edge.
   * @param {Area} area
   * @param {Uint32Array} table what `colourTable` returned
   * @param {number} edited the layer that is edited
   */
  picture({ x, y, width, height }, table, edited) {
    const colours = new Uint32Array(width * height);
    const { pixels, edge } = this;
    const bit = 1 << edited;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [across, down] = [x + column, y + row];
        const at = down * this.width + across;
        const isEdge =
          pixels[at] & bit &&
          ((across >= edge && !(pixels[at - edge] & bit)) ||
            (across + edge < this.width && !(pixels[at + edge] & bit)) ||
            (down >= edge && !(pixels[at - edge * this.width] & bit)) ||
            (down + edge < this.height && !(pixels[at + edge * this.width] & bit)));
        colours[row * width + column] = isEdge ? EDGE : table[pixels[at]];
      }
    }
    return new Uint8ClampedArray(colours.buffer);
  }
}

/**
 * Return the colour of each possible byte of a pixel: that of the edited mask, or of the first other one.
 * @param {Colour[]} colours of each layer
 * @param {number} edited the layer that is edited
 */
export function colourTable(colours, edited) {
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let pixel = 1; pixel < 256; pixel++) {
    const isEdited = (pixel >> edited) & 1;
    const layer = isEdited ? edited : colours.findIndex((_, other) => (pixel >> other) & 1);
    if (layer >= 0) bytes.set([...colours[layer], isEdited ? EDITED : OTHER], pixel * 4);
  }
  return new Uint32Array(bytes.buffer);
}

/**
 * The states before and after the current one.
 * @template State
 */
export class History {
  /** @param {number} limit the most steps that can be undone */
  constructor(limit = 100) {
    this.limit = limit;
    /** @type {State[]} */
    this.past = [];
    /** @type {State[]} */
    this.future = [];
  }

  /**
   * Remember the state before a change.
   * @param {State} before
   */
  record(before) {
    this.past = [...this.past, before].slice(-this.limit);
    this.future = [];
  }

  /**
   * Return the state before the last change; `undefined` if there was none.
   * @param {State} now
   */
  undo(now) {
    const state = this.past.pop();
    if (state !== undefined) this.future.push(now);
    return state;
  }

  /**
   * Return the state after the last undone change; `undefined` if there is none.
   * @param {State} now
   */
  redo(now) {
    const state = this.future.pop();
    if (state !== undefined) this.past.push(now);
    return state;
  }
}
