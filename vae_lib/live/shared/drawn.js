// From the lines of a pen to an image like those of the data set, by the steps that made them.
//
// A drawing is a list of strokes, a stroke a list of points [x, y], y downwards, in any unit.

import { clamp } from "./maths.js";

const GRAIN = 0.4; // points of a line nearer to one another than this, in pixels, are left out
const BLOCK = 4; // the pixels of a bitmap that one pixel of a "box" image counts, along each side
const BOX_WIDTH = 20 / 32; // of the bitmap: real digits take its whole height, and no more width
const SQUEEZE = 2; // how far a wide drawing is narrowed before it is shrunk
const PEN = [1, 5]; // radius, in pixels of the bitmap
const MASS_BOX = 20 / 28;
const MASS_PEN = 1.25 / 28; // radius, of the image's side

// The drawing as an image, {height} x {width} numbers from 0 to 1 in rows, or null if there is none.
//
//   {name: "box", image_shape, ink}   as in the UCI digits: a bitmap of 4 x 4 times the size, whose
//      digit fills the height; the pen is made so thick that the share `ink` of it is black, and the
//      black ones among each 4 x 4 pixels are counted.
//   {name: "mass", image_shape}   as in MNIST: fitted into 20/28 of the image, in proportion, grey
//      by anti-aliasing, with its centre of mass in the middle.
export function drawnImage(strokes, rule) {
  const kept = strokes.filter((stroke) => stroke.length);
  const make = { box: boxImage, mass: massImage }[rule?.name];
  if (!make) throw new Error(`a drawing is prepared by the rule "box" or "mass", not ${rule?.name}`);
  return kept.length ? make(kept, rule) : null;
}

function boxImage(strokes, { image_shape, ink }) {
  const [height, width] = image_shape.map((n) => BLOCK * n);
  const count = Math.round(ink * height * width);
  let radius = 0.5 * (PEN[0] + PEN[1]);
  let distances;
  // A thicker pen leaves less room for its line, and a shorter line takes a thicker pen.
  for (let i = 0; i < 5; i++) {
    const room = [BOX_WIDTH * width - 2 * radius, height - 2 * radius];
    distances = distancesTo(fitted(strokes, room, SQUEEZE, [width, height]), [height, width], PEN[1] + 1);
    radius = clamp(Float64Array.from(distances).sort()[count - 1], ...PEN);
  }
  const image = new Float64Array(image_shape[0] * image_shape[1]);
  for (let i = 0, k = 0; i < height; i++) {
    for (let j = 0; j < width; j++, k++) {
      const block = Math.floor(i / BLOCK) * image_shape[1] + Math.floor(j / BLOCK);
      if (distances[k] <= radius + 1e-6) image[block] += 1 / BLOCK ** 2;
    }
  }
  return image;
}

function massImage(strokes, { image_shape: [height, width] }) {
  const radius = MASS_PEN * Math.min(height, width);
  const room = MASS_BOX * Math.min(height, width) - 2 * radius;
  const lines = fitted(strokes, [room, room], 1, [width, height]);
  const grey = (moved) =>
    distancesTo(moved, [height, width], radius + 1).map((d) => clamp(radius + 0.5 - d, 0, 1));
  let [total, x, y] = [0, 0, 0];
  grey(lines).forEach((value, k) => {
    total += value;
    x += value * ((k % width) + 0.5);
    y += value * (Math.floor(k / width) + 0.5);
  });
  const shift = [width / 2 - x / total, height / 2 - y / total];
  return grey(lines.map((line) => line.map((point) => [point[0] + shift[0], point[1] + shift[1]])));
}

// The strokes scaled to fill the room, [width, height], in the middle of [columns, rows] pixels.
// Proportions are kept, but a drawing too wide for the room is first narrowed, by `squeeze` at most.
function fitted(strokes, room, squeeze, size) {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const point of strokes.flat()) {
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis], point[axis]);
      high[axis] = Math.max(high[axis], point[axis]);
    }
  }
  const extent = [high[0] - low[0], high[1] - low[1]];
  const tall = Math.min(room[1] / extent[1], (squeeze * room[0]) / extent[0]);
  const scale = [Math.min(tall, room[0] / extent[0]), tall].map((s) => (Number.isFinite(s) ? s : 0));
  const placed = ([x, y]) => [
    size[0] / 2 + scale[0] * (x - (low[0] + high[0]) / 2),
    size[1] / 2 + scale[1] * (y - (low[1] + high[1]) / 2),
  ];
  return strokes.map((stroke) => thinned(stroke.map(placed)));
}

// A line without the points that add nothing to it at this scale; its first and last are kept.
function thinned(line) {
  const kept = [line[0]];
  for (const point of line) {
    const [x, y] = kept.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) >= GRAIN) kept.push(point);
  }
  if (kept.at(-1) !== line.at(-1)) kept.push(line.at(-1));
  return kept;
}

// From each pixel's middle to the nearest point of the lines, and `reach` where that is farther.
function distancesTo(lines, [height, width], reach) {
  const squares = new Float64Array(height * width).fill(reach * reach);
  const among = (value, n) => clamp(Math.floor(value), 0, n - 1);
  for (const line of lines) {
    for (let s = 0; s < Math.max(line.length - 1, 1); s++) {
      const [[x, y], [u, v]] = [line[s], line[s + 1] ?? line[s]];
      const [dx, dy] = [u - x, v - y];
      const length2 = dx * dx + dy * dy || 1;
      const [left, right] = [among(Math.min(x, u) - reach, width), among(Math.max(x, u) + reach, width)];
      const [top, bottom] = [among(Math.min(y, v) - reach, height), among(Math.max(y, v) + reach, height)];
      for (let i = top; i <= bottom; i++) {
        for (let j = left; j <= right; j++) {
          const px = j + 0.5 - x;
          const py = i + 0.5 - y;
          const along = clamp((px * dx + py * dy) / length2, 0, 1);
          const square = (px - along * dx) ** 2 + (py - along * dy) ** 2;
          const k = i * width + j;
          if (square < squares[k]) squares[k] = square;
        }
      }
    }
  }
  return squares.map(Math.sqrt);
}
