// @ts-check
// Several videos that play as one.
import { download, inTurn, isAble, isLost, isOver, isStarting, lengthOf, once } from "./loading.js";

/** @typedef {[begin: number | null, end: number | null]} Loop seconds; `null` for an end that is not set */

export const LETTERS = "ABCDEF";
const NEAR = 0.004; // seconds of drift that are left alone
const FAR = 0.25; // seconds of drift that no change of speed makes up for
const GAIN = 10; // the part of the drift that a second makes up for
const LINES = 3; // of a browser's six connections to a server; the notebook needs the others to save
const DOWNLOADS = 2; // files that are loaded as a whole at a time

/**
 * Return the speed at which a video comes back into step.
 * @param {number} drift seconds that it is ahead of the leader
 * @param {number} rate the speed of the leader
 * @returns {number | null} `null` if it is too far away for that
 */
export function followerSpeed(drift, rate) {
  if (Math.abs(drift) > FAR) return null;
  const change = Math.abs(drift) < NEAR ? 1 : Math.max(0.25, Math.min(2.5, 1 - (GAIN * drift) / rate));
  return Math.max(0.0625, rate * change); // browsers refuse less
}

/**
 * Return a time in the middle of a frame: its edge may belong to the frame before.
 * @param {number} time seconds
 * @param {number} fps frames in a second
 * @param {number} frames how many to go on; negative goes back
 */
export function stepTime(time, fps, frames) {
  const frame = Math.floor(time * fps + 0.001) + frames;
  return (Math.max(0, frame) + 0.5) / fps;
}

/**
 * Return a loop that can be played: its ends may be set in either order, but not at nearly the same time.
 * @param {Loop} ends
 * @returns {Loop}
 */
export function orderLoop([begin, end]) {
  if (begin === null || end === null) return [begin, end];
  if (Math.abs(end - begin) < 0.1) return [Math.min(begin, end), null];
  return begin < end ? [begin, end] : [end, begin];
}

/**
 * Several videos that play as one.
 *
 * One leads, and small changes of their speed keep the others in step with it, so that no correction is seen or
 * heard. Everything that moves the time (a step, a seek, a loop, the start) stops all, seeks all to the same
 * time, and only then plays all.
 *
 * A video that is loaded while it plays keeps a connection to the server. So a few play in that way, and before they
 * start, the others are loaded as a whole, one after the other.
 */
export class SyncedVideos {
  /** Every video, by its letter. @type {HTMLVideoElement[]} */
  all = [];
  /** Those that can be played. @type {HTMLVideoElement[]} */
  playable = [];
  isPlaying = false;
  /** The number of the video that is heard; -1 for none. */
  sound = -1;
  /** @type {Loop} */
  loop = [null, null];
  /** The part of the files that is there, from 0 to 1, while they are loaded as a whole; `null` otherwise. */
  loaded = /** @type {number | null} */ (null);
  #loading = new AbortController();
  /** URLs of the files that are in the page. @type {Map<HTMLVideoElement, string>} */
  #files = new Map();
  /** Those whose files could not be loaded, and that play without. @type {Set<HTMLVideoElement>} */
  #refused = new Set();
  /** The speed. */
  #rate = 1;
  /** Whether the videos are being put on a time. */
  #isMoving = false;
  /** The time to put them on next. @type {number | null} */
  #target = null;
  #fps;
  #changed;

  /**
   * @param {number} fps frames in a second, for the steps
   * @param {() => void} changed called when the time, the loop or the state has changed
   */
  constructor(fps, changed) {
    this.#fps = fps;
    this.#changed = changed;
  }

