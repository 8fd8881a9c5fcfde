// sending.js: pieces, acknowledgements, a busy kernel, and a lost connection.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PIECE, Sender } from "../../../qingbo_widgets/widgets/form/sending.js";

/** A sender, what it has sent, and what has ended; `tell` is a message of the kernel. */
function opened() {
  const [sent, ended] = [[], []];
  const clock = { now: 0 };
  const sender = new Sender(
    (content, buffers) => sent.push({ ...content, bytes: buffers[0]?.byteLength }),
    { changed() {}, ended: ({ name }, outcome, text) => ended.push([name, outcome, text]) },
    () => clock.now,
  );
  const tell = async (message) => {
    sender.receive(message);
    await settled();
  };
  return { sender, sent, ended, clock, tell };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const file = (pieces, more = 0) => new Blob([new Uint8Array(pieces * PIECE + more)]);
const pieces = (sent, id) =>
  sent.filter((one) => one.kind === "piece" && one.id === id).map(({ at }) => at / PIECE);

test("pieces are at most a mebibyte, and four are sent ahead of what the kernel has", async () => {
  const { sender, sent, ended, tell } = opened();
  sender.add(file(5, 7), "koi.jpg");
  await settled();
  const [{ id }] = sender.transfers;
  assert.deepEqual(pieces(sent, id), [0, 1, 2, 3]);
  await tell({ kind: "taken", id, at: 2 * PIECE });
  assert.deepEqual(pieces(sent, id), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([sent.at(-1).bytes, sent.at(-1).size, sent.at(-1).name], [7, 5 * PIECE + 7, "koi.jpg"]);
  await tell({ kind: "taken", id: "of another page", at: 6 * PIECE });
  await tell({ kind: "done", id });
  assert.deepEqual(ended, [["koi.jpg", "arrived", ""]]);
  assert.deepEqual(sender.transfers, []);
});

test("two files are sent at a time, and the next one when one has ended", async () => {
  const { sender, sent, tell } = opened();
  for (const name of ["a", "b", "c"]) sender.add(file(0, 9), name);
  await settled();
  assert.deepEqual(
    sent.map(({ name }) => name),
    ["a", "b"],
  );
  await tell({ kind: "done", id: sender.transfers[1].id });
  assert.deepEqual(
    sent.map(({ name }) => name),
    ["a", "b", "c"],
  );
});

test("a kernel that is silent is asked, and what it has lost is sent again", async () => {
  const { sender, sent, clock, tell } = opened();
  sender.add(file(3), "koi.jpg");
  await settled();
  const [transfer] = sender.transfers;
  assert.equal(sender.isWaiting(transfer), false);
  clock.now = 4000;
  assert.equal(sender.isWaiting(transfer), true, "nothing says that the kernel is busy");
  clock.now = 16_000;
  sender.tick(true);
  sender.tick(true);
  const asked = sent.filter(({ kind }) => kind === "where");
  assert.deepEqual(
    asked.map((one) => one.sent),
    [3 * PIECE],
    "a busy kernel is asked all the time",
  );
  await tell({ kind: "here", id: transfer.id, at: PIECE, sent: 3 * PIECE });
  assert.deepEqual(pieces(sent, transfer.id), [0, 1, 2, 1, 2]);
  await tell({ kind: "here", id: transfer.id, at: 3 * PIECE, sent: 3 * PIECE });
  assert.deepEqual(pieces(sent, transfer.id), [0, 1, 2, 1, 2], "a file that was there is sent again");
});

test("a kernel that has forgotten a file gets it from the beginning, but not for ever", async () => {
  const { sender, sent, ended, tell } = opened();
  sender.add(file(1), "koi.jpg");
  await settled();
  const [{ id }] = sender.transfers;
  for (let again = 1; again < 30; again++) await tell({ kind: "here", id, at: 0, sent: PIECE });
  assert.deepEqual(ended, [["koi.jpg", "failed", ""]]);
  assert.equal(sent.filter(({ kind }) => kind === "piece").length, 21);
});

test("a file that is cancelled, refused or unreadable makes room for the next", async () => {
  const { sender, sent, ended, tell } = opened();
  const broken = { size: PIECE, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("removed")) }) };
  for (const name of ["a", "b"]) sender.add(file(1), name);
  sender.add(broken, "c");
  sender.add(file(1), "d");
  await settled();
  const [a, b] = sender.transfers.map(({ id }) => id);
  sender.cancel(a);
  await settled();
  assert.deepEqual(
    sent.filter(({ kind }) => kind === "cancel").map(({ id }) => id),
    [a],
  );
  await tell({ kind: "refused", id: b, text: "The disk is full." });
  assert.deepEqual(ended, [
    ["a", "cancelled", ""],
    ["c", "unreadable", ""],
    ["b", "refused", "The disk is full."],
  ]);
  assert.deepEqual(
    sender.transfers.map(({ name, isActive }) => [name, isActive]),
    [["d", true]],
  );
});

test("a file that became shorter is not sent, and a page that closes says so", async () => {
  const { sender, sent, ended } = opened();
  sender.add({ size: 2 * PIECE, slice: () => file(1) }, "whole");
  sender.add({ size: 2 * PIECE, slice: () => file(0, 5) }, "cut");
  await settled();
  assert.deepEqual(ended, [["cut", "unreadable", ""]]);
  sender.leave();
  assert.deepEqual([sent.at(-1).kind, sent.at(-1).left], ["cancel", true]);
  assert.deepEqual(sender.transfers, []);
});

test("without a kernel every file ends", async () => {
  const { sender, ended } = opened();
  for (const name of ["a", "b", "c"]) sender.add(file(1), name);
  await settled();
  sender.tick(false);
  assert.deepEqual(
    ended.map(([name, outcome]) => name + outcome),
    ["agone", "bgone", "cgone"],
  );
});
