// A picture whose pixels are erased with mouse, finger, pen or keys.

import { element } from "../shared/frame.js";
import { inkOf } from "../shared/image.js";
import { clamp } from "../shared/maths.js";

const CELL = 24; // of the canvas, to draw in, whatever its size on the page
const RUBBER = 1 / 18; // its radius, of the picture's side; one pixel at least
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `erased` is 1 for each pixel that is gone, at first as given; onChange() is told of each change.
// erase(pixels) sets them all, erase(null) brings all back; show(x) paints what is left of x.
export function eraser(frame, { shape: [height, width], label, erased: first, onChange }) {
  const canvas = element("canvas", {
    class: "vae-live-pad",
    width: width * CELL,
    height: height * CELL,
    tabindex: "0",
    role: "application",
    "aria-roledescription": "eraser",
    "aria-label": `${label}. Arrow keys move the rubber, Space erases there, Delete brings all pixels back.`,
  });
  const erased = Uint8Array.from(first);
  const rubber = { x: Math.floor(width / 2), y: Math.floor(height / 2), keys: false };
  const erase = (pixels) => {
    erased.set(pixels ?? new Uint8Array(erased.length));
    onChange();
  };
  const radius = Math.max(0.5, RUBBER * Math.max(height, width));
  const rub = (u, v) => {
    for (let i = Math.max(Math.floor(v - radius), 0); i <= Math.min(v + radius, height - 1); i++) {
      for (let j = Math.max(Math.floor(u - radius), 0); j <= Math.min(u + radius, width - 1); j++) {
        if (Math.hypot(j + 0.5 - u, i + 0.5 - v) <= radius * Math.SQRT2) erased[i * width + j] = 1;
      }
    }
    onChange();
  };
  rubByPointer(frame, canvas, [height, width], rubber, rub);
  rubByKeys(frame, canvas, [height, width], rubber, { rub, erase, onChange });
  return { canvas, erased, erase, show: (x) => paintLeft(canvas, x, erased, [height, width], rubber) };
}

function rubByPointer(frame, canvas, [height, width], rubber, rub) {
  let last = null;
  const at = (event) => {
    const bounds = canvas.getBoundingClientRect();
    const along = (value, from, length, n) => clamp((n * (value - from)) / length, 0, n - 1e-6);
    return [along(event.clientX, bounds.left, bounds.width, width), along(event.clientY, bounds.top, bounds.height, height)];
  };
  frame.listen(canvas, "pointerdown", (event) => {
    if (event.button > 0 || !event.isPrimary) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    rubber.keys = false;
    last = at(event);
    rub(...last);
  });
  frame.listen(canvas, "pointermove", (event) => {
    if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
    const to = at(event);
    const n = Math.max(Math.ceil(3 * Math.hypot(to[0] - last[0], to[1] - last[1])), 1);
    for (let i = 1; i <= n; i++) rub(last[0] + (i / n) * (to[0] - last[0]), last[1] + (i / n) * (to[1] - last[1]));
    last = to;
  });
}

function rubByKeys(frame, canvas, [height, width], rubber, { rub, erase, onChange }) {
  frame.listen(canvas, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in MOVES) {
      rubber.x = clamp(rubber.x + MOVES[event.key][0], 0, width - 1);
      rubber.y = clamp(rubber.y + MOVES[event.key][1], 0, height - 1);
    } else if (event.key === " " || event.key === "Enter") rub(rubber.x + 0.5, rubber.y + 0.5);
    else if (["Delete", "Backspace", "Escape"].includes(event.key)) erase(null);
    else return;
    event.preventDefault();
    rubber.keys = true;
    onChange();
  });
  frame.listen(canvas, "blur", () => {
    rubber.keys = false;
    onChange();
  });
}

// Ink where x is 1, a stroke through each pixel that is gone, and a frame where the keys' rubber is.
function paintLeft(canvas, x, erased, [height, width], rubber) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const ink = `rgb(${inkOf(canvas).join(" ")})`;
  const blue = getComputedStyle(canvas).getPropertyValue("--live-blue");
  context.lineWidth = 2;
  for (let i = 0, d = 0; i < height; i++) {
    for (let j = 0; j < width; j++, d++) {
      context.globalAlpha = erased[d] ? 0.25 : x[d];
      context.fillStyle = erased[d] ? blue : ink;
      context.fillRect(j * CELL, i * CELL, CELL, CELL);
      if (!erased[d]) continue;
      context.globalAlpha = 0.9;
      context.strokeStyle = blue;
      context.beginPath();
      context.moveTo(j * CELL + 5, (i + 1) * CELL - 5);
      context.lineTo((j + 1) * CELL - 5, i * CELL + 5);
      context.stroke();
    }
  }
  context.globalAlpha = 1;
  if (!rubber.keys) return;
  context.strokeStyle = blue;
  context.lineWidth = 4;
  context.strokeRect(rubber.x * CELL + 2, rubber.y * CELL + 2, CELL - 4, CELL - 4);
}
