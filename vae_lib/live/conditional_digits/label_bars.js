// A bar for each label's probability.

import { svg } from "../shared/plot.js";

const [WIDTH_OF_ALL, FLOOR, CEILING] = [340, 74, 20];

export const percent = (p) => (p > 0.995 && p < 1 ? ">\u200999%" : `${Math.round(100 * p)}%`);

export function labelBars(n_classes) {
  const face = svg("svg", { viewBox: `0 0 ${WIDTH_OF_ALL} 94`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the likeliest are in the text below
  const wide = WIDTH_OF_ALL / n_classes;
  const columns = Array.from({ length: n_classes }, (_, label) => {
    const middle = (label + 0.5) * wide;
    const bar = svg("rect", { x: middle - 0.35 * wide, width: 0.7 * wide, class: `bar class-${label}` });
    const value = svg("text", { x: middle, class: "middle" });
    face.append(bar, value, svg("text", { x: middle, y: FLOOR + 16, class: "middle" }, String(label)));
    return { bar, value };
  });
  face.append(svg("path", { d: `M0,${FLOOR}H${WIDTH_OF_ALL}`, class: "axis" }));
  const set = (p_y) =>
    columns.forEach(({ bar, value }, label) => {
      const top = FLOOR - p_y[label] * (FLOOR - CEILING);
      bar.setAttribute("y", top);
      bar.setAttribute("height", FLOOR - top);
      value.setAttribute("y", top - 4);
      value.textContent = p_y[label] >= 0.01 ? percent(p_y[label]) : "";
    });
  return { face, set };
}
