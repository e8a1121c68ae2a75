// Images with labels: their places in a latent plane, and a list to choose one from.
//
// A class has one colour in the whole book, live.css's .class-0 to .class-9 in the order of
// Matplotlib's; the colour only helps the eye along, and the numerals say which class it is.

import { svg } from "./plot.js";

const MARKS = { class: "numerals", "aria-hidden": "true" };

// Each label printed where its image's code is, and large in the middle of its class.
export function numerals(axes, codes, labels) {
  const group = svg("g", MARKS);
  codes.forEach(([x, y], i) => {
    const place = { x: axes.px(x).toFixed(1), y: (axes.py(y) + 3).toFixed(1) };
    group.append(svg("text", { ...place, class: `numeral middle class-${labels[i] % 10}` }, String(labels[i])));
  });
  axes.marks.append(group, classNames(axes, codes, labels));
}

// A dot for each code, and each class's numeral in the middle of its dots.
export function scatter(axes, codes, labels) {
  const dots = svg("g", { class: "dots", "aria-hidden": "true" });
  codes.forEach(([x, y], i) => {
    const place = { cx: axes.px(x).toFixed(1), cy: axes.py(y).toFixed(1), r: 1.9 };
    dots.append(svg("circle", { ...place, class: `class-${labels[i] % 10}` }));
  });
  axes.marks.append(dots, classNames(axes, codes, labels));
}

function classNames(axes, codes, labels) {
  const names = svg("g", { "aria-hidden": "true" });
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const own = codes.filter((_, i) => labels[i] === label);
    const place = { x: axes.px(median(own, 0)), y: axes.py(median(own, 1)) + 6 };
    names.append(svg("text", { ...place, class: `numeral name middle halo class-${label % 10}` }, String(label)));
  }
  return names;
}

function median(points, axis) {
  const values = points.map((one) => one[axis]).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)];
}

// Among the k codes nearest to z, the commonest label and how many have it.
export function nearestLabel(z, codes, labels, k = 15) {
  const order = codes.map(([x, y], i) => [Math.hypot(x - z[0], y - z[1]), labels[i]]);
  order.sort((a, b) => a[0] - b[0]);
  const counts = new Map();
  for (const [, label] of order.slice(0, k)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [label, count] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best));
  return { label, count, of: Math.min(k, codes.length) };
}

// [[index, text], ...] for a choice among images: "3", and "3, no. 2" for the next of its class.
export function imageOptions(labels) {
  const seen = new Map();
  return Array.from(labels, (label, i) => {
    const n = (seen.get(label) ?? 0) + 1;
    seen.set(label, n);
    return [String(i), n > 1 ? `${label}, no. ${n}` : String(label)];
  });
}
