// @ts-check
// HTML that the kernel sends as a message. Unlike the state of a widget, no notebook saves it.

/** @type {import("@anywidget/types").Render} */
function render({ model, el }) {
  /** @param {{ html?: unknown }} message from the kernel, which has escaped all texts in it */
  const show = ({ html }) => {
    if (typeof html === "string") el.innerHTML = html;
  };
  model.on("msg:custom", show);
  model.send({ shown: true }); // a page that was loaded anew has no message yet
  return () => model.off("msg:custom", show);
}

export default { render };
