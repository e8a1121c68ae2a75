// The latent plane: real digits as dots in the colours of their classes, and a cloud, q(z|x).

import { scatter } from "../shared/classes.js";
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
  scatter(axes, placed.codes, placed.labels);
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
