// layers.js: which pixels a stroke paints, undo, and the form in which a mask goes to the kernel.

import assert from "node:assert/strict";
import { test } from "node:test";

import { colourTable, History, Layers } from "../../../qingbo_widgets/widgets/form/layers.js";

const COLOURS = [
  [1, 2, 3],
  [10, 20, 30],
  [40, 50, 60],
];

/** A mask as text, a row a line. */
const drawing = (layers, layer) =>
  Array.from({ length: layers.height }, (_, y) =>
    Array.from({ length: layers.width }, (_, x) => (layers.has(layer, [x, y]) ? "#" : ".")).join(""),
  );

test("a dab is a disc of whole pixels", () => {
  const layers = new Layers(6, 5);
  assert.deepEqual(layers.stroke(1, [2.5, 2.5], [2.5, 2.5], 1.5), { x: 1, y: 1, width: 3, height: 3 });
  assert.deepEqual(drawing(layers, 1), ["......", ".###..", ".###..", ".###..", "......"], "it is no disc");
  assert.deepEqual(drawing(layers, 2).join("").includes("#"), false, "it is painted in another mask, too");
  layers.stroke(2, [0.5, 0.5], [0.5, 0.5], 0.5);
  assert.equal(drawing(layers, 2)[0], "#.....", "the smallest brush does not paint the pixel below it");
});

test("a fast stroke has no gaps, and round ends", () => {
  const layers = new Layers(9, 3);
  layers.stroke(0, [1.5, 1.5], [7.5, 1.5], 1);
  assert.deepEqual(drawing(layers, 0), [".#######.", "#########", ".#######."]);
});

test("a stroke may begin and end outside the image", () => {
  const layers = new Layers(4, 4);
  layers.stroke(0, [-5, 1.5], [20, 1.5], 0.5);
  assert.deepEqual(drawing(layers, 0), ["....", "####", "....", "...."]);
  assert.equal(layers.stroke(0, [-9, -9], [-5, -5], 2), null, "a stroke outside changes the image");
});

test("the eraser takes away from its own mask only", () => {
  const layers = new Layers(4, 1);
  for (const layer of [0, 1]) layers.stroke(layer, [0, 0.5], [4, 0.5], 1);
  layers.stroke(1, [0.5, 0.5], [1.5, 0.5], 0.5, true);
  assert.deepEqual([drawing(layers, 1)[0], drawing(layers, 0)[0]], ["..##", "####"]);
});

test("clear, invert, and the part of the image that is covered", () => {
  const layers = new Layers(4, 2);
  layers.stroke(6, [0.5, 0.5], [1.5, 0.5], 0.5);
  layers.stroke(0, [3.5, 1.5], [3.5, 1.5], 0.5);
  assert.equal(layers.share(6), 0.25);
  layers.invert(6);
  assert.deepEqual(drawing(layers, 6), ["..##", "####"]);
  layers.clear(6);
  assert.equal(layers.share(6), 0);
  assert.equal(layers.share(0), 1 / 8, "another mask was cleared, too");
});

test("a mask goes to the kernel as runs, and comes back the same", () => {
  const layers = new Layers(20, 10);
  assert.deepEqual([...layers.runs(3)], [128 + 72, 1], "200 unpainted pixels are not 200");
  layers.stroke(3, [0.5, 0.5], [1.5, 0.5], 0.5);
  layers.stroke(3, [18.5, 9.5], [19.5, 9.5], 0.5);
  const runs = layers.runs(3);
  assert.deepEqual([...runs], [0, 2, 128 + 68, 1, 2], "a painted first pixel is lost, or the last one");
  const before = drawing(layers, 3);
  layers.clear(3);
  layers.setRuns(3, runs);
  assert.deepEqual(drawing(layers, 3), before);
});

test("an image becomes a mask by its alpha or, if it has none, by its light", () => {
  const layers = new Layers(3, 1);
  layers.setImage(1, Uint8ClampedArray.from([0, 0, 0, 255, 0, 0, 0, 200, 255, 255, 255, 0]));
  assert.equal(drawing(layers, 1)[0], "##.", "black is painted if it is opaque");
  layers.setImage(1, Uint8ClampedArray.from([255, 255, 255, 255, 0, 0, 0, 255, 200, 200, 200, 255]));
  assert.equal(drawing(layers, 1)[0], "#.#", "white is painted if all is opaque");
});

test("the mask being edited lies above the others, and stronger", () => {
  const layers = new Layers(3, 1);
  layers.stroke(0, [0.5, 0.5], [0.5, 0.5], 0.5);
  layers.stroke(2, [0.5, 0.5], [1.5, 0.5], 0.5);
  const picture = [...layers.picture(layers.whole, colourTable(COLOURS, 2), 2)];
  assert.deepEqual(picture.slice(0, 3), [40, 50, 60], "the other mask hides it");
  assert.ok(picture[3] > 0 && picture[3] < 255, "the image is hidden");
  assert.deepEqual(picture.slice(8), [0, 0, 0, 0], "an unpainted pixel is coloured");
  const other = [...layers.picture({ x: 1, y: 0, width: 1, height: 1 }, colourTable(COLOURS, 0), 0)];
  assert.deepEqual(other.slice(0, 3), [40, 50, 60], "a mask that is not edited cannot be seen");
  assert.ok(other[3] < picture[3], "it is as strong as the edited one");
});

test("the edge of the mask being edited is white, also on an image of its colour", () => {
  const layers = new Layers(7, 3);
  layers.stroke(1, [2, 1.5], [4, 1.5], 1.6);
  const colours = new Uint32Array(layers.picture(layers.whole, colourTable(COLOURS, 1), 1).buffer);
  const white = (x, y) => colours[y * 7 + x] === 0xffffffff;
  assert.ok(white(0, 1) && white(5, 1), "the mask has no edge");
  assert.ok(!white(3, 1), "its inside is hidden");
  assert.ok(!white(3, 0), "the edge of the image is taken for that of the mask");
  assert.deepEqual(layers.around({ x: 2, y: 1, width: 1, height: 1 }), { x: 1, y: 0, width: 3, height: 3 });
});

test("undo and redo go through the states in order, and a change ends redo", () => {
  const history = new History(2);
  assert.equal(history.undo("a"), undefined);
  for (const before of ["a", "b", "c"]) history.record(before);
  assert.equal(history.undo("d"), "c");
  assert.equal(history.undo("c"), "b");
  assert.equal(history.undo("b"), undefined, "more steps are kept than the limit");
  assert.equal(history.redo("b"), "c");
  history.record("c");
  assert.equal(history.redo("x"), undefined, "a change that was undone comes back over a newer one");
});
