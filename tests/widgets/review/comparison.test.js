// synced_videos.js: videos that play as one, with videos whose clocks are the tests' own; the keys of comparison.js.

import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf, figureStyle } from "../../../qingbo_widgets/widgets/review/comparison.js";
import {
  followerSpeed,
  orderLoop,
  SyncedVideos,
  stepTime,
} from "../../../qingbo_widgets/widgets/review/synced_videos.js";

const FPS = 30;
const FRAME = 1 / FPS;

/** As much of a video element as the module uses. It plays while `tick` is called, at a clock of its own. */
class Video extends EventTarget {
  paused = true;
  muted = true;
  playbackRate = 1;
  readyState = 4;
  error = null;
  src = "clip.mp4";
  seeks = [];
  /** Whether it answers a seek at once; otherwise `arrive` does. */
  isQuick = true;
  #time = 0;

  constructor(duration = 10, clock = 1) {
    super();
    this.duration = duration;
    this.clock = clock;
  }
  get currentTime() {
    return this.#time;
  }
  set currentTime(time) {
    this.#time = time;
    this.seeks.push(time);
    if (this.isQuick) this.arrive();
  }
  get ended() {
    return this.#time >= this.duration;
  }
  arrive() {
    queueMicrotask(() => this.dispatchEvent(new Event("seeked")));
  }
  hasAttribute(name) {
    return name === "src" && this.src !== null;
  }
  getAttribute() {
    return this.src;
  }
  /** As a browser: from the beginning, if it was at its end. What it promises is kept once it has `started`. */
  async play() {
    if (this.ended) this.#time = 0;
    this.paused = false;
    await this.started;
  }
  pause() {
    this.paused = true;
  }
  tick(seconds) {
    if (this.paused) return;
    this.#time = Math.min(this.duration, this.#time + seconds * this.clock * this.playbackRate);
    if (this.ended) this.paused = true;
  }
}

/** Let everything that was promised happen. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function together(...all) {
  const synced = new SyncedVideos(FPS, () => {});
  synced.all = all;
  synced.gather(0, true);
  await settled();
  return synced;
}

/** Play for some seconds, at 60 pages a second, and return how far apart the videos were at most. */
async function run(synced, seconds) {
  let most = 0;
  for (let page = 0; page < 60 * seconds; page += 1) {
    for (const video of synced.all) video.tick(1 / 60);
    synced.keepInStep();
    await settled();
    const times = synced.playable.filter((video) => !video.ended).map((video) => video.currentTime);
    if (times.length) most = Math.max(most, Math.max(...times) - Math.min(...times));
  }
  return most;
}

const times = (synced) => synced.all.map((video) => video.currentTime);
const paused = (synced) => synced.all.map((video) => video.paused);

test("videos whose clocks differ stay within a frame, and none jumps", async () => {
  const synced = await together(new Video(20, 1), new Video(20, 1.03), new Video(20, 0.97));
  synced.play();
  await settled();
  const seeks = synced.all.map((video) => video.seeks.length);
  const apart = await run(synced, 8);
  assert.ok(apart < FRAME, `the user sees frames that are ${apart.toFixed(3)} s apart`);
  assert.deepEqual(
    synced.all.map((video) => video.seeks.length),
    seeks,
    "a video jumped, though a change of speed was enough",
  );
});

test("at any speed, too", async () => {
  for (const rate of [0.1, 0.5, 2]) {
    const synced = await together(new Video(30, 1), new Video(30, 1.02));
    synced.setRate(rate);
    synced.play();
    const apart = await run(synced, 4);
    assert.ok(apart < FRAME, `at ${rate} the user sees frames that are ${apart.toFixed(3)} s apart`);
    const time = synced.now;
    assert.ok(Math.abs(time - 4 * rate) < 0.1, `at ${rate}, 4 s took the video to ${time.toFixed(2)} s`);
  }
});

