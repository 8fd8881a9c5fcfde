// tile_input.js: which tile a key leads to, what it selects, and when a tile plays, with as much of a page as the
// module uses.

import assert from "node:assert/strict";
import { test } from "node:test";

import input, {
  between,
  mayPlay,
  moved,
  purposeOf,
  stretched,
} from "../../../qingbo_widgets/widgets/review/tile_input.js";

const KEYS = ["a", "b", "c", "d", "e"];

const key = (name, more = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  isComposing: false,
  ...more,
});

test("arrows move by a tile and by a row, and stay at the edge", () => {
  const to = (name, place) => moved(name, place, 5, 3);
  assert.deepEqual(
    [to("ArrowRight", 0), to("ArrowLeft", 1), to("ArrowDown", 1), to("ArrowUp", 4)],
    [1, 0, 4, 1],
  );
  assert.deepEqual(
    [to("ArrowLeft", 0), to("ArrowRight", 4), to("ArrowUp", 2), to("ArrowDown", 2)],
    [0, 4, 2, 2],
  );
  assert.deepEqual([to("Home", 3), to("End", 1), to("PageDown", 1), to("Enter", 1)], [0, 4, null, null]);
});

test("a range has both ends, in either direction", () => {
  assert.deepEqual(between(KEYS, 1, 3), ["b", "c", "d"]);
  assert.deepEqual(between(KEYS, 3, 1), ["b", "c", "d"]);
  assert.deepEqual(between(KEYS, 2, 2), ["c"]);
});

test("an extended selection shrinks when its end comes back", () => {
  assert.deepEqual(stretched(KEYS, 1, 1, 3), { on: ["b", "c", "d"], off: [] });
  assert.deepEqual(stretched(KEYS, 1, 3, 2), { on: ["b", "c"], off: ["d"] });
  assert.deepEqual(stretched(KEYS, 1, 2, 0), { on: ["a", "b"], off: ["c"] });
});

test("keys of the browser, of the notebook and of an input method are not the gallery's", () => {
  for (const other of ["Enter", "Tab", "a", "F5", "1"]) assert.equal(purposeOf(key(other)), null, other);
  assert.equal(purposeOf(key("x", { isComposing: true })), null);
  assert.equal(purposeOf(key("x", { ctrlKey: true })), null);
  assert.equal(purposeOf(key("ArrowLeft", { altKey: true })), null, "that is the browser's way back");
  assert.equal(purposeOf(key("ArrowLeft", { ctrlKey: true })), null);
  assert.equal(purposeOf(key("a", { ctrlKey: true, shiftKey: true })), null);
});

test("what a key does", () => {
  const purposes = {
    all: [key("a", { ctrlKey: true }), key("A", { metaKey: true })],
    toggle: [key(" "), key("x"), key("X", { shiftKey: true })],
    move: [key("ArrowDown"), key("Home")],
    extend: [key("ArrowDown", { shiftKey: true }), key("End", { shiftKey: true })],
    escape: [key("Escape")],
    delete: [key("Delete")],
  };
  for (const [purpose, events] of Object.entries(purposes))
    for (const event of events) assert.equal(purposeOf(event), purpose, event.key);
});

test("nothing moves for a user who wants no motion", () => {
  const asked = [];
  const media = (matches) => (query) => {
    asked.push(query);
    return { matches };
  };
  assert.equal(mayPlay(media(false)), true);
  assert.equal(mayPlay(media(true)), false);
  assert.deepEqual(new Set(asked), new Set(["(prefers-reduced-motion: reduce)"]));
});

/** A class list, a tile, and a gallery of tiles: what the module uses of a page. */
function names(...initial) {
  const set = new Set(initial);
  return {
    contains: (name) => set.has(name),
    add: (name) => set.add(name),
    remove: (name) => set.delete(name),
    toggle: (name, on) => (on ? set.add(name) : set.delete(name)),
  };
}

globalThis.CSS = { escape: (text) => text };
globalThis.Element = class {
  closest(selector) {
    if (selector === ".qingbo-tile") return this.tile ?? null;
    return this.inside?.includes(selector) ? this : null;
  }
  matches(selector) {
    return selector === this.kind;
  }
};

