// The latent plane: real digits as dots in the colours of their classes, and a cloud, q(z|x).

import { codeHandle } from "../shared/plane.js";
import { ellipse, plot, svg } from "../shared/plot.js";

const WIDTH = 300;

// `placed` is {codes, labels} of real digits; onMove() is called when a reader moves the point.
export function makeMap(frame, { x_range, y_range }, placed, z, onMove) {
  const label = "The plane of codes";
  const axes = plot({ x: x_range, y: y_range, width: WIDTH, equal: true, ticks: 4, label });
  const { left, bottom } = axes.area;
  axes.svg.append(
    svg("text", { x: WIDTH - 10, y: bottom - 6, class: "label end halo", "aria-hidden": "true" }, "z₁"),
    svg("text", { x: left + 6, y: 20, class: "label halo", "aria-hidden": "true" }, "z₂"),
  );
  scatter(axes, placed);
  const rings = [2, 1].map((n) => [n, ellipse(axes, { class: `ellipse ink cloud-${n}` })]);
  const point = codeHandle(frame, axes, z, onMove);
  // q is {mu, sigma}, or null where nothing is encoded.
  const cloud = (q) => {
    for (const [n, ring] of rings) {
      ring.ellipse.style.display = q ? "" : "none";
      if (q) ring.set({ x: q.mu[0], y: q.mu[1], r: n * q.sigma[0], s: n * q.sigma[1] });
    }
  };
  return { axes, point, cloud };
}

// A dot a digit, and each class's numeral in the middle of its dots.
function scatter(axes, { codes, labels }) {
  const dots = svg("g", { class: "dots", "aria-hidden": "true" });
  const names = svg("g", { "aria-hidden": "true" });
  codes.forEach(([x, y], i) => {
    const place = { cx: axes.px(x).toFixed(1), cy: axes.py(y).toFixed(1), r: 1.9 };
    dots.append(svg("circle", { ...place, class: `class-${labels[i] % 10}` }));
  });
  for (const label of [...new Set(labels)].sort()) {
    const own = codes.filter((_, i) => labels[i] === label);
    const place = { x: axes.px(median(own, 0)), y: axes.py(median(own, 1)) + 6 };
    names.append(svg("text", { ...place, class: `numeral name middle halo class-${label % 10}` }, String(label)));
  }
  axes.marks.append(dots, names);
}

function median(points, axis) {
  const values = points.map((one) => one[axis]).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)];
}