test("all are put on one time when one is too far away", async () => {
  const synced = await together(new Video(), new Video());
  synced.play();
  await run(synced, 1);
  synced.all[1].currentTime += 2;
  await run(synced, 0.1);
  const apart = Math.abs(times(synced)[0] - times(synced)[1]);
  assert.ok(apart < FRAME, `one video stays ${apart.toFixed(2)} s ahead of the other`);
});

test("the video that is heard keeps its speed, so that no correction is heard", async () => {
  const synced = await together(new Video(20, 1), new Video(19, 1.03));
  synced.setSound(1);
  synced.play();
  for (let part = 0; part < 30; part += 1) {
    const apart = await run(synced, 0.1);
    assert.equal(synced.all[1].playbackRate, 1, "the pitch of the sound changes");
    assert.ok(apart < FRAME, "the silent video does not follow");
  }
  assert.deepEqual(
    synced.all.map((video) => video.muted),
    [true, false],
    "the user hears another video than the chosen one",
  );
});

test("a video that becomes audible returns to its own speed", async () => {
  const synced = await together(new Video(20, 1), new Video(19, 1.03));
  synced.play();
  await run(synced, 2);
  synced.all[1].playbackRate = 0.97; // as a correction leaves it
  synced.setSound(1);
  await run(synced, 0.1);
  assert.equal(synced.all[1].playbackRate, 1, "its sound is too low");
});

test("a change of speed is seen at once", async () => {
  const synced = await together(new Video(), new Video());
  synced.setRate(2);
  const rates = synced.all.map((video) => video.playbackRate);
  assert.deepEqual(rates, [2, 2], "the videos keep their speed");
});

test("when the video that is heard is over, the others go on", async () => {
  const synced = await together(new Video(10), new Video(2));
  synced.setSound(1);
  synced.play();
  await run(synced, 4);
  assert.ok(synced.isPlaying, "the button says Play");
  assert.ok(Math.abs(synced.now - 4) < 0.1, `after 4 s the clock says ${synced.now.toFixed(2)}`);
  assert.deepEqual(paused(synced), [false, true], "the short one began again");
  synced.seek(6);
  await settled();
  assert.deepEqual(paused(synced), [false, true], "the short one plays after a seek past its end");
});

test("play starts all on the same time, pause stops all on the same time", async () => {
  const synced = await together(new Video(10, 1), new Video(10, 1.05));
  synced.seek(3);
  synced.play();
  await settled();
  assert.deepEqual(paused(synced), [false, false], "a video does not play");
  assert.deepEqual(times(synced), [3, 3], "they start apart");
  await run(synced, 1);
  synced.pause();
  await settled();
  assert.deepEqual(paused(synced), [true, true], "a video goes on after Pause");
  assert.equal(times(synced)[0], times(synced)[1], "they stand on different frames");
  assert.ok(!synced.isPlaying, "the button still says Pause");
});

test("what is clicked while the videos start is not lost", async () => {
  const synced = await together(new Video(), new Video());
  let start;
  synced.all[1].started = new Promise((resolve) => {
    start = resolve;
  });
  synced.play();
  await settled();
  synced.seek(5);
  synced.pause();
  assert.deepEqual(paused(synced), [true, true], "Pause waits for the slower video");
  synced.seek(5);
  start();
  await settled();
  assert.deepEqual(times(synced), [5, 5], "the seek was forgotten");
  assert.deepEqual(paused(synced), [true, true], "it plays after Pause");
});

test("no video plays before the slowest has arrived", async () => {
  const synced = await together(new Video(), new Video());
  synced.play();
  await settled();
  const [quick, slow] = synced.all;
  slow.isQuick = false;
  synced.seek(5);
  await settled();
  assert.deepEqual(paused(synced), [true, true], "one plays while the other is still loading");
  assert.equal(quick.currentTime, 5);
  slow.arrive();
  await settled();
  assert.deepEqual(paused(synced), [false, false], "they do not go on after the seek");
});

