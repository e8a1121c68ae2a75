// Images with labels: their places in a latent plane, and a list to choose one from.

import { svg } from "./plot.js";

const CLASS_COLOURS = ["blue", "orange", "green", "red", "violet"];

// Each label printed where its image's code is; the colour only helps the eye along.
export function numerals(axes, codes, labels) {
  const group = svg("g", { class: "numerals", "aria-hidden": "true" });
  codes.forEach(([x, y], i) => {
    const colour = CLASS_COLOURS[labels[i] % CLASS_COLOURS.length];
    const place = { x: axes.px(x), y: axes.py(y) + 3, class: `numeral middle fill-${colour}` };
    group.append(svg("text", place, String(labels[i])));
  });
  axes.marks.append(group);
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
