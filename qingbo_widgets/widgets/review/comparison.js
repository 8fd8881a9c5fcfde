// @ts-check
// The controls of a comparison, and what keeps its videos in step.
// The videos are in an output beside this widget: only there does Jupyter resolve their relative paths.

/** @typedef {"play" | "pause" | "playHelp" | "back" | "backHelp" | "on" | "onHelp" | "time"} PlayText */
/** @typedef {"loopFrom" | "loopFromHelp" | "loopTo" | "loopToHelp" | "noLoop" | "noLoopHelp"} LoopText */
/** @typedef {"speed" | "sound" | "noSound" | "wipe" | "wipeAt" | "wipeUnder" | "wipeOver"} OtherText */
/** @typedef {"lost" | "loading"} MessageText */
/** @typedef {{ count: number, fps: number, texts: Record<PlayText | LoopText | OtherText | MessageText, string> }} State */
/** @typedef {[begin: number | null, end: number | null]} Loop seconds; `null` for an end that is not set */

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const LETTERS = "ABCDEF";
const NEAR = 0.004; // seconds of drift that are left alone
const FAR = 0.25; // seconds of drift that no change of speed makes up for
const GAIN = 10; // the part of the drift that a second makes up for
const PATIENCE = 10; // seconds in which a video should have begun to load
const LINES = 3; // of a browser's six connections to a server; the notebook needs the others to save
const DOWNLOADS = 2; // files that are loaded as a whole at a time

/**
 * Wait for an event or an error. A video that never answers must not stop the others.
 * @param {HTMLVideoElement} video
 * @param {"seeked" | "canplay" | "loadedmetadata"} event
 * @param {number} [seconds] when to give up
 * @returns {Promise<void>}
 */