test("a video that fails during a seek does not stop the others", async () => {
  const synced = await together(new Video(), new Video());
  synced.play();
  await settled();
  const [, broken] = synced.all;
  broken.isQuick = false;
  synced.seek(5);
  await settled();
  broken.dispatchEvent(new Event("error"));
  await settled();
  assert.equal(synced.all[0].paused, false, "the comparison hangs");
});

test("a video that never answers does not stop the others for ever", async (context) => {
  const timers = [];
  const { setTimeout } = globalThis;
  context.after(() => Object.assign(globalThis, { setTimeout }));
  const synced = await together(new Video(), new Video());
  synced.play();
  await settled();
  synced.all[1].isQuick = false;
  globalThis.setTimeout = (act, milliseconds) => timers.push({ act, milliseconds });
  synced.seek(5);
  await settled();
  const waiting = timers.filter(({ milliseconds }) => milliseconds <= 10_000);
  assert.ok(waiting.length, "nothing ends the wait within 10 s");
  for (const { act } of waiting) act();
  await settled();
  assert.equal(synced.all[0].paused, false, "the comparison hangs");
});

test("of seeks in a hurry, the last one counts", async () => {
  const synced = await together(new Video(), new Video());
  const [first] = synced.all;
  first.isQuick = false;
  for (const time of [1, 2, 3, 4]) synced.seek(time);
  assert.equal(synced.time, 4, "the slider jumps back under the pointer");
  first.arrive();
  await settled();
  first.arrive();
  await settled();
  assert.deepEqual(times(synced), [4, 4], "the videos stand where the slider was before");
  assert.deepEqual(first.seeks, [1, 4], "each step of the slider is loaded");
});

test("a video without data stops all until it has some", async () => {
  const synced = await together(new Video(), new Video());
  synced.play();
  await run(synced, 1);
  synced.all[1].readyState = 2;
  await run(synced, 0.5);
  assert.deepEqual(paused(synced), [true, true], "one plays on alone");
  synced.all[1].readyState = 4;
  synced.all[1].dispatchEvent(new Event("canplay"));
  await settled();
  assert.deepEqual(paused(synced), [false, false], "they do not go on");
});

test("at the end of the longest it stops, and plays from the beginning the next time", async () => {
  const synced = await together(new Video(1), new Video(2));
  synced.play();
  await run(synced, 2.5);
  assert.ok(!synced.isPlaying, "the button still says Pause");
  assert.ok(times(synced)[0] < 1.01, "the short video began again");
  synced.play();
  await run(synced, 0.5);
  assert.ok(Math.abs(synced.now - 0.5) < 0.1, `it plays at ${synced.now.toFixed(2)} s`);
});

test("a loop goes back to its beginning", async () => {
  const synced = await together(new Video(10, 1), new Video(10, 1.02));
  synced.setLoop([2, 3]);
  synced.play();
  await run(synced, 2.9);
  assert.ok(Math.abs(synced.now - 2.9) < 0.1, `before the loop's end it is at ${synced.now.toFixed(2)} s`);
  await run(synced, 0.5);
  assert.ok(synced.isPlaying, "it stopped at the loop's end");
  assert.ok(synced.now >= 2 && synced.now < 2.5, `after the loop's end it is at ${synced.now.toFixed(2)} s`);
});

test("play at the end of a loop begins at its beginning", async () => {
  const synced = await together(new Video(10), new Video(10));
  synced.setLoop([2, 3]);
  synced.seek(3);
  await settled();
  synced.play();
  await settled();
  assert.deepEqual(times(synced), [2, 2], "the user sees what is behind the loop");
});

test("a loop without an end goes back from the end of the videos", async () => {
  const synced = await together(new Video(3), new Video(3));
  synced.setLoop([1, null]);
  synced.seek(2.5);
  synced.play();
  await run(synced, 1);
  assert.ok(synced.isPlaying, "it stopped at the end");
  assert.ok(synced.now >= 1 && synced.now < 2, `it is at ${synced.now.toFixed(2)} s`);
});

