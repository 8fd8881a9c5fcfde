// One set of controls for the videos that stand in the same comparison, and what keeps them in step.
// The videos are in an output beside this widget: only there does Jupyter resolve their relative paths.
//
// One video leads, the others are nudged after it by their speed, so that no correction is seen or heard.
// Everything that moves the time (a step, a seek, a loop, the start) stops all, puts all on the same time,
// and only then goes on together.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const LETTERS = "ABCDEF";
const NEAR = 0.004; // seconds of drift that are left alone
const FAR = 0.25; // seconds of drift that no nudge mends
const GAIN = 10; // of the drift, so much is made up in a second
const PATIENCE = 10; // seconds in which a video should have begun to load

function make(name, properties, parent, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  parent?.append(element);
  return element;
}

const once = (video, event, seconds = 10) =>
  new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      for (const name of [event, "error"]) video.removeEventListener(name, end);
      done();
    };
    const timer = setTimeout(end, 1000 * seconds); // a video that never answers must not stop the others
    for (const name of [event, "error"]) video.addEventListener(name, end);
  });

// While Jupyter finds out where a file is, its video has an empty source, and an error for that.
const isAble = (video) => video.readyState > 0 && !video.error;
const isLost = (video) => !video.hasAttribute("src") || (video.error && video.getAttribute("src"));
const length = (video) => (Number.isFinite(video.duration) ? video.duration : 0);

