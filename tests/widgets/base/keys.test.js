// keys.js: which keys are for the widget, and what they do, with as much of a page as the module uses.

import assert from "node:assert/strict";
import { test } from "node:test";

import keys, { actionOf, toggle } from "../../../qingbo_widgets/widgets/base/keys.js";

const STATE = {
  wanted: ["3", "ArrowRight", " "],
  here: { p: "qingbo-played", n: "qingbo-note" },
  grab: false,
};
const FREE = { isInField: false, isOnPressable: false };

const key = (name, more = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  ...more,
});

class Video {
  constructor(paused) {
    this.paused = paused;
  }
  async play() {
    this.paused = false;
  }
  pause() {
    this.paused = true;
  }
}

/** Render the listener, and return what the user can do and what the kernel and the page get. */
function page(state = {}) {
  const sent = [];
  const listeners = {};
  const captured = {};
  const root = {
    dataset: {},
    focused: 0,
    parts: {},
    focus() {
      this.focused += 1;
    },
    querySelector: (selector) => root.parts[selector] ?? null,
    addEventListener: (name, listener, capture) => {
      Object.assign(listeners, { [name]: listener });
      captured[name] = capture;
    },
    removeEventListener: (name, _listener, capture) => {
      if (capture === captured[name]) delete listeners[name]; // as a page does
    },
  };
  globalThis.cancelAnimationFrame = () => {};
  const el = { isConnected: true, closest: () => root };
  const model = { get: (name) => ({ ...STATE, ...state })[name], send: (message) => sent.push(message) };
  const remove = keys.render({ model, el });
  /** @returns whether the notebook gets the key, too */
  const press = (name, { within = "", ...more } = {}) => {
    let isOurs = false;
    const target = { closest: (selectors) => (selectors.split(/, |:/).includes(within) ? {} : null) };
    const preventDefault = () => {};
    const stopPropagation = () => {
      isOurs = true;
    };
    listeners.keydown?.({ ...key(name), repeat: false, target, preventDefault, stopPropagation, ...more });
    return !isOurs;
  };
  return { sent, root, press, remove, captured };
}

test("a key that is wanted goes to the kernel, and not to the notebook", () => {
  const { press, sent } = page();
  assert.equal(press("3"), false, "JupyterLab makes a heading of the cell");
  assert.deepEqual(sent, [{ key: "3" }], "the kernel gets no rating");
});

test("a key reaches the widget before the field that has the focus", () => {
  assert.equal(page().captured.keydown, true, "fields keep their keys, so Escape does not leave them");
});

test("a key that is held down counts once", () => {
  const { press, sent } = page();
  press("3");
  assert.equal(press("3", { repeat: true }), false, "the notebook gets the repetitions");
  assert.equal(sent.length, 1, "the next one is rated, too, without being looked at");
});

test("other keys stay the notebook's", () => {
  const { press, sent } = page();
  for (const name of ["7", "Escape", "Tab"]) assert.equal(press(name), true, `${name} is swallowed`);
  for (const name of ["ctrlKey", "metaKey", "altKey", "isComposing"])
    assert.equal(press("3", { [name]: true }), true, `3 with ${name} is swallowed`);
  assert.deepEqual(sent, []);
});

test("in a field keys are letters; only Escape leaves it", () => {
  const { press, sent, root } = page();
  for (const within of ["input", "textarea", "select"]) {
    assert.equal(press("3", { within }), true, `no 3 can be written into ${within}`);
    assert.equal(press("p", { within }), true, `no p can be written into ${within}`);
  }
  assert.equal(press("Escape", { within: "textarea" }), false, "the notebook leaves the cell, too");
  assert.equal(root.focused, 1, "the focus stays in the field");
  assert.deepEqual(sent, [], "what the user writes rates videos");
});

test("a space presses the button that has the focus", () => {
  const { press, sent } = page();
  assert.equal(press(" ", { within: "button" }), true, "the button cannot be pressed by keyboard");
  assert.equal(press("3", { within: "button" }), false, "after a click on a button, no key rates");
  press(" ");
  assert.deepEqual(sent, [{ key: "3" }, { key: " " }]);
});

test("some keys are answered in the page, without the kernel", () => {
  const { press, sent, root } = page();
  const videos = [new Video(true), new Video(true)];
  root.parts[".qingbo-played"] = { querySelectorAll: () => videos };
  press("p");
  assert.deepEqual(
    videos.map((video) => video.paused),
    [false, false],
    "the key plays nothing",
  );
  let isFocused = false;
  const field = {
    focus: () => {
      isFocused = true;
    },
  };
  root.parts[".qingbo-note"] = { querySelectorAll: () => [], querySelector: () => field };
  press("n");
  assert.ok(isFocused, "the user cannot write a note");
  assert.equal(press("p", { repeat: true }), false);
  delete root.parts[".qingbo-played"];
  press("p"); // and nothing happens where there is none
  assert.deepEqual(sent, []);
});

test("videos of which some play are all paused first", () => {
  const videos = [new Video(true), new Video(false)];
  toggle(videos);
  assert.deepEqual(
    videos.map((video) => video.paused),
    [true, true],
    "one starts while the other stops",
  );
});

test("keys that it does not want are not its own, whatever has the focus", () => {
  assert.equal(actionOf(key("x"), STATE, FREE), null);
  assert.equal(actionOf(key("Escape"), STATE, FREE), null, "Escape cannot leave the cell");
  assert.equal(actionOf(key(" "), { wanted: [], here: {} }, FREE), null, "the page cannot be scrolled");
});

test("the widget takes the focus only where it may, and gives the keys back at its end", () => {
  assert.equal(page().root.focused, 0, "the page scrolls to a gallery that was only shown");
  const { root, press, remove } = page({ grab: true });
  assert.equal(root.focused, 1, "the first key goes to the notebook");
  assert.equal(root.dataset.lmSuppressShortcuts, "true", "JupyterLab acts on the keys, too");
  remove();
  assert.equal(press("3"), true, "a widget that is gone still takes keys");
});
