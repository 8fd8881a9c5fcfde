// editor.js: what can be painted, paths, and what undo brings back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Editor } from "../../../qingbo_widgets/widgets/form/editor.js";

const SIZE = { width: 8, height: 6 };

/** An editor of an image that is there, and what the kernel offers, to be changed. */
function opened() {
  const offer = { active: 1, offered: [0, 1, 2], paints: true, limit: 3 };
  const editor = new Editor((name) => offer[name]);
  editor.open(SIZE);
  return { editor, offer };
}

function paint(editor, ...places) {
  editor.begin(-1, places[0], false);
  for (const place of places) editor.extend(place, 1);
  return editor.end();
}

test("a stroke is one step of undo, however long it is", () => {
  const { editor } = opened();
  const stroke = paint(editor, [1, 1], [5, 1], [5, 4]);
  assert.deepEqual([stroke.mask, stroke.erases], [1, false]);
  const painted = editor.share;
  assert.ok(painted > 0, "nothing is painted");
  assert.deepEqual(editor.undo(), { mask: true, path: false });
  assert.equal(editor.share, 0, "a part of the stroke is left");
  assert.deepEqual(editor.redo(), { mask: true, path: false });
  assert.equal(editor.share, painted, "the stroke does not come back");
  assert.equal(editor.redo(), null);
});

test("undo goes back through strokes and points in their order, and only of the mask that is edited", () => {
  const { editor, offer } = opened();
  paint(editor, [1, 1]);
  assert.ok(editor.addPoint([2, 2]) && editor.addPoint([4, 4]));
  offer.active = 2;
  assert.equal(editor.undo(), null, "the step of another mask is undone");
  paint(editor, [3, 3]);
  offer.active = 1;
  assert.deepEqual(editor.undo(), { mask: false, path: true });
  assert.deepEqual(editor.path, [[2, 2]]);
  editor.undo();
  assert.deepEqual(editor.undo(), { mask: true, path: false });
  assert.deepEqual([editor.path, editor.share], [[], 0]);
  offer.active = 2;
  assert.ok(editor.share > 0, "the other mask is lost");
});

test("a path has no more points than the model takes, and the static mask has none", () => {
  const { editor, offer } = opened();
  const points = [1, 2, 3, 4].map((x) => editor.addPoint([x, 1]));
  assert.deepEqual(points, [true, true, true, false]);
  assert.deepEqual(editor.history.past.length, 3, "a refused point is a step of undo");
  offer.active = 0;
  assert.equal(editor.addPoint([1, 1]), false);
  editor.path = [[1, 1]];
  assert.deepEqual([editor.path, editor.paths.length], [[], 1]);
});

test("nothing is undone during a stroke, or before the image is there", () => {
  const { editor, offer } = opened();
  editor.addPoint([1, 1]);
  editor.begin(7, [1, 1], false);
  assert.equal(editor.undo(), null);
  editor.end();
  assert.equal(editor.end(), null);
  assert.equal(new Editor((name) => offer[name]).undo(), null);
});

test("a mask that may not be painted is not changed", () => {
  const { editor, offer } = opened();
  const invert = (layers) => layers.invert(editor.mask);
  offer.offered = [0, 2];
  assert.equal(editor.change(invert), false);
  offer.offered = [0, 1];
  offer.paints = false;
  assert.equal(editor.change(invert), false);
  offer.paints = true;
  assert.equal(editor.change(invert), true);
  assert.equal(editor.share, 1);
  assert.equal(new Editor((name) => offer[name]).canPaint, false, "there is no image to paint on");
});

test("an image that comes again keeps the masks; another size begins anew", () => {
  const { editor } = opened();
  paint(editor, [1, 1]);
  editor.open(SIZE);
  assert.ok(editor.share > 0, "the mask is lost");
  assert.equal(editor.undo(), null, "a step before the image came is undone");
  editor.open({ width: 6, height: 8 });
  assert.equal(editor.share, 0);
});

test("a mask that the kernel has changed has nothing to undo", () => {
  const { editor } = opened();
  paint(editor, [1, 1]);
  editor.forget(1);
  assert.equal(editor.undo(), null);
});
