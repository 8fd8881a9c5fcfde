// @ts-check
// A button that plays the videos on the current page of a sweep together, from the start, without sound and again and
// again.
import { SyncedVideos } from "../review/synced_videos.js";

/** @typedef {{ texts: Record<"play" | "playHelp" | "pause", string> }} State */

const PATIENCE = 10_000; // milliseconds in which the videos should have begun to load

/**
 * Return the videos of a grid that are on the screen: of a link and the saved file, only one is.
 * @param {Element | null} grid
 */
export const visibleVideos = (grid) =>
  [...(grid?.querySelectorAll("video") ?? [])].filter((video) => video.offsetParent !== null);

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  const texts = model.get("texts");
  const videos = new SyncedVideos(30, () => {});
  videos.loop = [0, null];
  /** What the videos were before, for when they play alone again. @type {Map<HTMLVideoElement, boolean>} */
  const muted = new Map();
  /** @type {number | null} */
  let begun = null; // the time at which the videos began to load, while they do
  let frame = 0;

  el.classList.add("qingbo-script-runs");
  const button = document.createElement("button");
  button.className = "lm-Widget jupyter-widgets jupyter-button widget-button qingbo-play-all";
  button.style.width = "auto";
  el.append(button);

  function label() {
    button.textContent = frame ? texts.pause : texts.play;
    button.title = frame ? "" : texts.playHelp;
  }

  function start() {
    videos.all = visibleVideos(el.closest(".qingbo-grid"));
    if (!videos.all.length) return;
    for (const video of videos.all) {
      muted.set(video, video.muted);
      video.loop = false; // all start anew at the same time
    }
    videos.setSound(-1);
    begun = performance.now();
    frame = requestAnimationFrame(update);
    label();
  }

  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
    begun = null;
    videos.pause();
    for (const [video, wasMuted] of muted) {
      video.muted = wasMuted;
      video.loop = true;
      video.playbackRate = 1;
    }
    muted.clear();
    label();
  }

  // At each frame: the page may have been turned, or a cell of it has another video now.
  function update() {
    if (!videos.all.every((video) => video.isConnected)) {
      stop();
      videos.clear();
      return;
    }
    const isPatient = begun !== null && performance.now() - begun < PATIENCE;
    const lost = videos.gather(videos.now, isPatient);
    const isReady = lost !== null && lost.length + videos.playable.length === videos.all.length;
    if (begun !== null && (isReady || !isPatient)) {
      begun = null;
      videos.isPlaying = true;
      videos.seek(0);
    }
    videos.keepInStep();
    frame = requestAnimationFrame(update);
  }

  button.addEventListener("click", () => (frame ? stop() : start()));
  label();
  return () => {
    stop();
    videos.clear();
  };
}

export default { render };
