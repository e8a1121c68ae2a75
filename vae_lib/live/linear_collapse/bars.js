// The latent dimensions as bars, over a logarithmic axis, and the line βσ² that they rise above or not.

import { nameAt } from "../shared/names.js";
import { decadeTicks, plot, svg } from "../shared/plot.js";
import { clamp } from "../shared/maths.js";

const LEAST = 1e-6; // of what is at the top of the axis, is at its foot

export function dimensionBars(eigenvalues, [low, high]) {
  const n = eigenvalues.length;
  const y = [Math.log10(Math.max(0.8 * low, LEAST * high)), Math.log10(high)];
  const axes = plot({
    x: [0.4, n + 0.6],
    y,
    height: 250,
    left: 60,
    ticks: Math.min(n, 6),
    xticks: whole(n),
    yticks: decadeTicks(y, y[1] - y[0] > 2.5 ? [1] : [1, 3]),
    xlabel: "latent dimension",
    ylabel: "λ, variance of the data",
    label: "The latent dimensions",
  });
  const place = (value) => axes.py(clamp(Math.log10(value), ...y));
  const width = 0.7 * (axes.px(2) - axes.px(1));
  const bars = eigenvalues.map((value, l) => {
    const at = { x: axes.px(l + 1) - width / 2, width, height: 0 };
    const [whole_bar, above] = ["band", "fill-blue"].map((kind) => svg("rect", { ...at, class: kind }));
    const top = place(value);
    whole_bar.setAttribute("y", top);
    whole_bar.setAttribute("height", axes.area.bottom - top);
    above.setAttribute("y", top);
    axes.marks.append(whole_bar, above);
    return { above, top };
  });
  const line = svg("path", { class: "line red dashed" });
  const best = svg("path", { d: "M0,-7L7,0L0,7L-7,0Z", class: "line ink" });
  axes.marks.append(line, best);
  const names = { line: nameAt(axes, "βσ²", "ink"), best: nameAt(axes, "best", "ink"), kl: nameAt(axes, "above the line: 2 KL", "blue") };
  const set = (threshold, best_threshold) => {
    const level = place(threshold);
    bars.forEach(({ above, top }) => above.setAttribute("height", Math.max(0, level - top).toFixed(2)));
    line.setAttribute("d", `M${axes.area.left},${level.toFixed(2)}H${axes.area.right}`);
    setNames(axes, { names, best }, { threshold, best_threshold, first: eigenvalues[0] });
  };
  return { axes, set };
}

// Some dimensions' numbers, first and last among them.
function whole(n) {
  const step = Math.ceil(n / 8);
  const shown = Array.from({ length: n }, (_, l) => l + 1).filter((l) => l === 1 || l % step === 0);
  return shown.map((l) => [l, String(l)]);
}

function setNames(axes, { names, best }, { threshold, best_threshold, first }) {
  const [left, right] = axes.x;
  const log = (value) => clamp(Math.log10(value), ...axes.y);
  const level = axes.py(log(threshold));
  const top = level < axes.area.top + 20; // no room above the line
  names.line.set(left + 0.8 * (right - left), log(threshold), { side: 0, up: top ? -16 : 8 });
  names.kl.set(right, axes.y[1], { side: -1, up: 0 });
  names.kl.name.style.display = threshold < first && level > axes.area.top + 36 ? "" : "none";
  for (const mark of [best, names.best.name]) mark.style.display = best_threshold === null ? "none" : "";
  if (best_threshold === null) return;
  const at = log(best_threshold);
  best.setAttribute("transform", `translate(${axes.px(left + 0.5 * (right - left))},${axes.py(at)})`);
  names.best.set(left + 0.5 * (right - left), at, { side: -1, up: axes.py(at) < axes.area.top + 20 ? -16 : 8 });
}
