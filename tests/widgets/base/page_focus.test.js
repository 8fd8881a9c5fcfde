// page_focus.js: which control gets the focus of one that is removed, hidden or disabled.

import assert from "node:assert/strict";
import { test } from "node:test";

import { successor, wishIn } from "../../../qingbo_widgets/widgets/base/page_focus.js";

/** Return controls from a text such as "Up *Down | Regenerate$": those after the bar follow; $ pays. */
function controls(text) {
  const [before, after = ""] = text.split("|");
  const read = (part, follows) =>
    part
      .split(",")
      .map((word) => word.trim())
      .filter(Boolean)
      .map((word) => ({ name: word.replace("$", ""), pays: word.endsWith("$"), follows }));
  return [...read(before, false), ...read(after, true)];
}

const chosen = (text, lost) => successor(controls(text), lost)?.name ?? null;

test("the same control that was drawn again keeps the focus", () => {
  assert.equal(chosen("Prompt, Model | Seconds", "Prompt"), "Prompt");
  assert.equal(chosen("Remove 1 | Split, Remove", "Remove"), "Remove");
  assert.deepEqual(
    successor(
      [
        { name: "Remove", follows: false, pays: false, n: 1 },
        { name: "Remove", follows: true, pays: false, n: 2 },
      ],
      "Remove",
    ).n,
    2,
    "of two rows, the next is nearer",
  );
});

test("else the next one, else the one before", () => {
  assert.equal(chosen("Previous | Next, Refresh", "Frames"), "Next");
  assert.equal(chosen("Search, Previous |", "Next"), "Previous");
  assert.equal(chosen("", "Next"), null, "the widget itself must take it");
});

test("of the next ones the main one: the prompt, once a key is put in", () => {
  const next = ["Change key", "Model", "Prompt"].map((name) => ({
    name,
    follows: true,
    pays: false,
    isMain: name === "Prompt",
  }));
  assert.equal(successor(next, "Connect")?.name, "Prompt");
  assert.equal(successor(next, "Model")?.name, "Model", "the same control is nearer");
  assert.equal(successor([{ ...next[2], follows: false }, next[0]], "Connect")?.name, "Change key");
});

test("never a button that costs money, which the next Enter would press", () => {
  assert.equal(chosen("| Regenerate$, Frames", "Cancel"), "Frames");
  assert.equal(chosen("| Regenerate$", "Cancel"), null);
  assert.equal(chosen("| Regenerate$", "Regenerate"), null, "the same button of another card");
});

test("the class of a control names the latest click that wants the focus there", () => {
  assert.equal(wishIn(["qingbo-filled", "qingbo-focus-1764493000123"]), 1764493000123);
  assert.equal(wishIn(["qingbo-focus-20", "qingbo-focus-1000", "qingbo-focus-30"]), 1000);
  assert.equal(wishIn(["qingbo-main"]), 0);
});
