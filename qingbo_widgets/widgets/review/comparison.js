// @ts-check
// The controls of a comparison.
// The videos are in an output beside this widget: only there does Jupyter resolve their relative paths.
import { LETTERS, SyncedVideos } from "./synced_videos.js";

/** @typedef {"play" | "pause" | "playHelp" | "back" | "backHelp" | "on" | "onHelp" | "time"} PlayText */
/** @typedef {"loopFrom" | "loopFromHelp" | "loopTo" | "loopToHelp" | "noLoop" | "noLoopHelp"} LoopText */
/** @typedef {"speed" | "sound" | "noSound" | "wipe" | "wipeAt" | "wipeUnder" | "wipeOver"} OtherText */
/** @typedef {"lost" | "loading"} MessageText */
/** @typedef {{ count: number, fps: number, texts: Record<PlayText | LoopText | OtherText | MessageText, string> }} State */

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const PATIENCE = 10; // seconds in which a video should have begun to load

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
