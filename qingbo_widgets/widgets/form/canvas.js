// An image with paths over it. A click adds a point to the active path; points are dragged, or moved with
// the arrow keys (Shift: by 10), and removed with Delete. All positions are pixels of the image itself,
// x to the right and y upward from its lower left corner, as Kling counts them.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#e6550d", "#3182bd", "#31a354", "#756bb1", "#c51b8a", "#8c6d31"];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function draw(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "qingbo-canvas";
  box.style.cssText = "position: relative; display: inline-block; max-width: 100%; line-height: 0";
  const image = document.createElement("img");
  image.referrerPolicy = "no-referrer";
  image.draggable = false;
  image.style.cssText = "display: block; max-width: 100%; max-height: 420px; border-radius: 3px";
  const svg = draw("svg", { preserveAspectRatio: "none" }, box);
  svg.style.cssText =
    "position: absolute; inset: 0; width: 100%; height: 100%; cursor: crosshair; touch-action: none";
  box.prepend(image);
  el.append(box);

  let dragged = null; // the number of the point that follows the pointer
  let paths = [];

  const active = () => model.get("active");
  const points = () => paths[active()] || [];
  const inside = ([x, y]) => [
    Math.min(Math.max(Math.round(x), 0), image.naturalWidth - 1),
    Math.min(Math.max(Math.round(y), 0), image.naturalHeight - 1),
  ];
  const place = (event) => {
    const area = svg.getBoundingClientRect();
    return inside([
      ((event.clientX - area.left) / area.width) * image.naturalWidth,
      ((area.bottom - event.clientY) / area.height) * image.naturalHeight,
    ]);
  };

  function change(edited, focused = null) {
    paths = paths.map((path, number) => (number === active() ? edited : path));
    show(focused);
  }
  function send() {
    model.set("paths", paths);
    model.save_changes();
  }

  // Draws anew, and leaves the focus on the point that had it, or gives it to another.
  function show(focused = document.activeElement?.closest("svg") === svg
      ? document.activeElement.dataset.point : null) {
    svg.replaceChildren();
    paint();
    if (focused !== null) svg.querySelector(`[data-point="${focused}"]`)?.focus();
  }

  function paint() {
    const width = image.naturalWidth, height = image.naturalHeight;
    if (!width || !svg.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", model.get("label"));
    const unit = width / svg.clientWidth; // one pixel of the screen, in pixels of the image
    paths.forEach((path, number) => {
      const colour = COLOURS[number % COLOURS.length];
      const isActive = number === active();
      const line = path.map(([x, y]) => `${x},${height - y}`).join(" ");
      for (const [stroke, thickness] of [["#fff", 5], [colour, 2.5]])
        draw("polyline", {
          points: line, fill: "none", stroke, "stroke-width": thickness * unit,
          "stroke-linejoin": "round", "stroke-opacity": isActive ? 1 : 0.6, "pointer-events": "none",
        }, svg);
      path.forEach(([x, y], at) => {
        const circle = draw("circle", {
          cx: x, cy: height - y, r: (isActive ? 7 : 4) * unit, fill: colour, stroke: "#fff", "stroke-width": 2 * unit,
        }, svg);
        if (!isActive) return circle.setAttribute("pointer-events", "none");
        circle.setAttribute("tabindex", "0");
        circle.setAttribute("role", "button");
        circle.setAttribute("data-point", at);
        circle.setAttribute("aria-label", `${at + 1}: ${x}, ${y}`);
        circle.style.cursor = "grab";
        return circle;
      });
      if (!path.length) return;
      const [x, y] = path[0];
      const text = draw("text", {
        x: x + 10 * unit, y: height - y - 8 * unit, "font-size": 14 * unit, "font-weight": 700, fill: colour,
        stroke: "#fff", "stroke-width": 3 * unit, "paint-order": "stroke", "pointer-events": "none",
      }, svg);
      text.textContent = number + 1;
    });
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !image.naturalWidth || active() >= paths.length) return;
    event.preventDefault();
    const at = event.target.dataset?.point;
    if (at === undefined) {
      if (points().length >= model.get("limit")) return;
      change([...points(), place(event)], points().length);
      send();
    } else {
      dragged = Number(at);
      svg.setPointerCapture(event.pointerId);
    }
  });
  svg.addEventListener("pointermove", (event) => {
    if (dragged !== null) change(points().map((point, at) => (at === dragged ? place(event) : point)));
  });
  svg.addEventListener("pointerup", () => {
    if (dragged === null) return;
    dragged = null;
    send();
  });
  svg.addEventListener("keydown", (event) => {
    const found = event.target.dataset?.point;
    if (found === undefined) return;
    const at = Number(found);
    if (event.key === "Delete" || event.key === "Backspace") {
      change(points().filter((_, number) => number !== at), Math.max(at - 1, 0));
    } else if (STEPS[event.key]) {
      const [right, up] = STEPS[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
      const moved = ([x, y]) => inside([x + right, y + up]);
      change(points().map((point, number) => (number === at ? moved(point) : point)), at);
    } else return;
    // JupyterLab has uses of its own for these keys.
    event.preventDefault();
    event.stopPropagation();
    send();
  });

  const follow = () => {
    if (dragged === null) paths = model.get("paths").map((path) => [...path]);
    show();
  };
  const load = () => {
    image.alt = model.get("label");
    const source = model.get("source");
    if (image.getAttribute("src") !== source) image.src = source;
  };
  image.addEventListener("load", () => show());
  const sizes = new ResizeObserver(() => show());
  sizes.observe(box);
  model.on("change:paths change:active change:label", follow);
  model.on("change:source change:label", load);
  follow();
  load();
  return () => {
    sizes.disconnect();
    model.off("change:paths change:active change:label", follow);
    model.off("change:source change:label", load);
  };
}

export default { render };
