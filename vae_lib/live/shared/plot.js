// Axes in SVG, marks in data coordinates, and handles that mouse, finger and keys move.

import { clamp } from "./maths.js";
import { element, freshId } from "./frame.js";

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A place that is no number would only leave its mark out, and say nothing.
function finite(place) {
  if (!Number.isFinite(place)) throw new Error("a number in the figure's state leads off its plot");
  return place;
}

// Round numbers between low and high, about n of them.
export function ticks(low, high, n = 5) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

export function tickText(value) {
  const text = Math.abs(value) < 1e-12 ? "0" : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
}

// Round numbers between two powers of ten, as [[log10, text], ...]; `round` times a power of ten each.
export function decadeTicks([low, high], round = [1, 2, 5]) {
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const values = powers.flatMap((power) => round.map((m) => m * 10 ** power));
  const inside = values.filter((v) => Math.log10(v) > low - 1e-9 && Math.log10(v) < high + 1e-9);
  return inside.map((value) => [Math.log10(value), tickText(value)]);
}

// Round the plot area: what every plot leaves free, and one without axes.
const ROOM = { right: 10, top: 10 };
const BARE = { left: 4, right: 4, top: 4, bottom: 4 };

// Axes over x: [low, high] and y: [low, high]. Sizes are in CSS pixels at a phone's width; a plot
// grows with its column, so that text never gets smaller than that. With `equal` a unit is as long
// on either axis, and the height follows from that; `yticks: false` is for heights without a unit.
// `xticks` and `yticks`, [[value, text], ...], are for an axis along which something else is linear
// than its unit, `left` for ticks that need more room, and `bare` is for what needs no axes.
export function plot(options) {
  const { x, y, width = 340, xlabel = "", ylabel = "", label, equal = false, ticks: n = 5 } = options;
  const margin = options.bare ? BARE : { ...ROOM, left: options.left ?? (ylabel ? 46 : 30), bottom: xlabel ? 40 : 24 };
  const inside = width - margin.left - margin.right;
  const needed = (inside * (y[1] - y[0])) / (x[1] - x[0]) + margin.top + margin.bottom;
  const height = equal ? needed : (options.height ?? 260);
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const scale = ([low, high], from, to) => (v) => finite(from + ((v - low) / (high - low)) * (to - from));
  const unscale = ([low, high], from, to) => (p) => low + ((p - from) / (to - from)) * (high - low);
  const [px, py] = [scale(x, margin.left, right), scale(y, bottom, margin.top)];
  const [ux, uy] = [unscale(x, margin.left, right), unscale(y, bottom, margin.top)];

  const back = svg("g", { class: "axes", "aria-hidden": "true" });
  back.append(svg("path", { d: `M${margin.left},${margin.top}V${bottom}H${right}`, class: "axis" }));
  for (const [tick, text] of options.xticks ?? ticks(...x, n).map((t) => [t, tickText(t)])) {
    back.append(svg("path", { d: `M${px(tick)},${bottom}v4`, class: "axis" }));
    back.append(svg("text", { x: px(tick), y: bottom + 16, class: "tick middle" }, text));
  }
  const yticks = options.yticks ?? ticks(...y, n).map((t) => [t, tickText(t)]);
  for (const [tick, text] of yticks || []) {
    back.append(svg("path", { d: `M${margin.left},${py(tick)}h-4`, class: "axis" }));
    const at = { x: margin.left - 7, y: py(tick) + 4, class: "tick end" };
    back.append(svg("text", at, text));
  }
  const middle = (margin.top + bottom) / 2;
  back.append(
    svg("text", { x: (margin.left + right) / 2, y: height - 6, class: "label middle" }, xlabel),
    svg("text", { transform: `translate(12,${middle}) rotate(-90)`, class: "label middle" }, ylabel),
  );

  const clip = svg("clipPath", { id: freshId() });
  const inner = { x: margin.left, y: margin.top, width: right - margin.left };
  clip.append(svg("rect", { ...inner, height: bottom - margin.top }));
  const marks = svg("g", { class: "marks", "clip-path": `url(#${clip.id})` });
  const handles = svg("g", { class: "handles" });
  const face = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "vae-live-plot" });
  face.setAttribute("role", "group");
  if (label) face.setAttribute("aria-label", label);
  face.append(clip, ...(options.bare ? [] : [back]), marks, handles);
  const box = element("div", { class: "vae-live-plotbox" }, face);

  const at = (event) => {
    const bounds = face.getBoundingClientRect();
    return {
      x: ux(((event.clientX - bounds.left) / bounds.width) * width),
      y: uy(((event.clientY - bounds.top) / bounds.height) * height),
    };
  };
  const area = { left: margin.left, top: margin.top, right, bottom, width, height };
  return { box, svg: face, marks, handles, px, py, at, x, y, area };
}

