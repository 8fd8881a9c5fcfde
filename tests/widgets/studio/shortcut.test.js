// shortcut.js: Ctrl+Enter in the studio's texts, with as much of a page as the module uses.

import assert from "node:assert/strict";
import { test } from "node:test";

import shortcut from "../../../qingbo_widgets/widgets/studio/shortcut.js";

/** Render the listener of a studio, and return what the user can do and what the kernel gets. */
function page() {
  const sent = [];
  const listeners = new Set();
  globalThis.document = {
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  };
  const el = { dataset: {} };
  const remove = shortcut.render({ model: { send: (message) => sent.push(message) }, el });
  const studio = { contains: (node) => node === el };
  /** A field of the page: by default, the prompt of this studio. */
  const field = ({
    tagName = "TEXTAREA",
    within = { ".qingbo-studio": studio },
    labels = ["Prompt"],
  } = {}) => ({
    tagName,
    value: "a boat at dawn",
    labels: labels.map((textContent) => ({ textContent })),
    closest: (selector) => within[selector] ?? null,
  });
  /** @returns whether the field and the notebook get the key */
  const press = (target, more = {}) => {
    let isOurs = false;
    const event = { key: "Enter", ctrlKey: true, metaKey: false, isComposing: false, repeat: false, target };
    const stopPropagation = () => {
      isOurs = true;
    };
    for (const listener of listeners) listener({ ...event, preventDefault() {}, stopPropagation, ...more });
    return !isOurs;
  };
  return { sent, field, press, remove, studio };
}

test("Ctrl+Enter and Cmd+Enter send the text that stands there now", () => {
  const { sent, field, press } = page();
  assert.equal(press(field()), false, "the notebook runs the cell, too");
  press(field(), { ctrlKey: false, metaKey: true });
  const message = { label: "Prompt", text: "a boat at dawn" };
  assert.deepEqual(sent, [message, message], "what was typed last is not generated");
});

test("a shortcut that is held down submits, and costs, once", () => {
  const { sent, field, press } = page();
  press(field());
  assert.equal(press(field(), { repeat: true }), false, "the notebook gets the repetitions");
  assert.equal(sent.length, 1, "a task is submitted for each repetition");
});

test("Enter alone begins a line, and one that chooses a Chinese word chooses it", () => {
  const { sent, field, press } = page();
  assert.equal(press(field(), { ctrlKey: false }), true, "no line can be begun");
  assert.equal(press(field(), { isComposing: true }), true, "no word can be chosen");
  assert.equal(press(field(), { key: "a" }), true, "the text cannot be selected");
  assert.deepEqual(sent, [], "the prompt is submitted before it is finished");
});

test("only the texts of this studio submit it", () => {
  const { sent, field, press } = page();
  const another = { ".qingbo-studio": { contains: () => false } };
  assert.equal(press(field({ within: {} })), true, "the shortcut of the notebook's cells is taken away");
  assert.equal(press(field({ within: another })), true);
  assert.equal(press(field({ tagName: "INPUT" })), true);
  assert.deepEqual(sent, [], "a click elsewhere submits this studio");
});

test("what is pasted is never sent: it may contain an API key", () => {
  const { sent, field, press, studio } = page();
  assert.equal(press(field({ within: { ".qingbo-studio": studio, ".qingbo-paste": {} } })), true);
  assert.deepEqual(sent, [], "the pasted text is sent as a prompt");
});

test("a text without a label is sent without one", () => {
  const { sent, field, press } = page();
  press(field({ labels: [] }));
  assert.deepEqual(sent, [{ label: "", text: "a boat at dawn" }]);
});

test("a studio that is gone does not listen", () => {
  const { sent, field, press, remove } = page();
  remove();
  press(field());
  assert.deepEqual(sent, [], "a closed studio submits");
});
