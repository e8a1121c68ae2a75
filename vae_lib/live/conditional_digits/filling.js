// A digit with gaps: the posterior over all labels and a grid of styles, and the mean of each gap.

import { linspace, LOG_2PI, softplus } from "../shared/maths.js";

const LIGHT = 1e-12; // what weighs less adds nothing that could be seen

// makeFor(ms) prepares what fill needs for so long, and says whether that is complete.
// fill(x, erased), binary pixels and which of them are gaps, with p(y) = 1/C and z from N(0, I):
//   p_y       p(y | x_o), where x_o are the pixels that are left
//   x_mean    x where it is left, and E[x_d | x_o] in the gaps
//   z_mean    E[z | x_o]
//   w         p(z, y | x_o) on the grid, label after label of each style, and by_style their sums
//   log_px    log p(x_o), with the grid's cells for dz
export function makeFilling({ half_width, n_grid, n_classes }, { logits, labels, n_pixels }) {
  const ends = linspace(-half_width, half_width, n_grid);
  const styles = ends.flatMap((a) => ends.map((b) => [a, b]));
  const log_cell = 2 * Math.log((2 * half_width) / (n_grid - 1)) - Math.log(n_classes);
  const log_prior = styles.map(([a, b]) => -LOG_2PI - (a * a + b * b) / 2 + log_cell);
  const table = makeTable(styles, labels, n_pixels, logits);

  const fill = (x, erased) => {
    table.makeFor(Infinity);
    const n = styles.length * n_classes;
    const log_w = Float64Array.from({ length: n }, (_, g) => log_prior[Math.floor(g / n_classes)]);
    for (let d = 0; d < n_pixels; d++) {
      if (erased[d]) continue;
      const log_p = (x[d] ? table.on : table.off)[d];
      for (let g = 0; g < n; g++) log_w[g] += log_p[g];
    }
    const top = log_w.reduce((most, value) => Math.max(most, value), -Infinity);
    const w = log_w.map((value) => Math.exp(value - top));
    const total = w.reduce((all, value) => all + value, 0);
    for (let g = 0; g < n; g++) w[g] /= total;
    const n_gaps = erased.reduce((all, gap) => all + gap, 0);
    return { w, ...summed(w, styles, n_classes), x_mean: means(table.p, x, erased, w), log_px: top + Math.log(total), n_gaps };
  };
  return { fill, makeFor: table.makeFor };
}

// log p(x_d = 1 | z, y), log p(x_d = 0 | z, y) and the first's exponential, a row for each pixel, over
// all labels of all styles.
function makeTable(styles, labels, n_pixels, logits) {
  const n = styles.length * labels.length;
  const rows = () => Array.from({ length: n_pixels }, () => new Float32Array(n));
  const [on, off, p] = [rows(), rows(), rows()];
  const addStyle = (s) => {
    for (const label of labels) {
      const g = s * labels.length + label;
      const made = logits(styles[s], label);
      for (let d = 0; d < n_pixels; d++) {
        const rest = -softplus(made[d]);
        on[d][g] = made[d] + rest;
        off[d][g] = rest;
        p[d][g] = Math.exp(made[d] + rest);
      }
    }
  };
  let n_made = 0;
  const makeFor = (ms) => {
    const end = performance.now() + ms;
    while (n_made < styles.length && performance.now() < end) addStyle(n_made++);
    return n_made === styles.length;
  };
  return { on, off, p, makeFor };
}

function means(p, x, erased, w) {
  const heavy = [];
  w.forEach((value, g) => value > LIGHT && heavy.push(g));
  return Float64Array.from(x, (value, d) => {
    if (!erased[d]) return value;
    let sum = 0;
    for (const g of heavy) sum += w[g] * p[d][g];
    return sum;
  });
}

function summed(w, styles, n_classes) {
  const p_y = new Float64Array(n_classes);
  const by_style = new Float64Array(styles.length);
  const z_mean = [0, 0];
  styles.forEach(([a, b], s) => {
    for (let label = 0; label < n_classes; label++) {
      const value = w[s * n_classes + label];
      p_y[label] += value;
      by_style[s] += value;
    }
    z_mean[0] += by_style[s] * a;
    z_mean[1] += by_style[s] * b;
  });
  return { p_y, by_style, z_mean };
}
