// page_aria.js: what the classes of a widget and the messages about a field mean.

import assert from "node:assert/strict";
import { test } from "node:test";

import { described, nameIn } from "../../../qingbo_widgets/widgets/base/page_aria.js";

test("a class names what a button opens, or what a message is about", () => {
  assert.equal(nameIn(["jupyter-button", "qingbo-opens-more"], "qingbo-opens-"), "more");
  assert.equal(nameIn(["qingbo-note"], "qingbo-about-"), "", "a note of no field has no name");
});

test("a field is described by its messages, and invalid while one is an error", () => {
  const message = (id, more = {}) => ({ id, isEmpty: false, isError: false, ...more });
  assert.deepEqual(described([message("a"), message("b")]), {
    "aria-describedby": "a b",
    "aria-invalid": null,
  });
  assert.deepEqual(described([message("a", { isError: true })]), {
    "aria-describedby": "a",
    "aria-invalid": "true",
  });
  assert.deepEqual(
    described([message("a", { isEmpty: true })]),
    { "aria-describedby": null, "aria-invalid": null },
    "an empty message stays tied to its field",
  );
});