  /** The time of the longest video, in seconds. */
  get duration() {
    return this.playable.length ? lengthOf(this.#longest) : 0;
  }

  /** The time at which the videos stand, or will, in seconds. */
  get time() {
    return this.#target ?? this.now;
  }

  /** The time at which the leader stands, in seconds. */
  get now() {
    return this.playable.length ? this.#leader.currentTime : 0;
  }

  get #longest() {
    return this.playable.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a));
  }

  /** The video that is heard, so that its speed is never changed; the longest once that one is over. */
  get #leader() {
    const heard = this.all[this.sound];
    return heard && this.playable.includes(heard) && !heard.ended ? heard : this.#longest;
  }

  /** @param {number} rate */
  setRate(rate) {
    this.#rate = rate;
    for (const video of this.playable) video.playbackRate = rate;
  }

  /** @param {number} number of the video to hear; -1 for none */
  setSound(number) {
    this.sound = number;
    this.all.forEach((video, other) => {
      video.muted = other !== number;
    });
  }

  /** @param {Loop} ends */
  setLoop(ends) {
    this.loop = orderLoop(ends);
    this.#changed();
  }

  /** Forget the videos, which are no longer in the page. */
  clear() {
    this.#loading.abort();
    for (const url of this.#files.values()) URL.revokeObjectURL(url);
    this.#files.clear();
    this.#refused.clear();
    this.all = [];
    this.playable = [];
    this.isPlaying = false;
  }

  /**
   * Bring up to date which videos can be played. One that loads late joins the others.
   * @param {number} time at which to go on if that has changed
   * @param {boolean} isPatient whether to wait for those that may still load, as long as none has started
   * @returns {string[] | null} the letters of those that cannot be played; `null` while waiting
   */
  gather(time, isPatient) {
    if (this.loaded !== null) return null; // a video that gets its file cannot be played for a moment
    this.#start();
    const able = this.all.filter(isAble);
    const isLate = (/** @type {HTMLVideoElement} */ video) =>
      isPatient && !able.includes(video) && !isLost(video);
    if (!this.playable.length && this.all.some(isLate)) return null;
    const isSame =
      able.length === this.playable.length && able.every((video) => this.playable.includes(video));
    if (!isSame) {
      this.playable = able;
      this.isPlaying = this.isPlaying && able.length > 0;
      if (able.length) this.seek(time);
    }
    return this.all.flatMap((video, number) =>
      able.includes(video) || isLate(video) ? [] : [LETTERS.charAt(number)],
    );
  }

  /** Let the next videos load what they need for their first frames. */
  #start() {
    const waiting = this.all.filter((video) => video.preload === "none" && !isAble(video) && !isLost(video));
    const free = LINES - this.all.filter(isStarting).length;
    for (const video of waiting.slice(0, Math.max(0, free))) video.preload = "metadata";
  }

  /** @param {number} time seconds */
  seek(time) {
    this.#target = Math.max(0, Math.min(time, this.duration));
    this.#settle();
  }

  play() {
    this.isPlaying = true;
    const time = this.now;
    const [begin, end] = this.loop;
    const isAtEnd = isOver(this.#longest, time) || (end !== null && time >= end);
    this.seek(isAtEnd ? (begin ?? 0) : time);
  }

  pause() {
    this.isPlaying = false;
    this.#loading.abort();
    for (const video of this.playable) {
      video.pause();
      video.preload = "metadata";
    }
    this.seek(this.now);
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** @param {number} frames how many to go on; negative goes back */
  step(frames) {
    this.isPlaying = false;
    this.seek(stepTime(this.time, this.#fps, frames));
  }

  /** Correct what has drifted apart, and go back at the end of the loop. To be called at each frame. */
  keepInStep() {
    if (!this.playable.length || !this.isPlaying || this.#isMoving) return;
    this.#correct();
    this.#changed();
  }

  #correct() {
    const time = this.now;
    const longest = this.#longest;
    const [begin, end] = this.loop;
    if (end !== null && time >= end) return this.seek(begin ?? 0);
    if (isOver(longest, longest.currentTime)) {
      if (begin !== null) return this.seek(begin);
      this.isPlaying = false;
      return this.seek(this.duration);
    }
    // Wait for one that has nothing to play yet.
    if (this.playable.some((video) => video.readyState < 3 && !isOver(video, time))) return this.seek(time);
    const leader = this.#leader;
    for (const video of this.playable) {
      if (video === leader) {
        if (video.playbackRate !== this.#rate) video.playbackRate = this.#rate;
        continue;
      }
      if (isOver(video, time)) continue;
      const speed = followerSpeed(video.currentTime - time, this.#rate);
      if (speed === null) return this.seek(time);
      if (Math.abs(video.playbackRate - speed) > 0.001) video.playbackRate = speed;
    }
  }

  /** Seek all to the target, and go on from there if they are to play. */
  async #settle() {
    if (this.#isMoving) return; // the loop below sees the new target
    this.#isMoving = true;
    while (this.#target !== null) {
      if (this.isPlaying) await this.#loadRest();
      const time = this.#target;
      this.#target = null;
      for (const video of this.playable) video.pause();
      await this.#align(time);
      this.#changed();
    }
    if (this.isPlaying) {
      for (const video of this.playable) video.playbackRate = this.#rate;
      const time = this.now;
      const due = this.playable.filter((video) => !isOver(video, time));
      await Promise.all(due.map((video) => video.play().catch(() => {})));
    }
    this.#isMoving = false;
    if (this.#target !== null) this.#settle();
  }

  /** Load as a whole all files but those that may be loaded while they play. */
  async #loadRest() {
    const isWhole = (/** @type {HTMLVideoElement} */ video) =>
      this.#files.has(video) || this.#refused.has(video) || /^(blob|data):/.test(video.currentSrc);
    const rest = this.playable.filter((video) => !isWhole(video)).slice(LINES);
    if (!rest.length) return;
    this.#loading = new AbortController();
    const parts = new Map(rest.map((video) => [video, 0]));
    this.loaded = 0;
    this.#changed(); // the button says Pause
    await inTurn(rest, DOWNLOADS, async (video) => {
      await this.#loadWhole(video, (part) => {
        parts.set(video, part);
        this.loaded = [...parts.values()].reduce((sum, each) => sum + each, 0) / rest.length;
      });
    });
    this.loaded = null;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {(part: number) => void} received
   */
  async #loadWhole(video, received) {
    const { signal } = this.#loading;
    if (signal.aborted) return;
    try {
      const url = URL.createObjectURL(await download(video.currentSrc, signal, received));
      this.#files.set(video, url);
      const ready = once(video, "loadedmetadata");
      video.src = url;
      await ready;
    } catch {
      if (!signal.aborted) this.#refused.add(video);
    }
  }

  /** @param {number} time seconds */
  async #align(time) {
    await inTurn(this.playable, LINES, async (video) => {
      const own = Math.max(0, Math.min(time, lengthOf(video) - 0.001));
      if (Math.abs(video.currentTime - own) > 1e-4) {
        const arrived = once(video, "seeked");
        video.currentTime = own;
        await arrived;
      }
      if (!this.isPlaying || video.readyState >= 3 || isOver(video, own)) return;
      video.preload = "auto"; // until it can play
      if (video.readyState < 3) await once(video, "canplay");
    });
  }
}