// A canvas under the axes, n by n cells over the whole plot area: for shading a plane.
export function underlay(axes, columns, rows) {
  const canvas = element("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  canvas.className = "vae-live-underlay";
  const { left, top, right, bottom, width, height } = axes.area;
  canvas.style.left = `${(100 * left) / width}%`;
  canvas.style.top = `${(100 * top) / height}%`;
  canvas.style.width = `${(100 * (right - left)) / width}%`;
  canvas.style.height = `${(100 * (bottom - top)) / height}%`;
  axes.box.prepend(canvas);
  return canvas;
}

// A line through points, [[x, y], ...] in data coordinates; .set(points) moves it.
export function line(axes, points = [], attributes = {}) {
  const path = svg("path", { class: "line", ...attributes });
  axes.marks.append(path);
  const set = (pts) =>
    path.setAttribute(
      "d",
      pts.map(([x, y], i) => `${i ? "L" : "M"}${axes.px(x).toFixed(2)},${axes.py(y).toFixed(2)}`).join(""),
    );
  set(points);
  return { path, set };
}

// The ellipse with half-axes r along x and s along y (data units); .set({x, y, r, s}) moves it.
export function ellipse(axes, attributes = {}) {
  const made = svg("ellipse", { class: "ellipse", ...attributes });
  axes.marks.append(made);
  const set = ({ x, y, r, s }) => {
    made.setAttribute("cx", axes.px(x));
    made.setAttribute("cy", axes.py(y));
    made.setAttribute("rx", Math.abs(axes.px(r) - axes.px(0)));
    made.setAttribute("ry", Math.abs(axes.py(s) - axes.py(0)));
  };
  return { ellipse: made, set };
}

// Something to drag: a mark at .x, .y that a pointer takes hold of, anywhere in the plot if `plane`,
// and that the arrow keys move by `step` (ten steps with Shift or the page keys); Home brings it
// back. `free` names the directions it moves in: "xy", "x" or "y". onMove({x, y}) is told.
export function handle(
  frame,
  axes,
  { x, y, label, step = 0.1, free = "xy", plane = false, text, onMove },
) {
  const mark = svg("g", { class: "handle", tabindex: "0", role: "slider", "aria-label": label });
  mark.append(svg("circle", { r: 20, class: "reach" }), svg("circle", { r: 8, class: "knob" }));
  axes.handles.append(mark);
  const range = free === "y" ? axes.y : axes.x;
  mark.setAttribute("aria-valuemin", range[0]);
  mark.setAttribute("aria-valuemax", range[1]);
  if (free === "y") mark.setAttribute("aria-orientation", "vertical");
  const words = text ?? ((at) => `${at.x.toFixed(2)}, ${at.y.toFixed(2)}`);

  const made = {
    x,
    y,
    mark,
    // Move it without telling.
    set: (to) => {
      if (free !== "y") made.x = clamp(to.x ?? made.x, ...axes.x);
      if (free !== "x") made.y = clamp(to.y ?? made.y, ...axes.y);
      mark.setAttribute("transform", `translate(${axes.px(made.x)},${axes.py(made.y)})`);
      mark.setAttribute("aria-valuenow", (free === "y" ? made.y : made.x).toFixed(3));
      mark.setAttribute("aria-valuetext", words(made));
    },
    // Put a mark where it is not free to go by itself.
    place: (to) => {
      if (to.x !== undefined) made.x = to.x;
      if (to.y !== undefined) made.y = to.y;
      made.set(made);
      mark.setAttribute("transform", `translate(${axes.px(made.x)},${axes.py(made.y)})`);
    },
  };
  const move = (to) => {
    made.set(to);
    onMove({ x: made.x, y: made.y });
  };
  made.set({ x, y });
  dragged(frame, axes, mark, mark, move);
  if (plane) dragged(frame, axes, mark, sheetOf(axes), move);
  frame.listen(mark, "keydown", (event) => {
    const to = placeByKey(event, made, { home: { x, y }, step, free });
    if (!to) return;
    event.preventDefault();
    move(to);
  });
  return made;
}

// A pointer on the target takes the mark along.
function dragged(frame, axes, mark, target, move) {
  frame.listen(target, "pointerdown", (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    target.setPointerCapture(event.pointerId);
    mark.focus({ preventScroll: true });
    move(axes.at(event));
  });
  frame.listen(target, "pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) move(axes.at(event));
  });
}

// The whole plot, below its handles, as something to touch.
function sheetOf(axes) {
  const { left, top, right, bottom } = axes.area;
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  const sheet = svg("rect", { ...place, class: "sheet" });
  axes.svg.insertBefore(sheet, axes.handles);
  return sheet;
}

// Where a key takes a handle, or undefined: in one direction, or in the only one that it is free in.
function placeByKey({ key, shiftKey }, { x, y }, { home, step, free }) {
  if (key === "Home") return home;
  const far = 10 * step;
  const size = shiftKey ? far : step;
  const along = (distance) => ({ x: x + distance, y: free === "y" ? y + distance : y });
  const upwards = (distance) => ({ y: y + distance, x: free === "x" ? x + distance : x });
  return {
    ArrowLeft: along(-size),
    ArrowRight: along(size),
    ArrowDown: upwards(-size),
    ArrowUp: upwards(size),
    PageDown: upwards(-far),
    PageUp: upwards(far),
  }[key];
}
