// Chapter 13: a style and a label make a digit; and of a digit with gaps, what all styles and labels
// together put there.

import { makeFilling } from "./conditional_digits/filling.js";
import { makeGaps } from "./conditional_digits/gaps.js";
import { makeStyles } from "./conditional_digits/styles.js";
import { live } from "./shared/frame.js";
import { inkOf } from "./shared/image.js";
import { oneOf, split } from "./shared/layout.js";
import { sigmoid } from "./shared/maths.js";
import { nearestAmong } from "./shared/nearest.js";
import { unpack, unpackNetwork } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, svg, underlay } from "./shared/plot.js";

const [SLICE_MS, PAUSE_MS] = [4, 30];

export default live((frame, state) => {
  const model = makeConditional(state);
  const { fill, makeFor } = makeFilling(state, model);
  const now = { gaps: false, label: state.label };
  const plane = stylePlane(state);
  const point = codeHandle(frame, plane.axes, state.start, frame.request);
  const side = split(frame, plane.axes.box);
  const styles = makeStyles(frame, state, now);
  const gaps = makeGaps(frame, state);
  const turnTo = (part) => {
    now.gaps = part === 1;
    frame.request();
  };
  oneOf(frame, side, [["Style and label", styles.box], ["Erase and fill in", gaps.box]], turnTo);

  // Little by little, so that the second part is there when it is asked for.
  const prepare = () => makeFor(SLICE_MS) || frame.later(prepare, PAUSE_MS);
  frame.later(prepare, PAUSE_MS);

  frame.draw(() => {
    point.mark.style.display = now.gaps ? "none" : "";
    plane.axes.svg.style.pointerEvents = now.gaps ? "none" : "";
    if (now.gaps) {
      const filled = fill(gaps.x(), gaps.erased());
      plane.shade(filled);
      gaps.show(filled);
      frame.tell(gaps.saying(filled), { gaps: true, ...gaps.told(), ...plain(filled) });
      return;
    }
    plane.shade(null);
    const z = [point.x, point.y];
    const digits = model.labels.map((label) => model.mean(z, label));
    const real = model.nearest(digits[now.label]);
    styles.show(digits, real.image, model.real_labels[real.number]);
    const ink = digits.map((digit) => digit.reduce((total, value) => total + value, 0));
    const told = { z, label: now.label, x_mean: Array.from(digits[now.label]), ink };
    const nearest = { nearest: real.number, distance: real.distance };
    frame.tell(saying(z, now.label, real, model.real_labels[real.number]), { gaps: false, ...told, ...nearest });
  });
});

// The decoder, and the real images to compare with.
function makeConditional(state) {
  const logits = unpackNetwork(state.decoder);
  const labels = Array.from({ length: state.n_classes }, (_, label) => label);
  const rows = labels.map((label) => labels.map((other) => Number(other === label))); // each y
  const at = (z, label) => logits([...z, ...rows[label]]);
  const mean = (z, label) => at(z, label).map(sigmoid);
  const n_pixels = state.image_shape[0] * state.image_shape[1];
  return { labels, n_pixels, logits: at, mean, nearest: nearestAmong(state.real), real_labels: unpack(state.real_labels) };
}

// The plane of styles with the circles of N(0, I). shade({ w, by_style, z_mean }) shows the posterior
// of a digit with gaps, each place in its labels' colours, mixed; shade(null) nothing.
function stylePlane({ half_width, n_grid, n_classes }) {
  const axes = latentPlane([-half_width, half_width], [-half_width, half_width]);
  for (const r of [1, 2]) ellipse(axes, { class: "ellipse grey dotted" }).set({ x: 0, y: 0, r, s: r });
  const sheet = underlay(axes, n_grid, n_grid);
  // A cell is as wide as points are apart, so the outermost stand out by half of one.
  const stretch = n_grid / (n_grid - 1);
  sheet.style.transform = `scale(${stretch})`;
  const middle = svg("path", { class: "line ink" });
  const inks = Array.from({ length: n_classes }, (_, label) => svg("rect", { width: 0, height: 0, class: `class-${label}` }));
  axes.marks.append(...inks, middle);
  const context = sheet.getContext("2d");
  const image = context.createImageData(n_grid, n_grid);
  const shade = (filled) => {
    middle.style.display = filled ? "" : "none";
    context.clearRect(0, 0, n_grid, n_grid);
    if (!filled) return;
    const colours = inks.map((ink) => getComputedStyle(ink).fill.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? inkOf(sheet));
    const most = filled.by_style.reduce((top, value) => Math.max(top, value), 0);
    filled.by_style.forEach((weight, k) => {
      const [i, j] = [Math.floor(k / n_grid), k % n_grid];
      const mixed = [0, 1, 2].map((part) =>
        colours.reduce((all, colour, label) => all + colour[part] * filled.w[k * n_classes + label], 0) / (weight || 1),
      );
      image.data.set([...mixed, 255 * (weight / most)], 4 * ((n_grid - 1 - j) * n_grid + i));
    });
    context.putImageData(image, 0, 0);
    const [u, v] = [axes.px(filled.z_mean[0]), axes.py(filled.z_mean[1])];
    middle.setAttribute("d", `M${u - 5},${v - 5}l10,10m-10,0l10,-10`);
  };
  return { axes, shade };
}

const plain = ({ p_y, x_mean, z_mean, log_px, n_gaps }) => ({
  p_y: Array.from(p_y),
  x_filled: Array.from(x_mean),
  z_mean,
  log_px,
  n_gaps,
});

function saying(z, label, { distance }, real_label) {
  const place = `(${z.map((value) => value.toFixed(2)).join(", ")})`.replaceAll("-", "−");
  return `z = ${place} and label ${label}. The real digit nearest to the mean of p(x | z, y) is a ${real_label}, ${distance.toFixed(2)} away.`;
}
