// notify.js: who is notified of the end of a task, and when, with as much of a page as the module uses.

import assert from "node:assert/strict";
import { test } from "node:test";

import notify, { prefixOf } from "../../../qingbo_widgets/widgets/base/notify.js";

const TEXTS = {
  label: "Notify me",
  help: "No sound.",
  blocked: "The browser shows none.",
  one: "✓ 1 video",
  many: "✓ {count} videos",
  failed: "✗ {count} failed",
};
const NAME = "koi.ipynb - JupyterLab";

class Target {
  listeners = {};
  addEventListener(name, call) {
    this.listeners[name] ??= new Set();
    this.listeners[name].add(call);
  }
  removeEventListener(name, call) {
    this.listeners[name]?.delete(call);
  }
  dispatchEvent(event) {
    for (const call of [...(this.listeners[event.type] ?? [])]) call(event);
  }
}

class Element extends Target {
  attributes = {};
  children = [];
  textContent = "";
  className = "";
  classList = { toggle: (name, on) => this.setAttribute(`class:${name}`, on) };
  append(...parts) {
    this.children.push(...parts);
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
}

/** A page with one kernel; `permission` is the user's answer to the browser's question. */
function page({ permission = "granted", stores = true, notifies = true, chosen = false } = {}) {
  const stored = new Map(chosen ? [["qingbo-notify", "on"]] : []);
  const refuse = () => {
    throw new Error("SecurityError");
  };
  globalThis.localStorage = {
    getItem: stores ? (name) => stored.get(name) ?? null : refuse,
    setItem: stores ? (name, value) => stored.set(name, value) : refuse,
    removeItem: stores ? (name) => stored.delete(name) : refuse,
  };
  const state = { isSeen: true, asked: 0, shown: [], focused: 0, watching: null };
  globalThis.window = Object.assign(new Target(), { focus: () => state.focused++ });
  if (notifies) {
    globalThis.Notification = class {
      static permission = chosen ? permission : "default";
      static async requestPermission() {
        state.asked += 1;
        globalThis.Notification.permission = permission;
        return permission;
      }
      constructor(title, options) {
        state.shown.push({ title, ...options, notification: this });
      }
      close() {}
    };
    globalThis.window.Notification = globalThis.Notification;
  } else {
    delete globalThis.Notification;
  }
  globalThis.MutationObserver = class {
    constructor(call) {
      this.call = call;
    }
    observe() {
      state.watching = this.call;
    }
    disconnect() {
      state.watching = null;
    }
  };
  globalThis.document = {
    head: {},
    title: NAME,
    get visibilityState() {
      return state.isSeen ? "visible" : "hidden";
    },
    hasFocus: () => state.isSeen,
    createElement: () => new Element(),
  };
  return state;
}

/** A kernel of the page, with what its messages do. */
function kernel() {
  const listeners = {};
  const model = {
    get: () => TEXTS,
    on: (name, call) => {
      listeners[name] = call;
    },
    off: (name) => delete listeners[name],
  };
  notify.initialize({ model });
  let number = 0;
  return {
    model,
    send: (end) => listeners["msg:custom"]({ finished: 0, failed: 0, ...end }),
    /** @param {string} title */
    notice: (title) => ({ id: `${title}-${++number}`, title, body: "a koi" }),
    bell: () => {
      const el = new Element();
      const remove = notify.render({ model, el });
      const [button, note] = el.children;
      const click = async () => {
        button.dispatchEvent({ type: "click" });
        await new Promise((done) => setTimeout(done));
      };
      return { button, note, click, remove, isOn: () => button.attributes["aria-pressed"] === "true" };
    },
  };
}

test("the browser is asked once, after the click, and never before", async () => {
  const state = page();
  const { bell, send, notice } = kernel();
  const [first, second] = [bell(), bell()];
  send({ finished: 1, notice: notice("Video finished") });
  assert.equal(state.asked, 0);
  assert.deepEqual(state.shown, [], "notified without having asked for it");
  await first.click();
  assert.equal(state.asked, 1);
  assert.ok(first.isOn() && second.isOn(), "the button in another cell says otherwise");
  send({ finished: 1, notice: notice("Video finished") });
  assert.equal(state.shown.length, 1);
  assert.equal(state.shown[0].body, "a koi");
  assert.equal(state.shown[0].silent, true);
  state.shown[0].notification.onclick();
  assert.equal(state.focused, 1, "a click on the notification does not lead here");
  await second.click();
  assert.ok(!first.isOn());
  send({ finished: 1, notice: notice("Video finished") });
  assert.equal(state.shown.length, 1, "notified after it was turned off");
  await first.click();
  assert.equal(state.asked, 1, "asked again");
});

test("the choice is still there in the next cell and after a reload", async () => {
  const state = page({ chosen: true });
  const { bell, send, notice } = kernel();
  assert.ok(bell().isOn());
  send({ finished: 1, notice: notice("Video finished") });
  assert.equal(state.shown.length, 1);
  assert.equal(state.asked, 0);
});

for (const [name, how] of Object.entries({
  refused: { permission: "denied" },
  dismissed: { permission: "default" },
  impossible: { notifies: false },
}))
  test(`${name}, the button says so, and the title is marked`, async () => {
    const state = page(how);
    const { bell, send, notice } = kernel();
    const { click, note, isOn } = bell();
    assert.equal(note.textContent, "");
    await click();
    assert.ok(isOn());
    assert.equal(note.textContent, TEXTS.blocked);
    state.isSeen = false;
    send({ finished: 1, notice: notice("Video finished") });
    assert.deepEqual(state.shown, []);
    assert.equal(document.title, `✓ 1 video · ${NAME}`);
  });

test("a browser that stores nothing keeps the choice for the page", async () => {
  page({ stores: false });
  const { bell } = kernel();
  const { click, isOn } = bell();
  await click();
  assert.ok(isOn());
});

test("the title counts until the tab is seen again", () => {
  const state = page({ chosen: true });
  const { send } = kernel();
  send({ finished: 1 });
  assert.equal(document.title, NAME, "marked under the eyes of the user");
  state.isSeen = false;
  send({ finished: 1 });
  send({ finished: 1 });
  assert.equal(document.title, `✓ 2 videos · ${NAME}`);
  send({ failed: 1 });
  assert.equal(document.title, `✓ 2 videos, ✗ 1 failed · ${NAME}`);
  window.dispatchEvent({ type: "visibilitychange" });
  assert.notEqual(document.title, NAME, "restored although it is not seen");
  state.isSeen = true;
  window.dispatchEvent({ type: "focus" });
  assert.equal(document.title, NAME);
  state.isSeen = false;
  send({ finished: 1 });
  assert.equal(document.title, `✓ 1 video · ${NAME}`, "the count goes on from before");
});

test("JupyterLab may write a new title meanwhile", () => {
  const state = page({ chosen: true });
  const { send } = kernel();
  state.isSeen = false;
  send({ finished: 1 });
  document.title = "carp.ipynb - JupyterLab";
  state.watching();
  assert.equal(document.title, "✓ 1 video · carp.ipynb - JupyterLab");
  state.watching(); // of its own change
  assert.equal(document.title, "✓ 1 video · carp.ipynb - JupyterLab");
  state.isSeen = true;
  window.dispatchEvent({ type: "visibilitychange" });
  assert.equal(document.title, "carp.ipynb - JupyterLab");
});

test("two kernels of a page count in one title, and a notice is shown once", () => {
  const state = page({ chosen: true });
  const [one, other] = [kernel(), kernel()];
  state.isSeen = false;
  const notice = one.notice("Video finished");
  one.send({ finished: 1, notice });
  other.send({ finished: 1, notice });
  assert.equal(document.title, `✓ 2 videos · ${NAME}`);
  assert.equal(state.shown.length, 1);
});

test("a browser that only lets service workers notify marks the title", () => {
  const state = page({ chosen: true });
  globalThis.Notification = class {
    static permission = "granted";
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  };
  const { send, notice } = kernel();
  state.isSeen = false;
  send({ finished: 1, notice: notice("Video finished") });
  assert.equal(document.title, `✓ 1 video · ${NAME}`);
});

test("a button that is gone listens no more", () => {
  page();
  const { bell } = kernel();
  bell().remove();
  assert.equal(window.listeners["qingbo-notify"].size, 0);
  assert.equal(window.listeners.storage.size, 0);
});

test("nothing ended is no mark", () => {
  assert.equal(prefixOf({ finished: 0, failed: 0 }, TEXTS), "");
});
