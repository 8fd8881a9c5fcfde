// page_keys.js: for whom a key is that is pressed in a control of this package.

import assert from "node:assert/strict";
import { test } from "node:test";

import { purposeOf } from "../../../qingbo_widgets/widgets/base/page_keys.js";

/** Return the purpose of a key such as "Ctrl+Shift+S", in a text field or in another control. */
function purpose(text, isInText = false, more = {}) {
  const names = text.split("+");
  const event = {
    key: names.at(-1),
    ctrlKey: names.includes("Ctrl"),
    metaKey: names.includes("Cmd"),
    altKey: names.includes("Alt"),
    shiftKey: names.includes("Shift"),
    isComposing: false,
    getModifierState: () => false,
    ...more,
  };
  return purposeOf(event, isInText);
}

const all = (keys, isInText) => [...new Set(keys.map((key) => purpose(key, isInText)))];

test("single keys are the control's", () => {
  const keys = ["d", "x", "m", "0", "i", "ArrowDown", "ArrowLeft", "Enter", " ", "Tab", "Delete", "Shift+J"];
  assert.deepEqual(all(keys), ["control"], "a key deletes, cuts or leaves the cell");
  assert.deepEqual(all(keys, true), ["control"]);
});

test("keys that run the cell are the notebook's, except in a text field", () => {
  const keys = ["Shift+Enter", "Ctrl+Enter", "Cmd+Enter", "Alt+Enter"];
  assert.deepEqual(all(keys), ["notebook"]);
  assert.deepEqual(all(keys, true), ["control"], "a new line in the prompt runs the cell");
});

test("Ctrl+S saves the notebook everywhere", () => {
  const keys = ["Ctrl+s", "Cmd+s", "Ctrl+Shift+S"];
  assert.deepEqual(all(keys), ["save"]);
  assert.deepEqual(all(keys, true), ["save"], "the browser offers to save the page");
});

test("commands to JupyterLab are the notebook's, those that edit cells are not", () => {
  assert.deepEqual(all(["Ctrl+b", "Ctrl+Shift+C", "Ctrl+Shift+D", "Alt+1", "F11", "Ctrl+,"]), ["notebook"]);
  const editing = ["Ctrl+a", "Ctrl+z", "Ctrl+Shift+M", "Ctrl+Backspace", "Ctrl+Shift+ArrowUp", "Cmd+c"];
  assert.deepEqual(all(editing), ["control"], "cells are merged, moved or selected");
  assert.deepEqual(all(["Ctrl+b", "Ctrl+k", "Alt+e"], true), ["control"], "a key that edits text is lost");
});

test("Escape leaves the control, but not a composition", () => {
  assert.equal(purpose("Escape"), "leave");
  assert.equal(purpose("Escape", true, { isComposing: true }), "control");
  assert.equal(purpose("Enter", true, { isComposing: true, ctrlKey: true }), "control");
});

test("AltGr types a character", () => {
  const held = { getModifierState: (name) => name === "AltGraph" };
  assert.equal(purpose("Ctrl+Alt+s", false, held), "control", "ś saves the notebook");
});
