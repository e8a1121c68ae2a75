// Chapter 1: drag a code over the latent plane and see what the decoder makes of it.

import { scatter } from "./shared/classes.js";
import { element, live, panel } from "./shared/frame.js";
import { captioned, inkOf, pixels } from "./shared/image.js";
import { clamp } from "./shared/maths.js";
import { nearestAmong } from "./shared/nearest.js";
import { unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, svg, underlay } from "./shared/plot.js";

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  const axes = latentPlane(state.x_range, state.y_range);
  const distances = Float64Array.from(unpack(state.distances), (value) => state.distance_step * value);
  const shade = shading(axes, state, distances);
  placeCodes(axes, state);
  const nearest = state.images && nearestAmong(state.images);
  const show = makePictures(frame, axes, state.image_shape, Boolean(nearest));
  const point = codeHandle(frame, axes, state.start, frame.request);

  frame.draw(() => {
    shade();
    const x_decoded = decode([point.x, point.y]);
    const real = nearest && nearest(x_decoded);
    const distance = real ? real.distance : distanceAt(point, state, distances);
    show(x_decoded, real?.image);
    const verdict = distance <= state.usual ? "as near as reconstructions are" : "farther than 95 in 100 reconstructions";
    const inside = Math.hypot(point.x, point.y) <= state.circle ? "inside" : "outside";
    const place = `(${point.x.toFixed(2)}, ${point.y.toFixed(2)})`.replaceAll("-", "−");
    frame.tell(
      `z = ${place}, ${inside} the circle. Distance to the nearest real digit: ${distance.toFixed(2)}, ${verdict}.`,
      { z: [point.x, point.y], x_decoded: Array.from(x_decoded), distance, nearest: real?.number ?? null },
    );
  });
});

// The codes, in their classes' colours if they have any, and the circle of N(0, I).
function placeCodes(axes, state) {
  const codes = unpackRows(state.codes);
  if (state.labels) scatter(axes, codes, unpack(state.labels));
  else {
    const dots = codes.map(([x, y]) => svg("circle", { cx: axes.px(x), cy: axes.py(y), r: 1.4, class: "fill-blue" }));
    axes.marks.append(...dots);
  }
  ellipse(axes, { class: "ellipse ink dashed" }).set({ x: 0, y: 0, r: state.circle, s: state.circle });
}

// The plane, with the decoding and the nearest real image beside it; returns what shows the two.
function makePictures(frame, axes, shape, with_real) {
  const made = [["The decoding", "decoded"]];
  if (with_real) made.push(["The nearest real digit", "nearest real digit"]);
  const pictures = made.map(([label, caption]) => {
    const image = pixels(shape, { label });
    return { ...image, figure: captioned(image, caption).figure };
  });
  panel(frame, "", axes.box).classList.add("wide");
  const column = element("div", { class: "vae-live-pair" }, ...pictures.map(({ figure }) => figure));
  panel(frame, "", column).classList.add("side");
  return (...images) => pictures.forEach(({ show }, i) => show(images[i]));
}

// Distance from the decoding at z to the nearest real digit, between the points of the grid.
function distanceAt({ x, y }, { x_range, y_range, distances: { shape: [columns, rows] } }, distances) {
  const along = (value, [low, high], n) => clamp(((value - low) / (high - low)) * (n - 1), 0, n - 1);
  const [u, v] = [along(x, x_range, columns), along(y, y_range, rows)];
  const [i, j] = [Math.min(Math.floor(u), columns - 2), Math.min(Math.floor(v), rows - 2)];
  const at = (a, b) => distances[a * rows + b];
  const low = at(i, j) + (v - j) * (at(i, j + 1) - at(i, j));
  const high = at(i + 1, j) + (v - j) * (at(i + 1, j + 1) - at(i + 1, j));
  return low + (u - i) * (high - low);
}

// A function that shades the plane in the theme's ink, the darker the farther from real digits.
function shading(axes, { usual, distances: { shape: [columns, rows] } }, distances) {
  const sheet = underlay(axes, columns, rows);
  return () => {
    const [red, green, blue] = inkOf(sheet);
    const context = sheet.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < rows; j++) {
        const k = 4 * ((rows - 1 - j) * columns + i);
        const far = distances[i * rows + j] / (1.6 * usual);
        image.data.set([red, green, blue, 150 * clamp(far, 0, 1)], k);
      }
    }
    context.putImageData(image, 0, 0);
  };
}