test("the ends of a loop may be set in either order", () => {
  assert.deepEqual(orderLoop([2, 5]), [2, 5]);
  assert.deepEqual(orderLoop([5, 2]), [2, 5], "the loop has lost its end");
  assert.deepEqual(orderLoop([2, 2.05]), [2, null], "it loops within a frame or two");
  assert.deepEqual(orderLoop([2.05, 2]), [2, null], "it loops within a frame or two");
  assert.deepEqual(orderLoop([null, 5]), [null, 5]);
  assert.deepEqual(orderLoop([2, null]), [2, null]);
});

test("a step shows the next frame, and the one before", async () => {
  const synced = await together(new Video(), new Video());
  synced.play();
  await settled();
  const frames = [];
  for (const by of [1, 1, 1, -1]) {
    synced.step(by);
    await settled();
    frames.push(Math.floor(synced.now * FPS));
  }
  assert.deepEqual(frames, [1, 2, 3, 2], "a step skips a frame or shows the same again");
  assert.deepEqual(paused(synced), [true, true], "it plays on after a step");
  assert.equal(times(synced)[0], times(synced)[1], "the videos show different frames");
});

test("steps that are faster than the videos are all counted", async () => {
  const synced = await together(new Video(), new Video());
  for (const video of synced.all) video.isQuick = false;
  for (let count = 0; count < 5; count += 1) synced.step(1);
  assert.equal(Math.floor(synced.time * FPS), 5, "five presses of the key moved by fewer frames");
  for (const video of [...synced.all, ...synced.all]) {
    video.arrive();
    await settled();
  }
  assert.equal(Math.floor(synced.now * FPS), 5, "the videos stop on the way");
});

test("a step goes neither before the first frame nor past the last", async () => {
  assert.equal(stepTime(0, FPS, -1), FRAME / 2, "there is no such frame");
  assert.equal(
    Math.floor(stepTime(7 * FRAME, FPS, 1) * FPS),
    8,
    "the edge of a frame counts for the one before",
  );
  const reported = 7 * FRAME - 0.00002; // as a browser reports the time of frame 7
  assert.equal(Math.floor(stepTime(reported, FPS, 1) * FPS), 8, "the step shows the same frame again");
  const synced = await together(new Video(1), new Video(1));
  synced.seek(0.99);
  synced.step(1);
  assert.equal(synced.time, 1, "the clock runs past the end");
});

test("a follower changes its speed gently", () => {
  assert.equal(followerSpeed(0.001, 1), 1, "it is corrected for what nobody sees");
  assert.ok(followerSpeed(0.02, 1) < 1, "who is ahead gets faster");
  assert.ok(followerSpeed(-0.02, 1) > 1, "who is behind gets slower");
  assert.equal(followerSpeed(-0.2, 1), 2.5, "it races after the others");
  assert.equal(followerSpeed(0.2, 0.1), 0.0625, "a browser refuses this speed");
  assert.equal(followerSpeed(0.3, 1), null, "it crawls where a seek was needed");
});

test("a video without a file is named, and the others play without it", async () => {
  const [good, gone] = [new Video(), new Video()];
  Object.assign(gone, { readyState: 0, error: { code: 4 } });
  const synced = new SyncedVideos(FPS, () => {});
  synced.all = [good, gone];
  assert.deepEqual(synced.gather(0, true), ["B"], "the user is not told which one is missing");
  synced.play();
  await run(synced, 1);
  assert.ok(good.currentTime > 0.9, "the good video waits for the lost one");
});

