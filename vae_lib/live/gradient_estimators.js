// Chapter 7: one set of ε; μ and σ move the draws, and two estimators of a gradient follow.

import { button, choice, element, live, panel, slider } from "./shared/frame.js";
import { clamp, linspace, logNormal, normals, sum } from "./shared/maths.js";
import { line, plot, svg } from "./shared/plot.js";

const REACH = 3.5; // of the axis of z
const FAR = 9; // integrals reach so many σ from μ; outside is 1e-18 of the mass
const N_STEPS = 2000; // of Simpson's rule: even
const LADDER = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]; // half-widths of the histograms' axis
const INSIDE = 0.96; // the share of either estimator's values that the axis must hold
const N_BINS = 61;
const BANDS = { pathwise: 1.12, score: 0.06 }; // where the histograms stand
const BAND_HEIGHT = 0.78;

// The chapter's functions of z with their slopes; `from` is where f begins to differ from 0.
function functionsOf({ x, x_sigma, omega }) {
  return {
    square: { label: "z²", f: (z) => z * z, slope: (z) => 2 * z },
    offset: { label: "z² + 10", f: (z) => z * z + 10, slope: (z) => 2 * z },
    log_px: {
      label: `log N(${x}; tanh 2z, ${x_sigma}²)`,
      f: (z) => logNormal(x, Math.tanh(2 * z), x_sigma),
      slope: (z) => (((x - Math.tanh(2 * z)) / x_sigma ** 2) * 2) / Math.cosh(2 * z) ** 2,
    },
    wave: {
      label: `sin ${omega}z`,
      f: (z) => Math.sin(omega * z),
      slope: (z) => omega * Math.cos(omega * z),
    },
    step: { label: "a step: 1 for z > 0, else 0", f: (z) => (z > 0 ? 1 : 0), slope: () => 0, from: 0 },
  };
}

export default live((frame, state) => {
  const { mu_range, sigma_range, n_draws, n_shown } = state;
  if (!(state.sigma > 0 && n_draws > 1)) throw new Error("sigma or n_draws is missing from the state");
  const functions = functionsOf(state);
  const now = { f: "square", baseline: "none", mu: state.mu, sigma: state.sigma };
  const normal = normals(state.seed);
  let eps;
  const renew = () => {
    eps = Float64Array.from({ length: n_draws }, normal);
  };
  renew();

  const names = Object.keys(functions);
  const curves = Object.fromEntries(names.map((name) => [name, slopePlot(functions[name])]));
  const scores = scorePlot();
  const histograms = new Map(LADDER.map((half) => [half, null])); // made when first needed
  const curve_box = element("div");
  const histogram_box = element("div");
  const left = panel(frame, "f and its slopes at the draws", curve_box);
  left.append(element("p", { class: "vae-live-title" }, "q(z), not to scale, and the draws' scores"));
  left.append(scores.axes.box);
  const how_many = n_draws.toLocaleString("en");
  const right = panel(frame, `one estimate for each of the ${how_many} draws`, histogram_box);
  for (const part of [left, right]) part.classList.add("wide");

  const change = (key) => (value) => {
    now[key] = value;
    frame.request();
  };
  const ranged = (label, key, [min, max]) =>
    slider(frame, { label, min, max, step: 0.05, value: now[key], onInput: change(key) });
  ranged("μ", "mu", mu_range);
  ranged("σ", "sigma", sigma_range);
  choice(frame, {
    label: "f(z) =",
    options: names.map((name) => [name, functions[name].label]),
    value: now.f,
    onChange: change("f"),
  });
  choice(frame, {
    label: "baseline b",
    options: [
      ["none", "none"],
      ["others", "mean of f over the other draws"],
      ["best", "the best constant"],
    ],
    value: now.baseline,
    onChange: change("baseline"),
  });
  const onClick = () => {
    renew();
    frame.request();
  };
  button(frame, { label: "Fresh ε", onClick });

  frame.draw(() => {
    const { mu, sigma } = now;
    const fn = functions[now.f];
    const z = eps.map((e) => mu + sigma * e);
    const truth = exactly(fn, mu, sigma);
    const estimates = {
      pathwise: z.map(fn.slope),
      score: scoreEstimates(z.map(fn.f), eps, sigma, now.baseline, truth.best),
    };
    const half_width = LADDER.find((half) => fits(estimates, half)) ?? LADDER.at(-1);
    const summary = Object.fromEntries(
      Object.entries(estimates).map(([name, values]) => [name, summaryOf(values, half_width)]),
    );

    const shown = z.subarray(0, n_shown);
    if (curve_box.firstChild !== curves[now.f].axes.box) curve_box.replaceChildren(curves[now.f].axes.box);
    curves[now.f].set(shown, fn);
    scores.set(shown, eps, mu, sigma);
    if (!histograms.get(half_width)) histograms.set(half_width, histogramPlot(half_width));
    const histogram = histograms.get(half_width);
    if (histogram_box.firstChild !== histogram.axes.box) histogram_box.replaceChildren(histogram.axes.box);
    histogram.set(summary, truth.gradient, now.baseline);
    frame.tell(saying(summary, truth.gradient, n_draws), {
      ...now,
      eps: Array.from(eps),
      exact: truth.gradient,
      best_baseline: truth.best,
      half_width,
      ...summary,
    });
  });
});

