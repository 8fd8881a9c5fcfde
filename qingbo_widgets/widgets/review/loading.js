// @ts-check
// One video of several: what state it is in, and how it is loaded without taking all of the page's connections.

/**
 * Wait for an event or an error. A video that never answers must not stop the others.
 * @param {HTMLVideoElement} video
 * @param {"seeked" | "canplay" | "loadedmetadata"} event
 * @param {number} [seconds] when to give up
 * @returns {Promise<void>}
 */
export const once = (video, event, seconds = 10) =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const name of [event, "error"]) video.removeEventListener(name, end);
      resolve();
    };
    const timer = setTimeout(end, 1000 * seconds);
    for (const name of [event, "error"]) video.addEventListener(name, end);
  });

/**
 * Do something with each item, with only a few at the same time.
 * @template Item
 * @param {Item[]} items
 * @param {number} width how many at the same time
 * @param {(item: Item) => Promise<void>} act
 */
export async function inTurn(items, width, act) {
  const waiting = [...items];
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}

/**
 * Load a file as a whole.
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {(part: number) => void} received called with the part that is there, from 0 to 1
 */
export async function download(url, signal, received) {
  const answer = await fetch(url, { signal });
  if (!answer.ok || !answer.body) throw new Error(`${answer.status}`);
  const size = Number(answer.headers.get("Content-Length"));
  const reader = answer.body.getReader();
  const parts = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    length += read.value.length;
    if (size) received(length / size);
  }
  return new Blob(parts, { type: "video/mp4" });
}

/** @param {HTMLVideoElement} video */
export const isAble = (video) => video.readyState > 0 && !video.error;
/**
 * Return whether a video will never play. While Jupyter resolves a path, the video has an empty source, and an
 * error because of that.
 * @param {HTMLVideoElement} video
 */
export const isLost = (video) =>
  !video.hasAttribute("src") || Boolean(video.error && video.getAttribute("src"));
/**
 * Return whether a video is being loaded for the first time.
 * @param {HTMLVideoElement} video
 */
export const isStarting = (video) => video.preload !== "none" && !isAble(video) && !isLost(video);
/** @param {HTMLVideoElement} video */
export const lengthOf = (video) => (Number.isFinite(video.duration) ? video.duration : 0);
/**
 * @param {HTMLVideoElement} video
 * @param {number} time
 */
export const isOver = (video, time) => time >= lengthOf(video) - 0.01;
