// @ts-check
// Painted masks on their way between the page and the kernel.
//
// A mask goes to the kernel when the painting pauses, and before anything else on the page is clicked: messages arrive in
// the order in which they were sent, so a click on Generate finds it there.

/** @typedef {import("./layers.js").Layers} Layers */
/** @typedef {import("./points.js").Size} Size */

/** Milliseconds without a stroke after which a mask is sent. */
const PAUSE = 300;

/**
 * @typedef {object} Exchange
 * @property {(mask: number) => void} soon send a mask when the painting pauses
 * @property {() => void} flush send the painted masks now, unless a stroke is under way
 * @property {(message: { kind: string, mask: number }, buffers: DataView[]) => Promise<void>} receive show the content of a
 *   mask that was loaded, or is empty
 */

/**
 * Return the functions that send painted masks, and take those that the kernel sends.
 * @param {(content: object, buffers: ArrayBuffer[]) => void} send
 * @param {object} canvas
 * @param {() => Layers | null} canvas.layers the masks; `null` until the image is there
 * @param {() => number | null} canvas.painting the mask that a stroke is painting now
 * @param {(mask: number) => void} canvas.changed called when the kernel has changed a mask
 * @returns {Exchange}
 */
export function exchange(send, { layers, painting, changed }) {
  /** The painted masks that the kernel does not have yet. @type {Set<number>} */
  const unsent = new Set();
  /** The number of the last content that came for each mask. @type {Map<number, number>} */
  const arrivals = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {number} mask */
  function soon(mask) {
    unsent.add(mask);
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE);
  }
  function flush() {
    clearTimeout(timer);
    const painted = layers();
    if (!painted || painting() !== null) return;
    for (const mask of [...unsent].sort()) {
      const { buffer } = painted.runs(mask);
      const { width, height } = painted; // an image that is being loaded again has no size
      send({ kind: "painted", mask, width, height }, [/** @type {ArrayBuffer} */ (buffer)]);
    }
    unsent.clear();
  }
  /** @type {Exchange["receive"]} */
  async function receive({ kind, mask }, buffers) {
    const target = layers();
    if (kind !== "mask" || !target || unsent.has(mask) || painting() === mask) return;
    const arrival = (arrivals.get(mask) ?? 0) + 1;
    arrivals.set(mask, arrival);
    const colours = buffers.length ? await decode(buffers[0], target) : null;
    if (arrivals.get(mask) !== arrival || target !== layers() || unsent.has(mask)) return;
    if (colours) target.setImage(mask, colours);
    else target.clear(mask);
    changed(mask);
  }
  return { soon, flush, receive };
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
