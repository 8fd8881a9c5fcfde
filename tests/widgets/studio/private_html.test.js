// private_html.js: what the kernel sends is shown, and asked for by each page that shows the widget.

import assert from "node:assert/strict";
import { test } from "node:test";

import widget from "../../../qingbo_widgets/widgets/studio/private_html.js";

test("a page asks for the text, shows each that comes, and stops when it is closed", () => {
  const sent = [];
  const listeners = new Set();
  const model = {
    on: (event, listener) => event === "msg:custom" && listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
    send: (message) => sent.push(message),
  };
  const el = { innerHTML: "" };
  const remove = widget.render({ model, el });
  assert.equal(sent.length, 1, "a page that is loaded anew shows nothing");
  for (const listener of listeners) listener({ html: "<span>$20.00 left</span>" });
  assert.equal(el.innerHTML, "<span>$20.00 left</span>");
  for (const listener of listeners) listener({ other: 1 });
  assert.equal(el.innerHTML, "<span>$20.00 left</span>", "another message is shown as undefined");
  remove();
  assert.equal(listeners.size, 0, "a closed view is kept alive");
});
