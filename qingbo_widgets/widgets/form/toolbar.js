// @ts-check
// The controls of the canvas: which mask, which tool, the size of the brush, undo and the other actions.

import { colourOf } from "./drawing.js";

/** @typedef {"brush" | "eraser" | "path"} Tool */
/**
 * @typedef {object} Shown
 * @property {number[]} offered the masks that can be edited
 * @property {number} mask the one that is
 * @property {Tool} tool
 * @property {boolean} canPaint
 * @property {number} size of the brush, in pixels of the image
 * @property {number} most
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 */

const TOOLS = /** @type {const} */ (["brush", "eraser", "path"]);
const ACTS = /** @type {const} */ (["undo", "redo", "clear", "invert"]);

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {Element} parent
 * @param {string} text
 */
export function add(name, attributes, parent, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.append(text);
  parent.append(element);
  return element;
}

/**
 * Add a row of buttons of which one is chosen.
 * @param {Element} parent
 * @param {string} name of the group
 * @param {(value: string) => void} choose
 */
function addSegments(parent, name, choose) {
  const group = add("div", { class: "qingbo-segments", role: "radiogroup" }, parent);
  let shown = "";
  group.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) choose(event.target.value);
  });
  return {
    /**
     * @param {string} label
     * @param {{ value: string, text: string, title?: string, colour?: string, disabled?: boolean }[]} segments
     * @param {string} chosen
     */
    show(label, segments, chosen) {
      group.setAttribute("aria-label", label);
      if (JSON.stringify(segments) !== shown) {
        const focused = group.contains(document.activeElement);
        shown = JSON.stringify(segments);
        group.replaceChildren();
        for (const { value, text, title = "", colour = "", disabled = false } of segments) {
          const segment = add("label", title ? { title } : {}, group);
          const input = add("input", { type: "radio", name, value }, segment);
          input.disabled = disabled;
          if (colour) add("span", { class: "qingbo-swatch", style: `background: ${colour}` }, segment);
          add("span", {}, segment, text);
        }
        if (focused) inputOf(chosen)?.focus();
      }
      const input = inputOf(chosen);
      if (input) input.checked = true;
    },
  };
  /**
   * @param {string} value
   * @returns {HTMLInputElement | null}
   */
  function inputOf(value) {
    return group.querySelector(`input[value="${value}"]`);
  }
}

/**
 * Add the controls of the canvas.
 * @param {Element} parent
 * @param {string} id of the canvas, for the names of the groups
 * @param {(name: string, values?: Record<string, string | number>) => string} text
 * @param {object} acts
 * @param {(mask: number) => void} acts.mask
 * @param {(tool: Tool) => void} acts.tool
 * @param {(size: number) => void} acts.size
 * @param {() => void} acts.undo
 * @param {() => void} acts.redo
 * @param {() => void} acts.clear
 * @param {() => void} acts.invert
 */
export function addToolbar(parent, id, text, acts) {
  const bar = add("div", { class: "qingbo-canvas-bar" }, parent);
  const masks = addSegments(bar, `${id}-mask`, (value) => acts.mask(Number(value)));
  const tools = addSegments(bar, `${id}-tool`, (value) => acts.tool(/** @type {Tool} */ (value)));
  const sizeLabel = add("label", { class: "qingbo-canvas-size" }, bar);
  const sizeName = add("span", {}, sizeLabel);
  const slider = add("input", { type: "range", min: 1, step: 1 }, sizeLabel);
  slider.addEventListener("input", () => acts.size(Number(slider.value)));
  const sizeText = add("output", {}, sizeLabel);
  const row = add("div", { class: "qingbo-canvas-acts" }, bar);
  const buttons = ACTS.map((name) => {
    const button = add("button", { type: "button" }, row);
    button.addEventListener("click", acts[name]);
    return button;
  });
  /** @param {number} mask */
  const nameOf = (mask) => (mask ? text("dynamic", { number: mask }) : text("static"));
  return {
    /** @param {Shown} shown */
    show({ offered, mask, tool, canPaint, size, most, canUndo, canRedo }) {
      const names = offered.map((mask) => ({ value: `${mask}`, text: nameOf(mask), colour: colourOf(mask) }));
      masks.show(text("masks"), names, `${mask}`);
      const kinds = TOOLS.map((kind) => ({
        value: kind,
        text: text(kind),
        title: text(`${kind}_help`),
        disabled: kind === "path" ? !mask : !canPaint,
      }));
      tools.show(text("tools"), kinds, tool);
      sizeName.textContent = text("size");
      [slider.max, slider.value, slider.disabled] = [`${most}`, `${size}`, !canPaint];
      sizeText.textContent = text("pixels", { number: size });
      const isPossible = { undo: canUndo, redo: canRedo, clear: canPaint, invert: canPaint };
      buttons.forEach((button, at) => {
        button.textContent = text(ACTS[at]);
        button.title = text(`${ACTS[at]}_help`);
        button.disabled = !isPossible[ACTS[at]];
      });
    },
  };
}