function page({ plays = true, reduced = false } = {}) {
  const sent = [];
  const listeners = {};
  const timers = new Map();
  const tiles = KEYS.map((name, place) => {
    const tile = Object.assign(new Element(), { classList: names(), offsetTop: Math.floor(place / 3) });
    const part = (kind, more = {}) => Object.assign(new Element(), { tile, kind, ...more });
    tile.button = part("button", { tabIndex: 0, focus: () => page.focused.push(name), scrollIntoView() {} });
    tile.box = part(".qingbo-check", { checked: false });
    tile.words = part("words", { dataset: { key: name } });
    tile.tile = tile;
    tile.querySelector = (selector) =>
      ({ "[data-key]": tile.words, button: tile.button, ".qingbo-check": tile.box })[selector] ?? null;
    return tile;
  });
  const preview = { classList: names(), querySelector: () => null };
  const root = {
    classList: names(),
    contains: (node) => !node.elsewhere,
    querySelectorAll: (selector) => (selector === ".qingbo-tile" ? tiles : []),
    isOpen: false,
    panels: {},
    querySelector: (selector) =>
      ({ ".qingbo-preview": preview, ".qingbo-open": root.isOpen ? tiles[0] : null, ...root.panels })[
        selector
      ] ?? null,
    addEventListener: (name, listener) => Object.assign(listeners, { [name]: listener }),
    removeEventListener: (name) => delete listeners[name],
  };
  page.focused = [];
  Object.assign(globalThis, {
    requestAnimationFrame: (call) => call() ?? 0,
    cancelAnimationFrame: () => {},
    matchMedia: () => ({ matches: reduced }),
    MutationObserver: class {
      observe() {}
      disconnect() {}
    },
    setTimeout: (call, rest) => timers.set(timers.size + 1, { call, rest }).size,
    clearTimeout: (number) => timers.delete(number),
    document: { activeElement: null, body: {} },
  });
  const state = { picked: [], plays };
  const handlers = {};
  const model = {
    get: (name) => state[name],
    send: (message) => sent.push(message),
    on: (name, handler) => Object.assign(handlers, { [name]: handler }),
    off: (name) => delete handlers[name],
  };
  const el = Object.assign(new Element(), {
    isConnected: true,
    classList: names(),
    closest: () => root,
    dataset: {},
  });
  const remove = input.render({ model, el });
  const prevented = [];
  const fire = (name, target, more = {}) =>
    listeners[name]?.({
      target,
      preventDefault: () => prevented.push(name),
      stopPropagation() {},
      ...key(""),
      ...more,
    });
  return {
    root,
    tiles,
    sent,
    listeners,
    handlers,
    prevented,
    remove,
    fire,
    press: (place, name, more = {}) => fire("keydown", tiles[place].button, { key: name, ...more }),
    rests: () => [...timers.values()].map(({ rest }) => rest),
    pass: () => {
      const due = [...timers.values()];
      timers.clear();
      for (const { call } of due) call();
    },
    setPicked: (picked) => {
      state.picked = picked;
      handlers["change:picked"]();
    },
  };
}

test("one tile is a stop of Tab, and follows the arrows", () => {
  const { tiles, press } = page();
  const stops = () => tiles.map((tile) => tile.button.tabIndex);
  assert.deepEqual(stops(), [0, -1, -1, -1, -1]);
  press(0, "ArrowDown");
  assert.deepEqual(page.focused, ["d"]);
  assert.deepEqual(stops(), [-1, -1, -1, 0, -1]);
});

test("x and Space select the tile, without pressing its button", () => {
  const { sent, press, fire, tiles, prevented, setPicked } = page();
  press(1, "x");
  assert.deepEqual(sent.pop(), { on: ["b"], off: [] });
  assert.equal(tiles[1].box.checked, true, "the page waits for a busy kernel");
  setPicked(["b"]);
  press(1, " ");
  assert.deepEqual(sent.pop(), { on: [], off: ["b"] });
  prevented.length = 0;
  fire("keyup", tiles[1].button, { key: " " });
  assert.deepEqual(prevented, ["keyup"]);
});

test("Shift with arrows extends, and comes back", () => {
  const { sent, press } = page();
  press(0, "ArrowRight");
  press(1, "ArrowRight", { shiftKey: true });
  press(2, "ArrowRight", { shiftKey: true });
  press(3, "ArrowLeft", { shiftKey: true });
  assert.deepEqual(sent, [
    { on: ["b", "c"], off: [] },
    { on: ["b", "c", "d"], off: [] },
    { on: ["b", "c"], off: ["d"] },
  ]);
});

test("Ctrl+A selects the page; Escape and Delete are sent", () => {
  const { sent, press, setPicked } = page();
  press(0, "Escape");
  assert.deepEqual(sent, [], "nothing to take back: the key leaves the gallery");
  press(0, "a", { ctrlKey: true });
  setPicked(KEYS);
  press(2, "Escape");
  press(2, "Delete");
  assert.deepEqual(sent, [{ on: KEYS, off: [] }, { escape: true }, { delete: "c" }]);
});

test("a click on the checkbox selects, with Shift a range; a click on the tile opens it", () => {
  const { sent, fire, tiles, prevented } = page();
  fire("click", tiles[0].button);
  assert.deepEqual([sent, prevented], [[], []]);
  fire("click", tiles[1].box);
  fire("click", tiles[3].button, { shiftKey: true });
  fire("click", tiles[4].button, { ctrlKey: true });
  assert.deepEqual(sent, [
    { on: ["b"], off: [] },
    { on: ["b", "c", "d"], off: [] },
    { on: ["e"], off: [] },
  ]);
  assert.deepEqual(prevented, ["click", "click"], "a checkbox checks itself");
});

/** An element of the gallery that is in no tile. */
const within = (...inside) => Object.assign(new Element(), { inside });