test("what may still load is waited for, but not for ever", () => {
  const [good, slow] = [new Video(), new Video()];
  // While Jupyter resolves its path, a video has an empty source and an error because of that.
  Object.assign(slow, { readyState: 0, error: { code: 4 }, src: "" });
  const synced = new SyncedVideos(FPS, () => {});
  synced.all = [good, slow];
  assert.equal(synced.gather(0, true), null, "it is called lost before it could load");
  assert.deepEqual(synced.playable, [], "the controls work before the videos are there");
  assert.deepEqual(synced.gather(0, false), ["B"]);
  assert.deepEqual(synced.playable, [good], "the user waits for ever");
});

test("a video that loads late joins the others where they are", async () => {
  const [good, late] = [new Video(), new Video()];
  late.readyState = 0;
  const synced = new SyncedVideos(FPS, () => {});
  synced.all = [good, late];
  synced.gather(0, false);
  synced.play();
  await run(synced, 1);
  late.readyState = 4;
  assert.deepEqual(synced.gather(synced.now, false), [], "it is still called lost");
  await settled();
  assert.equal(late.currentTime, good.currentTime, "it begins at another time");
  assert.deepEqual(paused(synced), [false, false], "it does not play with the others");
});

test("when none is left, nothing plays", async () => {
  const synced = await together(new Video());
  synced.play();
  await settled();
  synced.all[0].error = { code: 2 };
  assert.deepEqual(synced.gather(0, false), ["A"]);
  assert.ok(!synced.isPlaying, "the button says Pause");
  assert.equal(synced.duration, 0);
  synced.keepInStep();
});

test("keys are those of the comparison only where they have no other meaning", () => {
  const free = { isInField: false, isOnButton: false };
  const key = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });
  assert.equal(commandOf(key(" "), free), "toggle");
  assert.equal(commandOf(key("ArrowLeft"), free), "back");
  assert.equal(commandOf(key("ArrowRight"), free), "on");
  assert.equal(commandOf(key("a"), free), null, "the notebook loses a key");
  assert.equal(commandOf(key("ArrowLeft", { altKey: true }), free), null, "the browser's Back is taken away");
  assert.equal(
    commandOf(key("ArrowRight"), { ...free, isInField: true }),
    null,
    "the slider cannot be moved",
  );
  assert.equal(commandOf(key(" "), { ...free, isOnButton: true }), null, "a space does not press the button");
  assert.equal(commandOf(key("ArrowRight"), { ...free, isOnButton: true }), "on");
});

test("a wipe lays one video over another, and hides the rest", () => {
  const wipe = { under: 0, over: 2, edge: "30" };
  const [under, other, over] = [0, 1, 2].map((number) => figureStyle(number, wipe));
  assert.equal(other.display, "none", "a third video stands beside the two");
  assert.equal(under.display, "");
  assert.equal(under.gridArea, over.gridArea, "the two are not in the same place");
  assert.notEqual(under.gridArea, "", "the two are side by side");
  assert.equal(over.clipPath, "inset(0 0 0 30%)", "the upper video hides the lower one");
  assert.equal(under.clipPath, "");
  assert.equal(over.pointerEvents, "none", "a click does not reach the lower video");
  const side = { display: "", gridArea: "", pointerEvents: "", clipPath: "", textAlign: "" };
  assert.deepEqual(figureStyle(2, null), side, "something of the wipe is left after it");
});

/** A video that loads from a server, as the page tells it to, and gives up its place in the meantime. */
class Film extends Video {
  preload = "none";
  #src;

  constructor(src) {
    super();
    delete this.src; // the one that does nothing when it is set
    this.readyState = 0;
    this.#src = src;
  }
  get src() {
    return this.#src;
  }
  set src(url) {
    this.#src = url;
    if (url?.startsWith("blob:")) this.load();
  }
  get currentSrc() {
    return this.#src;
  }
  load() {
    this.readyState = 1;
    queueMicrotask(() => this.dispatchEvent(new Event("loadedmetadata")));
  }
  /** It has all its data, now or as soon as it wants them. */
  canPlay() {
    this.readyState = 4;
    this.dispatchEvent(new Event("canplay"));
  }
}