// The gradient of E[f] for μ, E[f ε] / σ, and the best constant baseline, E[f ε²], by Simpson's rule.
function exactly({ f, from = -Infinity }, mu, sigma) {
  const low = Math.max(-FAR, (from - mu) / sigma);
  if (low >= FAR) return { gradient: 0, best: 0 };
  const step = (FAR - low) / N_STEPS;
  let [first, second] = [0, 0];
  for (let i = 0; i <= N_STEPS; i++) {
    const e = low + i * step;
    // At its jump a step counts with its value on the side that is integrated over.
    const value = f(i || low === -FAR ? mu + sigma * e : from + 1e-12);
    const weight = (i === 0 || i === N_STEPS ? 1 : i % 2 ? 4 : 2) * value * Math.exp(logNormal(e));
    first += weight * e;
    second += weight * e * e;
  }
  return { gradient: ((step / 3) * first) / sigma, best: (step / 3) * second };
}

function scoreEstimates(f_z, eps, sigma, baseline, best) {
  const total = sum(f_z);
  const baselineOf = {
    none: () => 0,
    others: (f) => (total - f) / (f_z.length - 1),
    best: () => best,
  }[baseline];
  return f_z.map((f, k) => ((f - baselineOf(f)) * eps[k]) / sigma);
}

const fits = (estimates, half) =>
  Object.values(estimates).every((values) => {
    let inside = 0;
    for (const value of values) if (Math.abs(value) <= half) inside += 1;
    return inside >= INSIDE * values.length;
  });

// Mean, standard deviation, and how many fall into each bin and beyond the axis.
function summaryOf(values, half) {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((v) => (v - mean) ** 2)) / (values.length - 1);
  const counts = new Array(N_BINS).fill(0);
  let beyond = 0;
  for (const value of values) {
    if (Math.abs(value) > half) beyond += 1;
    else counts[Math.min(Math.floor(((value + half) / (2 * half)) * N_BINS), N_BINS - 1)] += 1;
  }
  return { mean, sd: Math.sqrt(variance), counts, beyond };
}

// f over z, with the tangents at the draws.
function slopePlot({ f, slope }) {
  const points = linspace(-REACH, REACH, 641).map((z) => [z, f(z)]);
  const heights = points.map(([, value]) => value);
  const [low, high] = [Math.min(0, ...heights), Math.max(0, ...heights)];
  const room = 0.08 * (high - low);
  const axes = plot({
    x: [-REACH, REACH],
    y: [low < 0 ? low - room : low - room / 2, high + room],
    height: 210,
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
function scorePlot() {
  const axes = plot({
    x: [-REACH, REACH],
    y: [-2.9, 2.9],
    height: 190,
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
function histogramPlot(half) {
  const axes = plot({
    x: [-half, half],
    y: [0, 2.15],
    height: 400,
    yticks: false,
    xlabel: "an estimate of ∂E[f] / ∂μ",
    label: "Histograms of the two estimators",
  });
  const truth = line(axes, [], { class: "line ink dashed" });
  const parts = Object.entries(BANDS).map(([name, base]) => {
    const colour = name === "pathwise" ? "blue" : "orange";
    const bars = svg("path", { class: `fill-${colour}` });
    line(axes, [[-half, base], [half, base]], { class: "axis" });
    const title = svg("text", { x: axes.area.left + 6, y: axes.py(base + 0.98) + 6, class: "halo" });
    const marker = svg("path", { class: "fill-ink" });
    axes.marks.append(title, marker);
    axes.marks.prepend(bars);
    return { name, base, bars, title, marker };
  });
  const set = (summary, gradient, baseline) => {
    truth.set([[gradient, 0], [gradient, 2.15]]);
    for (const { name, base, bars, title, marker } of parts) {
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
      title.textContent = beyond ? `${formula}; ${beyond} beyond the axis` : formula;
      const [x, y] = [axes.px(mean), axes.py(base)];
      marker.setAttribute("d", `M${x},${y}l-5,9h10Z`);
    }
  };
  return { axes, set };
}

// Without a minus sign in front of a zero.
const rounded = (value, digits) => value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");

function saying({ pathwise, score }, exact, n_draws) {
  const withError = ({ mean, sd }) => {
    const error = sd / Math.sqrt(n_draws);
    const digits = error > 0 ? clamp(1 - Math.floor(Math.log10(error)), 0, 4) : 0;
    return `${rounded(mean, digits)} ± ${error.toFixed(digits)}`;
  };
  const means =
    `∂E[f]/∂μ is ${rounded(exact, 3)}. Means of the estimates (triangles): pathwise ` +
    `${withError(pathwise)}, score function ${withError(score)}.`;
  const [p, s] = [pathwise.sd, score.sd];
  if (p === 0 && pathwise.mean === 0) {
    return `${means} Every pathwise estimate is 0: f has a jump, which its slope does not see.`;
  }
  const spread = `A single one has the standard deviation ${p.toPrecision(3)} and ${s.toPrecision(3)}`;
  const [path, scores] = ["pathwise estimator", "score function"];
  const [ratio, worse, better] = s > p ? [(s / p) ** 2, scores, path] : [(p / s) ** 2, path, scores];
  const times = ratio < 10 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en");
  return `${means} ${spread}, so the ${worse} needs ${times} times as many draws as the ${better}.`;
}