test("Escape clears the selection from everywhere in the gallery", () => {
  const { sent, fire, prevented, setPicked } = page();
  setPicked(["b"]);
  fire("keydown", new Element(), { key: "Escape" });
  assert.deepEqual(page.focused, [], "the focus of a control outside the bar was moved");
  fire("keydown", within(".qingbo-selection"), { key: "Escape" });
  assert.deepEqual(sent, [{ escape: true }, { escape: true }]);
  assert.deepEqual(page.focused, ["a"], "the bar is hidden, and the focus is lost with it");
  assert.equal(prevented.length, 2, "the key leaves the gallery");
});

test("Escape in a part that uses it itself leaves the selection alone", () => {
  const { sent, fire, prevented, setPicked } = page();
  setPicked(["b"]);
  fire("keydown", within(".qingbo-opened"), { key: "Escape" });
  assert.deepEqual([sent, prevented], [[], []], "the open task closes itself");
  for (const part of ["compared", "tagging"]) {
    fire("keydown", within(".qingbo-selection", `.qingbo-${part}`), { key: "Escape" });
    assert.deepEqual(sent.pop(), { close: part });
  }
  assert.deepEqual(page.focused, []);
  fire("keydown", new Element(), { key: "Escape", isComposing: true });
  globalThis.document.fullscreenElement = {};
  fire("keydown", new Element(), { key: "Escape" });
  assert.deepEqual(sent, [], "an input method or a fullscreen video needs the key");
});

test("the kernel gives the focus to a panel once it is there, unless the user has moved on", () => {
  const { root, handlers, fire, setPicked } = page();
  const panel = { focus: () => page.focused.push("panel") };
  const open = (name) => {
    handlers["msg:custom"]({ panel: name });
    return () => {
      root.panels[`.${name}`] = panel;
      setPicked([]); // the page changes
    };
  };
  const draw = open("first");
  assert.deepEqual(page.focused, []);
  draw();
  assert.deepEqual(page.focused, ["panel"]);
  assert.equal(panel.tabIndex, 0);
  const drawSecond = open("second");
  fire("focusin", within(".qingbo-selection"));
  drawSecond();
  assert.deepEqual(page.focused, ["panel"], "the focus was taken from a user who had moved on");
});

test("keys outside the tiles are not touched", () => {
  const { sent, fire, prevented } = page();
  for (const name of ["x", "Delete", "ArrowLeft", "Escape"]) fire("keydown", new Element(), { key: name });
  assert.deepEqual([sent, prevented], [[], []]);
});

test("a tile plays when the mouse rests on it, and one at a time", () => {
  const { sent, fire, tiles, pass, rests } = page();
  const mouse = { pointerType: "mouse" };
  fire("pointerover", tiles[0].button, mouse);
  fire("pointerover", tiles[1].button, mouse);
  assert.deepEqual(sent, [], "a mouse that passes by starts nothing");
  assert.equal(rests().length, 1);
  pass();
  assert.deepEqual(sent, [{ preview: "b" }]);
  fire("pointerover", tiles[1].box, mouse);
  fire("pointerover", tiles[2].button, mouse);
  pass();
  fire("pointerleave", tiles[2]);
  assert.deepEqual(sent.slice(1), [{ preview: "" }, { preview: "c" }, { preview: "" }]);
});

test("a finger, a host without files, an open task and a user without motion play nothing", () => {
  for (const [options, type] of [
    [{}, "touch"],
    [{}, "pen"],
    [{ plays: false }, "mouse"],
    [{ reduced: true }, "mouse"],
  ]) {
    const { sent, fire, tiles, pass } = page(options);
    fire("pointerover", tiles[0].button, { pointerType: type });
    pass();
    assert.deepEqual(sent, [], JSON.stringify([options, type]));
  }
  const { root, sent, fire, tiles, pass, setPicked } = page();
  fire("pointerover", tiles[0].button, { pointerType: "mouse" });
  fire("click", tiles[0].button);
  pass();
  assert.deepEqual(sent, [], "the tile opens");
  fire("pointerover", tiles[1].button, { pointerType: "mouse" });
  pass();
  root.isOpen = true;
  setPicked([]);
  fire("pointerover", tiles[2].button, { pointerType: "mouse" });
  pass();
  assert.deepEqual(sent, [{ preview: "b" }, { preview: "" }], "the open video is the one that plays");
});

test("the kernel gives the focus to a tile, unless the user is elsewhere", () => {
  const { handlers } = page();
  handlers["msg:custom"]({ focus: "c" });
  handlers["msg:custom"]({ other: "d" });
  assert.deepEqual(page.focused, ["c"]);
  globalThis.document.activeElement = { elsewhere: true };
  handlers["msg:custom"]({ focus: "d" });
  assert.deepEqual(page.focused, ["c"], "the focus was taken from another cell");
  globalThis.document.activeElement = { elsewhere: false };
  handlers["msg:custom"]({ focus: "d" });
  assert.deepEqual(page.focused, ["c", "d"]);
});

test("a removed gallery listens no more", () => {
  const { listeners, handlers, remove } = page();
  assert.notDeepEqual(Object.keys(listeners), []);
  remove();
  assert.deepEqual([Object.keys(listeners), Object.keys(handlers)], [[], []]);
});
