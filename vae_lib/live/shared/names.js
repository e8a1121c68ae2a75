// Names of curves, in their colours, beside them.

import { clamp } from "./maths.js";
import { svg } from "./plot.js";

const LETTER = 6.9; // the width of one, about, in the plot's pixels
export const halfWidth = (text) => (LETTER * text.length) / 2;
const ANCHORS = { "-1": "end", 0: "middle", 1: "" };

// set(x, y, { side, up }) puts the name beside a point of the curve, (x, y) in data coordinates: to
// its right (side 1), left (-1) or over it (0), `up` pixels above it, and always inside the plot.
export function nameAt(axes, text, colour) {
  const name = svg("text", { "aria-hidden": "true" }, text);
  axes.marks.append(name);
  const { left, right, top, bottom } = axes.area;
  const set = (x, y, { side = 1, up = 6 } = {}) => {
    const half = halfWidth(name.textContent);
    const room = Math.max(right - left - 2 * half - 6, 0);
    const middle = left + 3 + half + clamp(axes.px(x) + side * (half + 5) - half - left - 3, 0, room);
    name.setAttribute("class", `name halo in-${colour} ${ANCHORS[side]}`);
    name.setAttribute("x", (middle - side * half).toFixed(1));
    name.setAttribute("y", clamp(axes.py(y) - up, top + 12, bottom - 5).toFixed(1));
  };
  return { name, set };
}