function render({ model, el }) {
  const fps = model.get("fps");
  const texts = model.get("texts");
  let root = null;
  let all = []; // by their letters
  let videos = []; // of those, the ones that can be played
  let due = 0;
  let asked = 0;
  let isPlaying = false;
  let isMoving = false;
  let target = null; // the time that all are to be put on
  let loop = [null, null];
  let rate = 1;
  let sound = -1;
  let pair = [0, 1];

  // ---------------------------------------------------------------- the controls

  const box = make("fieldset", { className: "qingbo-controls", disabled: true }, el);
  const button = (text, title, act, parent = box) =>
    make("button", { textContent: text, title, type: "button", onclick: act, className: "jupyter-button" }, parent);
  const choice = (label, options, act, parent = box) => {
    const select = make("select", { onchange: () => act(Number(select.value)), ariaLabel: label });
    for (const [text, value] of options) make("option", { textContent: text, value }, select);
    make("label", {}, parent, `${label} `, select);
    return select;
  };
  const toggle = button(texts.play, texts.playHelp, () => (isPlaying ? pause() : play()));
  button(texts.back, texts.backHelp, () => step(-1));
  button(texts.on, texts.onHelp, () => step(1));
  const bar = make("input", { type: "range", min: 0, max: 1, step: "any", value: 0, ariaLabel: texts.time }, box);
  bar.oninput = () => seek(Number(bar.value));
  const clock = make("span", { className: "qingbo-clock" }, box);
  const loopBox = make("span", { className: "qingbo-loop" }, box);
  const from = button(texts.loopFrom, texts.loopFromHelp, () => setLoop([now(), loop[1]]), loopBox);
  const to = button(texts.loopTo, texts.loopToHelp, () => setLoop([loop[0], now()]), loopBox);
  button(texts.noLoop, texts.noLoopHelp, () => setLoop([null, null]), loopBox);
  choice(texts.speed, SPEEDS.map((speed) => [`${speed}×`, speed]), (speed) => {
    rate = speed;
    for (const video of videos) video.playbackRate = rate;
  }).value = 1;
  const count = model.get("count");
  const each = [...LETTERS.slice(0, count)].map((letter, number) => [letter, number]);
  choice(texts.sound, [[texts.noSound, -1], ...each], (chosen) => {
    sound = chosen;
    listen();
  });
  const wipeBox = make("span", { className: "qingbo-wipe-box" }, box);
  const wipe = make("input", { type: "checkbox", onchange: () => lay() });
  make("label", {}, wipeBox, wipe, ` ${texts.wipe}`);
  const edge = make("input", { type: "range", min: 0, max: 100, value: 50, ariaLabel: texts.wipeAt, oninput: () => lay() }, wipeBox);
  if (count > 2) {
    choice(texts.wipeUnder, each, (n) => { pair[0] = n; lay(); }, wipeBox).value = 0;
    choice(texts.wipeOver, each, (n) => { pair[1] = n; lay(); }, wipeBox).value = 1;
  }

  const told = make("div", { className: "qingbo-lost", role: "status" }, box);

  // ---------------------------------------------------------------- time

  const longest = () => videos.reduce((a, b) => (length(b) > length(a) ? b : a));
  const whole = () => (videos.length ? length(longest()) : 0);
  const isOver = (video, time) => time >= length(video) - 0.01;
  // Who is heard leads: its speed is never touched. When it is over, the longest takes its place.
  const leader = () => {
    const heard = all[sound];
    return videos.includes(heard) && !heard.ended ? heard : longest();
  };
  const now = () => (videos.length ? leader().currentTime : 0);

  async function align(time) {
    await Promise.all(
      videos.map(async (video) => {
        const own = Math.max(0, Math.min(time, length(video) - 0.001));
        if (Math.abs(video.currentTime - own) > 1e-4) {
          const arrived = once(video, "seeked");
          video.currentTime = own;
          await arrived;
        }
        if (video.readyState < 3 && !isOver(video, own)) await once(video, "canplay");
      }),
    );
  }

  async function settle() {
    if (isMoving) return;
    isMoving = true;
    while (target !== null) {
      const time = target;
      target = null;
      for (const video of videos) video.pause();
      await align(time);
      show();
    }
    if (isPlaying) {
      for (const video of videos) video.playbackRate = rate;
      const time = now();
      await Promise.all(videos.map((video) => !isOver(video, time) && video.play().catch(() => {})));
    }
    isMoving = false;
    if (target !== null) settle();
  }

  function seek(time) {
    target = Math.max(0, Math.min(time, whole()));
    settle();
  }
  function play() {
    isPlaying = true;
    const time = now();
    const isOut = isOver(longest(), time) || (loop[1] !== null && time >= loop[1]);
    seek(isOut ? (loop[0] ?? 0) : time);
  }
  function pause() {
    isPlaying = false;
    for (const video of videos) video.pause();
    seek(now());
  }
  function step(frames) {
    isPlaying = false;
    // The middle of a frame: its edge may belong to the one before.
    const frame = Math.floor((target ?? now()) * fps + 0.001) + frames;
    seek((Math.max(0, frame) + 0.5) / fps);
  }
  function setLoop([begin, end]) {
    loop = begin !== null && end !== null && end - begin < 0.1 ? [Math.min(begin, end), null] : [begin, end];
    if (loop[0] !== null && loop[1] !== null && loop[0] > loop[1]) loop.reverse();
    show();
  }

  function keepInStep() {
    const time = now();
    if (loop[1] !== null && time >= loop[1]) return seek(loop[0] ?? 0);
    if (isOver(longest(), longest().currentTime)) {
      if (loop[0] !== null) return seek(loop[0]);
      isPlaying = false;
      return seek(whole());
    }
    if (videos.some((video) => video.readyState < 3 && !isOver(video, time))) return seek(time); // wait for it
    const first = leader();
    for (const video of videos) {
      if (video === first) {
        if (video.playbackRate !== rate) video.playbackRate = rate;
        continue;
      }
      if (isOver(video, time)) continue;
      const drift = video.currentTime - time;
      if (Math.abs(drift) > FAR) return seek(time);
      const nudge = Math.abs(drift) < NEAR ? 1 : Math.max(0.25, Math.min(2.5, 1 - (GAIN * drift) / rate));
      const wanted = Math.max(0.0625, rate * nudge);
      if (Math.abs(video.playbackRate - wanted) > 0.001) video.playbackRate = wanted;
    }
  }

  // ---------------------------------------------------------------- what is seen

  function show() {
    toggle.textContent = isPlaying ? texts.pause : texts.play;
    const time = target ?? now();
    bar.max = whole() || 1;
    bar.value = time;
    clock.textContent = `${time.toFixed(2)} / ${whole().toFixed(2)} s`;
    const named = (text, second) => (second === null ? text : `${text}: ${second.toFixed(2)} s`);
    from.textContent = named(texts.loopFrom, loop[0]);
    to.textContent = named(texts.loopTo, loop[1]);
  }

  function listen() {
    all.forEach((video, number) => (video.muted = number !== sound));
  }

  function lay() {
    const [under, over] = pair;
    const isOn = wipe.checked && under !== over;
    edge.disabled = !isOn;
    all.forEach((video, number) => {
      const figure = video.closest("figure");
      const isOne = number === under || number === over;
      figure.style.display = isOn && !isOne ? "none" : "";
      figure.style.gridArea = isOn ? "1 / 1 / 2 / -1" : "";
      figure.style.pointerEvents = isOn && number === over ? "none" : "";
      video.style.clipPath = isOn && number === over ? `inset(0 0 0 ${edge.value}%)` : "";
      figure.querySelector("figcaption").style.textAlign = isOn && number === over ? "right" : "";
    });
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (!videos.length) return;
    const act = { " ": () => (isPlaying ? pause() : play()), ArrowLeft: () => step(-1), ArrowRight: () => step(1) };
    if (!(event.key in act) || (event.key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    act[event.key]();
  }
  function clicked(event) {
    if (!event.target.closest("input, select, button, label"))
      setTimeout(() => root?.focus({ preventScroll: true }), 0);
  }

  // ---------------------------------------------------------------- the page

  function find() {
    root = el.closest(".qingbo-comparison");
    const found = root ? [...root.querySelectorAll("figure video")] : [];
    if (found.length !== count) return;
    all = found;
    due = performance.now() + 1000 * PATIENCE;
    root.tabIndex = 0;
    root.dataset.lmSuppressShortcuts = "true"; // its keys are not the notebook's
    root.onkeydown = pressed;
    root.onpointerdown = clicked;
    listen();
    lay();
  }

  // Those that can be played do not wait for ever for those that cannot. One that loads late joins them.
  function gather() {
    const able = all.filter(isAble);
    const isOpen = all.some((video) => !isAble(video) && !isLost(video)) && performance.now() < due;
    if (isOpen && !videos.length) return;
    const lost = [...LETTERS].filter((_, number) => all[number] && !able.includes(all[number]));
    const text = lost.map((letter) => texts.lost.replace("{letter}", letter)).join(" ");
    if (told.textContent !== text) told.textContent = text;
    if (able.length === videos.length && able.every((video) => videos.includes(video))) return;
    videos = able;
    box.disabled = !videos.length;
    isPlaying = isPlaying && videos.length > 0;
    if (videos.length) seek(Number(bar.value));
  }

  // At each frame: the page may draw the output later than this, draw it anew, or take it away.
  function look() {
    if (!all.length || !all[0].isConnected) {
      all = [];
      videos = [];
      isPlaying = false;
      box.disabled = true;
      bar.value = 0;
      find();
    } else {
      gather();
    }
    if (videos.length && isPlaying && !isMoving) {
      keepInStep();
      show();
    }
    asked = requestAnimationFrame(look);
  }
  show();
  look();
  return () => {
    cancelAnimationFrame(asked);
    for (const video of videos) video.pause();
  };
}

export default { render };