/** Wait until something holds. */
async function until(holds, message = String(holds)) {
  for (let turn = 0; turn < 200; turn += 1) {
    if (holds()) return;
    await settled();
  }
  assert.fail(message);
}

/** As much of a server as the module uses: it answers when the test says so. */
function serve(context) {
  const { fetch } = globalThis;
  context.after(() => Object.assign(globalThis, { fetch }));
  const open = [];
  globalThis.fetch = (url, { signal }) =>
    new Promise((resolve, reject) => {
      const request = {
        url,
        answer: (status = 200) => {
          open.splice(open.indexOf(request), 1);
          resolve(new Response("film", { status, headers: { "Content-Length": "4" } }));
        },
      };
      open.push(request);
      signal.addEventListener("abort", () => {
        open.splice(open.indexOf(request), 1);
        reject(signal.reason);
      });
    });
  return open;
}

/** Six films, of which the first frames are there, but no more. */
async function sixFilms(changed = () => {}) {
  const films = [..."ABCDEF"].map((letter) => new Film(`${letter}.mp4`));
  const synced = new SyncedVideos(FPS, () => changed(synced.isPlaying));
  synced.all = films;
  for (let turn = 0; turn < 6; turn += 1) {
    synced.gather(0, true);
    for (const film of films) if (film.preload !== "none" && !film.readyState) film.load();
  }
  synced.gather(0, true);
  await settled();
  return synced;
}

test("of six films, three load at a time, and none whole before Play", async () => {
  const synced = new SyncedVideos(FPS, () => {});
  synced.all = [..."ABCDEF"].map((letter) => new Film(`${letter}.mp4`));
  const preloads = () => synced.all.map((film) => film.preload.slice(0, 1)).join("");
  synced.gather(0, true);
  synced.gather(0, true);
  assert.equal(preloads(), "mmmnnn", "the connections of the browser are used up");
  synced.all[1].load();
  assert.equal(synced.gather(0, true), null);
  assert.equal(preloads(), "mmmmnn", "the next film does not take the free place");
});

test("three films play from the server, after the others were loaded, two at a time", async (context) => {
  const open = serve(context);
  const synced = await sixFilms();
  synced.play();
  await until(() => open.length);
  assert.deepEqual(
    open.map(({ url }) => url),
    ["D.mp4", "E.mp4"],
    "not two at a time",
  );
  assert.deepEqual(paused(synced), Array(6).fill(true), "some play without the others");
  assert.equal(synced.gather(0, true), null, "a film that gets its file is called lost");
  open[0].answer();
  await until(() => open.length === 2);
  assert.ok(Math.abs(synced.loaded - 1 / 3) < 0.01, `the user reads ${synced.loaded}`);
  for (const request of [...open]) request.answer();
  await until(() => synced.loaded === null);
  for (const film of synced.all) film.canPlay();
  await until(() => !paused(synced).includes(true), "they do not play when everything is there");
  assert.deepEqual(synced.all.map((film) => film.src.slice(0, 4)).join(" "), "A.mp B.mp C.mp blob blob blob");
  synced.pause();
  synced.play();
  await until(() => !paused(synced).includes(true));
  assert.equal(open.length, 0, "the same files are loaded again");
  synced.clear();
});

test("Pause stops the loading, and what cannot be loaded plays from the server", async (context) => {
  const open = serve(context);
  const shown = [];
  const synced = await sixFilms((playing) => shown.push(playing));
  synced.play();
  await settled();
  assert.ok(shown.at(-1), "there is no button that stops the loading");
  synced.pause();
  await settled();
  assert.deepEqual([open.length, synced.loaded], [0, null], "it goes on loading after Pause");
  assert.deepEqual(paused(synced), Array(6).fill(true));
  for (const film of synced.all) film.canPlay();
  synced.play();
  await until(() => {
    for (const request of [...open]) request.answer(404);
    return !paused(synced).includes(true);
  }, "the comparison hangs");
});
