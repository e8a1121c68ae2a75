// A pad to draw on with mouse, finger, pen or keys.

import { button } from "./controls.js";
import { element } from "./frame.js";
import { inkOf } from "./image.js";
import { clamp } from "./maths.js";

const SIDE = 360; // pixels of the canvas, whatever its size on the page
const LINE = 0.07; // thickness of the line, of the pad's side, as are all lengths below
const STEP = 0.04; // what an arrow key moves the pen by
const APART = 0.008; // points nearer than this to the last are not taken
const MOST = 2000; // points, far more than a digit needs
const KEYS = "keys: arrows, Space, Delete";
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

// A square pad with its Clear button. `strokes` is the drawing so far: a list of lines, each a list
// of points [x, y] between 0 and 1, y downwards. onChange() is called whenever it changes; show(),
// to be called with every frame, paints it. Arrow keys move the pen (two at once: aslant), Space or
// Enter puts it down and lifts it, Delete or Escape clears.
export function sketchpad(frame, { label, invitation = "draw here", onChange }) {
  const canvas = element("canvas", {
    class: "vae-live-pad",
    width: SIDE,
    height: SIDE,
    tabindex: "0",
    role: "application",
    "aria-roledescription": "drawing pad",
    "aria-label": `${label}. Arrow keys move the pen, Space puts it down or lifts it, Delete clears.`,
  });
  const note = element("p", { class: "vae-live-padnote", role: "status" }, KEYS);
  const row = element("div", { class: "vae-live-controls" });
  const box = element("div", { class: "vae-live-sketch" }, canvas, row, note);
  const pen = makePen(note, onChange);
  byPointer(frame, canvas, pen);
  byKeys(frame, canvas, pen);
  button(frame, { label: "Clear", parent: row, onClick: pen.clear });
  return { box, strokes: pen.strokes, clear: pen.clear, show: () => paint(canvas, pen, invitation) };
}

// The drawing, and where the keys' pen is; `keys` says whether they were the last to draw.
function makePen(note, onChange) {
  const strokes = [];
  let n_points = 0;
  const held = new Set(); // arrow keys
  const pen = { x: 0.3, y: 0.2, down: false, keys: false, held, strokes };
  pen.reach = ([x, y]) => {
    const line = strokes.at(-1);
    const last = line.at(-1);
    if (n_points >= MOST || (last && Math.hypot(x - last[0], y - last[1]) < APART)) return;
    line.push([x, y]);
    n_points += 1;
    onChange();
  };
  pen.begin = (point) => {
    strokes.push([]);
    pen.reach(point);
  };
  pen.say = () => {
    const place = `${Math.round(100 * pen.x)} across, ${Math.round(100 * pen.y)} down`;
    note.textContent = pen.keys ? `pen ${pen.down ? "down" : "up"}, ${place}` : KEYS;
  };
  pen.lift = () => {
    pen.down = false;
    held.clear();
  };
  pen.putAway = () => {
    pen.lift();
    pen.keys = false;
    pen.say();
  };
  pen.clear = () => {
    pen.lift();
    strokes.length = 0;
    n_points = 0;
    pen.say();
    onChange();
  };
  return pen;
}

function byPointer(frame, canvas, pen) {
  const at = (event) => {
    const bounds = canvas.getBoundingClientRect();
    const along = (value, from, length) => clamp((value - from) / length, 0, 1);
    return [along(event.clientX, bounds.left, bounds.width), along(event.clientY, bounds.top, bounds.height)];
  };
  frame.listen(canvas, "pointerdown", (event) => {
    if (event.button > 0 || !event.isPrimary) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pen.putAway();
    pen.begin(at(event));
  });
  frame.listen(canvas, "pointermove", (event) => {
    if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) pen.reach(at(one));
  });
}

function byKeys(frame, canvas, pen) {
  const toggle = () => {
    pen.down = !pen.down;
    if (pen.down) pen.begin([pen.x, pen.y]);
  };
  const step = (size) => {
    for (const key of pen.held) {
      pen.x = clamp(pen.x + size * ARROWS[key][0], 0, 1);
      pen.y = clamp(pen.y + size * ARROWS[key][1], 0, 1);
    }
    if (pen.down) pen.reach([pen.x, pen.y]);
  };
  frame.listen(canvas, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      pen.held.add(event.key);
      step(event.shiftKey ? 3 * STEP : STEP);
    } else if (event.key === " " || event.key === "Enter") {
      if (!event.repeat) toggle();
    } else if (["Delete", "Backspace", "Escape"].includes(event.key)) pen.clear();
    else return;
    event.preventDefault();
    pen.keys = true;
    pen.say();
    frame.request();
  });
  frame.listen(canvas, "keyup", (event) => pen.held.delete(event.key));
  frame.listen(canvas, "blur", () => {
    pen.putAway();
    frame.request();
  });
}

function paint(canvas, pen, invitation) {
  const context = canvas.getContext("2d");
  const ink = `rgb(${inkOf(canvas).join(" ")})`;
  context.clearRect(0, 0, SIDE, SIDE);
  context.strokeStyle = context.fillStyle = ink;
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = LINE * SIDE;
  for (const line of pen.strokes) {
    context.beginPath();
    for (const [x, y] of line) context.lineTo(SIDE * x, SIDE * y);
    context.stroke();
    disc(context, line[0], LINE / 2); // a line of one point has no length to be drawn
  }
  if (!pen.strokes.length && !pen.keys) {
    context.font = `${SIDE / 12}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.globalAlpha = 0.7;
    context.fillText(invitation, SIDE / 2, SIDE / 2);
    context.globalAlpha = 1;
  }
  if (pen.keys) showPen(context, pen, getComputedStyle(canvas).outlineColor);
}

// A ring where the keys' pen is, with a dot in it when it is down.
function showPen(context, { x, y, down }, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = SIDE / 60;
  context.beginPath();
  context.arc(SIDE * x, SIDE * y, SIDE * LINE, 0, 2 * Math.PI);
  context.stroke();
  if (down) disc(context, [x, y], LINE / 2);
}

function disc(context, [x, y], radius) {
  context.beginPath();
  context.arc(SIDE * x, SIDE * y, SIDE * radius, 0, 2 * Math.PI);
  context.fill();
}