const once = (video, event, seconds = 10) =>
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
async function inTurn(items, width, act) {
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
async function download(url, signal, received) {
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
const isAble = (video) => video.readyState > 0 && !video.error;
/**
 * Return whether a video will never play. While Jupyter resolves a path, the video has an empty source, and an
 * error because of that.
 * @param {HTMLVideoElement} video
 */
const isLost = (video) => !video.hasAttribute("src") || Boolean(video.error && video.getAttribute("src"));
/**
 * Return whether a video is being loaded for the first time.
 * @param {HTMLVideoElement} video
 */
const isStarting = (video) => video.preload !== "none" && !isAble(video) && !isLost(video);
/** @param {HTMLVideoElement} video */
const lengthOf = (video) => (Number.isFinite(video.duration) ? video.duration : 0);
/**
 * @param {HTMLVideoElement} video
 * @param {number} time
 */
const isOver = (video, time) => time >= lengthOf(video) - 0.01;

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
 * Return the command of a key.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">} event
 * @param {{ isInField: boolean, isOnButton: boolean }} focus what has the focus
 * @returns {"toggle" | "back" | "on" | null} `null` if the key is not for the comparison
 */
export function commandOf(event, { isInField, isOnButton }) {
  if (event.ctrlKey || event.metaKey || event.altKey || isInField) return null;
  if (event.key === "ArrowLeft") return "back";
  if (event.key === "ArrowRight") return "on";
  return event.key === " " && !isOnButton ? "toggle" : null; // a space presses the button
}

/**
 * Return the style of one figure, while one video is wiped over another or not.
 * @param {number} number of the figure
 * @param {{ under: number, over: number, edge: string } | null} wipe the numbers of both, and the percentage
 *     at which they meet; `null` to show all side by side
 */
export function figureStyle(number, wipe) {
  const isOver = wipe !== null && number === wipe.over;
  const isHidden = wipe !== null && !isOver && number !== wipe.under;
  return {
    display: isHidden ? "none" : "",
    gridArea: wipe ? "1 / 1 / 2 / -1" : "",
    pointerEvents: isOver ? "none" : "",
    clipPath: isOver ? `inset(0 0 0 ${wipe.edge}%)` : "",
    textAlign: isOver ? "right" : "",
  };
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

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} properties
 * @param {Element | null} [parent]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
function make(name, properties, parent, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  parent?.append(element);
  return element;
}

/** @type {import("@anywidget/types").Render<State>} */
function render({ model, el }) {
  const texts = model.get("texts");
  const count = model.get("count");
  const videos = new SyncedVideos(model.get("fps"), show);
  /** @type {HTMLElement | null} */
  let root = null;
  let due = 0;
  let frame = 0;
  const pair = { under: 0, over: 1 };

  // ---------------------------------------------------------------- the controls

  el.classList.add("qingbo-script-runs");
  const box = make("fieldset", { className: "qingbo-controls", disabled: true }, el);
  /**
   * @param {string} text
   * @param {string} title
   * @param {() => void} act
   * @param {HTMLElement} [parent]
   */
  const button = (text, title, act, parent = box) => {
    const className = "jupyter-button";
    return make("button", { textContent: text, title, type: "button", onclick: act, className }, parent);
  };
  /**
   * @param {string} label
   * @param {[text: string, value: number][]} options
   * @param {number} chosen
   * @param {(value: number) => void} act
   * @param {HTMLElement} [parent]
   */
  const choice = (label, options, chosen, act, parent = box) => {
    const select = make("select", { onchange: () => act(Number(select.value)), ariaLabel: label });
    for (const [text, value] of options) make("option", { textContent: text, value: `${value}` }, select);
    select.value = `${chosen}`;
    make("label", {}, parent, `${label} `, select);
  };
  /**
   * @param {string} max
   * @param {string} value
   * @param {string} label
   * @param {(value: string) => void} act
   * @param {HTMLElement} parent
   */
  const slider = (max, value, label, act, parent) => {
    const step = max === "1" ? "any" : "1";
    const input = make("input", { type: "range", min: "0", max, step, value, ariaLabel: label }, parent);
    input.oninput = () => act(input.value);
    return input;
  };
  const toggle = button(texts.play, texts.playHelp, () => videos.toggle());
  button(texts.back, texts.backHelp, () => videos.step(-1));
  button(texts.on, texts.onHelp, () => videos.step(1));
  const bar = slider("1", "0", texts.time, (time) => videos.seek(Number(time)), box);
  const clock = make("span", { className: "qingbo-clock" }, box);
  const loopBox = make("span", { className: "qingbo-loop" }, box);
  const setBegin = () => videos.setLoop([videos.now, videos.loop[1]]);
  const setEnd = () => videos.setLoop([videos.loop[0], videos.now]);
  const from = button(texts.loopFrom, texts.loopFromHelp, setBegin, loopBox);
  const to = button(texts.loopTo, texts.loopToHelp, setEnd, loopBox);
  button(texts.noLoop, texts.noLoopHelp, () => videos.setLoop([null, null]), loopBox);
  choice(
    texts.speed,
    SPEEDS.map((speed) => [`${speed}×`, speed]),
    1,
    (speed) => videos.setRate(speed),
  );
  /** @type {[string, number][]} */
  const each = [...LETTERS.slice(0, count)].map((letter, number) => [letter, number]);
  choice(texts.sound, [[texts.noSound, -1], ...each], -1, (number) => videos.setSound(number));
  const wipeBox = make("span", { className: "qingbo-wipe-box" }, box);
  const wipe = make("input", { type: "checkbox", onchange: arrange });
  make("label", {}, wipeBox, wipe, ` ${texts.wipe}`);
  const edge = slider("100", "50", texts.wipeAt, arrange, wipeBox);
  /** @param {"under" | "over"} role */
  const choosePart = (role) => (/** @type {number} */ number) => {
    pair[role] = number;
    arrange();
  };
  if (count > 2) {
    choice(texts.wipeUnder, each, pair.under, choosePart("under"), wipeBox);
    choice(texts.wipeOver, each, pair.over, choosePart("over"), wipeBox);
  }
  const message = make("div", { className: "qingbo-lost", role: "status" }, box);

  // ---------------------------------------------------------------- what is seen

  function show() {
    const { time, duration, loop } = videos;
    toggle.textContent = videos.isPlaying ? texts.pause : texts.play;
    bar.max = `${duration || 1}`;
    bar.value = `${time}`;
    clock.textContent = `${time.toFixed(2)} / ${duration.toFixed(2)} s`;
    /**
     * @param {string} text
     * @param {number | null} second
     */
    const named = (text, second) => (second === null ? text : `${text}: ${second.toFixed(2)} s`);
    from.textContent = named(texts.loopFrom, loop[0]);
    to.textContent = named(texts.loopTo, loop[1]);
  }

  function arrange() {
    const isOn = wipe.checked && pair.under !== pair.over;
    edge.disabled = !isOn;
    videos.all.forEach((video, number) => {
      const style = figureStyle(number, isOn ? { ...pair, edge: edge.value } : null);
      const figure = video.closest("figure");
      const caption = figure?.querySelector("figcaption");
      if (!figure || !caption) return;
      figure.style.display = style.display;
      figure.style.gridArea = style.gridArea;
      figure.style.pointerEvents = style.pointerEvents;
      video.style.clipPath = style.clipPath;
      caption.style.textAlign = style.textAlign;
    });
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    const target = /** @type {Element} */ (event.target);
    const isInField = target.closest("input, select, textarea") !== null;
    const command = commandOf(event, { isInField, isOnButton: target.closest("button") !== null });
    if (!command || !videos.playable.length) return;
    event.preventDefault();
    if (command === "toggle") videos.toggle();
    else videos.step(command === "back" ? -1 : 1);
  }

  /** @param {PointerEvent} event */
  function clicked(event) {
    const target = /** @type {Element} */ (event.target);
    if (!target.closest("input, select, button, label"))
      setTimeout(() => root?.focus({ preventScroll: true }), 0);
  }

  // ---------------------------------------------------------------- the page

  function find() {
    root = el.closest(".qingbo-comparison");
    const found = root?.querySelectorAll("figure video");
    if (!root || found?.length !== count) return;
    videos.all = /** @type {HTMLVideoElement[]} */ ([...found]);
    due = performance.now() + 1000 * PATIENCE;
    // Until now each video could be played by itself.
    for (const video of videos.all) video.controls = false;
    root.tabIndex = 0;
    root.dataset.lmSuppressShortcuts = "true"; // or the notebook would act on the keys, too
    root.onkeydown = pressed;
    root.onpointerdown = clicked;
    videos.setSound(videos.sound);
    arrange();
  }

  /** @param {string} text */
  function say(text) {
    if (message.textContent !== text) message.textContent = text;
  }

  function gather() {
    const before = videos.playable.length;
    const lost = videos.gather(Number(bar.value), performance.now() < due);
    if (videos.playable.length > before) due = performance.now() + 1000 * PATIENCE; // for the next ones
    if (videos.loaded !== null)
      say(texts.loading.replace("{percent}", `${10 * Math.floor(10 * videos.loaded)}`));
    if (!lost) return;
    say(lost.map((letter) => texts.lost.replace("{letter}", letter)).join(" "));
    if (box.disabled !== !videos.playable.length) box.disabled = !box.disabled;
  }

  // At each frame: the page may draw the output later than this, draw it anew, or take it away.
  function update() {
    if (!videos.all[0]?.isConnected) {
      videos.clear();
      box.disabled = true;
      bar.value = "0";
      find();
    } else {
      gather();
    }
    videos.keepInStep();
    frame = requestAnimationFrame(update);
  }
  show();
  update();
  return () => {
    cancelAnimationFrame(frame);
    for (const video of videos.playable) video.pause();
    videos.clear();
  };
}

export default { render };
