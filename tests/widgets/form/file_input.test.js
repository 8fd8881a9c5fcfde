// file_input.js: which files are taken, the name of a pasted one, and megabytes.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isAccepted,
  megabytes,
  pastedName,
  whyNot,
} from "../../../qingbo_widgets/widgets/form/file_input.js";

const PICTURES = "image/*,.heic";

test("a file is taken by its type, or by its suffix if the browser knows no type", () => {
  assert.ok(isAccepted({ name: "koi.jpg", type: "image/jpeg" }, PICTURES));
  assert.ok(isAccepted({ name: "IMG_1.HEIC", type: "" }, PICTURES));
  assert.ok(!isAccepted({ name: "koi.mp4", type: "video/mp4" }, PICTURES));
  assert.ok(!isAccepted({ name: "koi.txt", type: "" }, PICTURES));
});

test("a file is refused before it is sent, with the reason", () => {
  const file = (size, type = "image/png") => ({ size, type });
  assert.equal(whyNot(file(5), "koi.png", PICTURES, 100), "");
  assert.equal(whyNot(file(0), "koi.png", PICTURES, 100), "empty");
  assert.equal(whyNot(file(100_000_000), "koi.png", PICTURES, 100), "");
  assert.equal(whyNot(file(100_000_001), "koi.png", PICTURES, 100), "too_large");
  assert.equal(whyNot(file(5, "text/plain"), "koi.txt", PICTURES, 100), "other");
});

test("a screenshot has no name, a pasted file has its own", () => {
  assert.equal(pastedName({ name: "image.png", type: "image/png" }), "pasted.png");
  assert.equal(pastedName({ name: "", type: "image/jpeg" }), "pasted.jpg");
  assert.equal(pastedName({ name: "koi.png", type: "image/png" }), "koi.png");
});

test("megabytes are whole ones, unless the file is small", () => {
  assert.deepEqual([megabytes(14_600_000, 3_900_000), megabytes(14_600_000)], ["3", "15"]);
  assert.deepEqual([megabytes(840_000, 420_000), megabytes(840_000), megabytes(900)], ["0.4", "0.9", "0.1"]);
  assert.equal(megabytes(100_000_001), "101", "a file that is a little too large looks as if it fitted");
});
