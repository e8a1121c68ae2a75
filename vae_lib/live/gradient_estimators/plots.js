// f with its slopes at the draws, q with their scores, and both estimators' histograms.

import { clamp, linspace } from "../shared/maths.js";
import { line, plot, svg } from "../shared/plot.js";
import { FAR } from "./estimates.js";

const REACH = 3.5; // of the axis of z
const BANDS = { pathwise: 1.12, score: 0.06 }; // where the histograms stand
const BAND_HEIGHT = 0.78;

// f over z, with the tangents at the draws.
export function slopePlot({ f, slope }) {
  const points = linspace(-REACH, REACH, 641).map((z) => [z, f(z)]);
  const heights = points.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...heights), Math.max(0, ...heights)];
  const room = 0.08 * (high - low);
  const axes = plot({
    x: [-REACH, REACH],
    y: [low < 0 ? low - room : low - room / 2, high + room],
    height: 180,
    ylabel: "f(z)",
    label: "The function f over z",
  });
  line(axes, points, { class: "line ink" });
  const tangents = svg("path", { class: "line blue" });
  const dots = svg("g", { class: "fill-blue" });
  axes.marks.append(tangents, dots);
  const [unit_x, unit_y] = [axes.px(1) - axes.px(0), axes.py(0) - axes.py(1)];
  const set = (draws) => {
    let path = "";
    const circles = Array.from(draws, (z) => {
      const [x, y] = [axes.px(z), axes.py(f(z))];
      const rise = (slope(z) * unit_y) / unit_x;
      const along = 22 / Math.hypot(1, rise);
      path += `M${x - along},${y + rise * along}L${x + along},${y - rise * along}`;
      return svg("circle", { cx: x, cy: y, r: 3 });
    });
    tangents.setAttribute("d", path);
    dots.replaceChildren(...circles);
  };
  return { axes, set };
}

// The shape of q, and at each draw an arrow as long as its score.
export function scorePlot() {
  const axes = plot({
    x: [-REACH, REACH],
    y: [-2.9, 2.9],
    height: 170,
    xlabel: "z",
    ylabel: "score · σ",
    ticks: 4,
    label: "The density q over z",
  });
  line(axes, [[-REACH, 0], [REACH, 0]], { class: "axis" });
  const density = svg("path", { class: "fill-grey", "fill-opacity": 0.35 });
  const middle = line(axes, [], { class: "line grey dotted" });
  const arrows = svg("path", { class: "line orange" });
  const dots = svg("g", { class: "fill-orange" });
  axes.marks.append(density, arrows, dots);
  const set = (draws, eps, mu, sigma) => {
    const outline = linspace(-FAR / 2, FAR / 2, 81).map((e) => {
      const [x, y] = [axes.px(mu + sigma * e), axes.py(2.5 * Math.exp(-0.5 * e * e))];
      return `${x.toFixed(2)},${y.toFixed(2)}`;
    });
    density.setAttribute("d", `M${outline.join("L")}Z`);
    middle.set([[mu, -2.9], [mu, 2.9]]);
    let path = "";
    const circles = Array.from(draws, (z, k) => {
      const [x, from, to] = [axes.px(z), axes.py(0), axes.py(clamp(eps[k], -2.8, 2.8))];
      const barb = Math.sign(from - to) * Math.min(3, Math.abs(from - to));
      path += `M${x},${from}V${to}M${x - 2.5},${to + barb}L${x},${to}L${x + 2.5},${to + barb}`;
      return svg("circle", { cx: x, cy: from, r: 3 });
    });
    arrows.setAttribute("d", path);
    dots.replaceChildren(...circles);
  };
  return { axes, set };
}

// Both histograms over one axis, each as high as its band, the exact gradient across them.
export function histogramPlot(half) {
  const axes = plot({
    x: [-half, half],
    y: [0, 2.15],
    height: 330,
    yticks: false,
    xlabel: "an estimate of ∂E[f] / ∂μ",
    label: "Histograms of the two estimators",
  });
  const truth = svg("path", { class: "line ink dashed" });
  axes.marks.append(truth);
  const parts = Object.entries(BANDS).map(([name, base]) => {
    const colour = name === "pathwise" ? "blue" : "orange";
    const bars = svg("path", { class: `fill-${colour}` });
    line(axes, [[-half, base], [half, base]], { class: "axis" });
    const y = axes.py(base + BAND_HEIGHT) - 4;
    const title = svg("text", { x: axes.area.left + 6, y, class: `name halo in-${colour}` });
    const rest = svg("text", { y: y + 18 });
    const marker = svg("path", { class: "fill-ink" });
    axes.marks.append(title, rest, marker);
    axes.marks.prepend(bars);
    return { name, base, bars, title, rest, marker };
  });
  const set = (summary, gradient, baseline) => {
    const middle = axes.px(gradient);
    const along = ({ base }) => `M${middle},${axes.py(base - BANDS.score)}V${axes.py(base + BAND_HEIGHT)}`;
    truth.setAttribute("d", parts.map(along).join("")); // and not through the bands' names
    const onRight = gradient <= 0; // where the line leaves more room
    for (const { name, base, bars, title, rest, marker } of parts) {
      const { mean, counts, beyond } = summary[name];
      const unit = BAND_HEIGHT / Math.max(...counts, 1);
      const width = (2 * half) / counts.length;
      let path = `M${axes.px(-half)},${axes.py(base)}`;
      counts.forEach((count, i) => {
        path += `V${axes.py(base + unit * count).toFixed(2)}H${axes.px(-half + (i + 1) * width).toFixed(2)}`;
      });
      bars.setAttribute("d", `${path}V${axes.py(base)}Z`);
      const weighted = baseline === "none" ? "f(z)" : "(f(z) − b)";
      const formula = name === "pathwise" ? "pathwise: f′(z)" : `score function: ${weighted} ε/σ`;
      title.textContent = formula;
      rest.textContent = beyond ? `${beyond} beyond the axis` : "";
      rest.setAttribute("x", onRight ? axes.area.right - 4 : axes.area.left + 6);
      rest.setAttribute("class", onRight ? "tick end halo" : "tick halo");
      const [x, y] = [axes.px(mean), axes.py(base)];
      marker.setAttribute("d", `M${x},${y}l-5,9h10Z`);
    }
  };
  return { axes, set };
}
