// points.js: where a click lands in the image, and what the keys do with a point, the cursor and the brush.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  edit,
  filled,
  inside,
  moved,
  placeAt,
  pointAt,
  polyline,
  resized,
  withPoint,
} from "../../../qingbo_widgets/widgets/form/points.js";

const IMAGE = { width: 1000, height: 500 };
/** The image at half its size, below other things of the page. */
const AREA = { left: 100, bottom: 450, width: 500, height: 250 };

const at = (clientX, clientY) => pointAt({ clientX, clientY }, AREA, IMAGE);
const key = (name, shiftKey = false) => ({ key: name, shiftKey });

test("a click is counted in pixels of the image, from its lower left corner", () => {
  assert.deepEqual(at(100, 450), [0, 0], "the lower left corner is not the origin");
  assert.deepEqual(at(350, 325), [500, 250], "the middle is not the middle");
  assert.deepEqual(at(225, 425), [250, 50], "a point near the lower edge is not near it");
  assert.deepEqual(at(100, 200), [0, 499], "the upper edge is outside the image");
});

test("no point leaves the image", () => {
  assert.deepEqual(at(0, 900), [0, 0], "a point that is dragged out of the window gets lost");
  assert.deepEqual(at(5000, 0), [999, 499], "the service refuses a point outside the image");
  assert.deepEqual(inside([12.4, 12.6], IMAGE), [12, 13], "the service takes whole pixels only");
});

test("a path takes as many points as the service, and no more", () => {
  const path = [[1, 1]];
  assert.deepEqual(
    withPoint(path, [2, 3], 2),
    [
      [1, 1],
      [2, 3],
    ],
    "a click adds no point",
  );
  assert.equal(withPoint(path, [2, 3], 1), null, "the service refuses a path of so many points");
  assert.deepEqual(path, [[1, 1]], "the path that the kernel has was changed in passing");
});

test("the arrow keys move a point by a pixel, with Shift by ten", () => {
  const path = [
    [1, 1],
    [500, 250],
  ];
  const moved = (name, shift) => edit(path, 1, key(name, shift), IMAGE).path[1];
  assert.deepEqual(moved("ArrowUp"), [500, 251], "up is not up");
  assert.deepEqual(moved("ArrowDown"), [500, 249]);
  assert.deepEqual(moved("ArrowLeft"), [499, 250]);
  assert.deepEqual(moved("ArrowRight", true), [510, 250]);
  assert.deepEqual(edit(path, 1, key("ArrowUp"), IMAGE).path[0], [1, 1], "another point moved, too");
  assert.equal(edit(path, 1, key("ArrowUp"), IMAGE).focused, 1, "the point lost the focus");
  assert.deepEqual(edit(path, 0, key("ArrowLeft", true), IMAGE).path[0], [0, 1], "it left the image");
});

test("Delete removes a point, and the one before it gets the focus", () => {
  const path = [
    [1, 1],
    [2, 2],
    [3, 3],
  ];
  for (const name of ["Delete", "Backspace"])
    assert.deepEqual(edit(path, 1, key(name), IMAGE), {
      path: [
        [1, 1],
        [3, 3],
      ],
      focused: 0,
    });
  assert.deepEqual(edit(path, 0, key("Delete"), IMAGE).focused, 0, "the focus is lost with the first point");
  assert.deepEqual(edit([[1, 1]], 0, key("Delete"), IMAGE).path, []);
});

test("other keys stay the browser's and the notebook's", () => {
  for (const name of ["Tab", "Enter", "a", "Escape"])
    assert.equal(edit([[1, 1]], 0, key(name), IMAGE), null, `${name} is swallowed`);
});

test("a path is drawn where its points are", () => {
  assert.equal(
    polyline(
      [
        [0, 0],
        [10, 490],
      ],
      500,
    ),
    "0,500 10,10",
    "it is drawn upside down",
  );
});

test("the brush is counted from the upper left corner, and may leave the image", () => {
  const area = { left: 100, top: 200, width: 500, height: 250 };
  assert.deepEqual(placeAt({ clientX: 100, clientY: 200 }, area, IMAGE), [0, 0]);
  assert.deepEqual(placeAt({ clientX: 350, clientY: 325 }, area, IMAGE), [500, 250], "zoom moves the brush");
  assert.deepEqual(
    placeAt({ clientX: 90, clientY: 460 }, area, IMAGE),
    [-20, 520],
    "a stroke stops at the edge",
  );
});

test("the arrow keys move the brush, with Shift ten times as far, and not out of the image", () => {
  assert.deepEqual(moved([100, 100], key("ArrowUp"), IMAGE, 4), [100, 96], "up is not up");
  assert.deepEqual(moved([100, 100], key("ArrowRight", true), IMAGE, 4), [140, 100]);
  assert.deepEqual(moved([2, 499], key("ArrowLeft"), IMAGE, 4), [0, 499]);
  assert.deepEqual(moved([2, 499], key("ArrowDown"), IMAGE, 4), [2, 500]);
  assert.equal(moved([2, 499], key("Tab"), IMAGE, 4), null, "Tab is swallowed");
});

test("brackets, plus and minus change the size of the brush within its limits", () => {
  for (const name of ["]", "+", "="]) assert.equal(resized(50, name, 250), 60, `${name} does nothing`);
  for (const name of ["[", "-"]) assert.equal(resized(60, name, 250), 50, `${name} does nothing`);
  assert.equal(resized(1, "]", 250), 2, "the smallest brush cannot grow");
  assert.equal(resized(1, "[", 250), 1);
  assert.equal(resized(240, "+", 250), 250);
  assert.equal(resized(50, "x", 250), null);
});

test("names in a text are filled in", () => {
  assert.equal(filled("{mask}: {percent} %", { mask: "Static", percent: 3 }), "Static: 3 %");
});
