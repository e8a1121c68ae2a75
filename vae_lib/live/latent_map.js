// Chapter 1: drag a code over the latent plane and see what the decoder makes of it.

import { live, panel } from "./shared/frame.js";
import { captioned, inkOf, pixels } from "./shared/image.js";
import { clamp } from "./shared/maths.js";
import { unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, svg, underlay } from "./shared/plot.js";

const REACH = 2; // the disc that most draws from N(0, I) fall into: 86 in 100

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  const axes = latentPlane(state.x_range, state.y_range);
  const distances = unpack(state.distances);
  const shade = shading(axes, state, distances);

  for (const [x, y] of unpackRows(state.codes)) {
    axes.marks.append(svg("circle", { cx: axes.px(x), cy: axes.py(y), r: 1.4, class: "fill-blue" }));
  }
  ellipse(axes, { class: "ellipse red dashed" }).set({ x: 0, y: 0, r: REACH, s: REACH });

  const image = pixels(state.image_shape, { label: "The decoding" });
  panel(frame, "", axes.box).classList.add("wide");
  panel(frame, "decoded", captioned(image, "").figure);

  const point = codeHandle(frame, axes, state.start, frame.request);

  frame.draw(() => {
    shade();
    const x_decoded = decode([point.x, point.y]);
    image.show(x_decoded);
    const distance = distanceAt(point, state, distances);
    const verdict = distance <= state.usual ? "as near as reconstructions are" : "farther than 95 in 100 reconstructions";
    const inside = Math.hypot(point.x, point.y) <= REACH ? "inside" : "outside";
    frame.tell(
      `z = (${point.x.toFixed(2)}, ${point.y.toFixed(2)}), ${inside} the circle. Distance to the nearest ` +
        `real digit: ${distance.toFixed(2)}, ${verdict}.`,
      { z: [point.x, point.y], x_decoded: Array.from(x_decoded), distance },
    );
  });
});

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
