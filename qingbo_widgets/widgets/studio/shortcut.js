// Ctrl+Enter or Cmd+Enter in a text of the studio that this stands in.
// The text travels with the key: what was typed last may still be on its way to the kernel.

function render({ model, el }) {
  const pressed = (event) => {
    const wanted = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing;
    if (!wanted || event.target.tagName !== "TEXTAREA") return;
    const studio = event.target.closest(".qingbo-studio");
    if (!studio || !studio.contains(el)) return;
    if (event.target.closest(".qingbo-paste")) return; // nothing to generate, and maybe a key in it
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    const label = event.target.labels[0]?.textContent ?? "";
    model.send({ label, text: event.target.value });
  };
  document.addEventListener("keydown", pressed, true);
  el.dataset.listens = "keydown"; // from now on
  return () => document.removeEventListener("keydown", pressed, true);
}

export default { render };
