// Chapter 7: one set of ε; μ and σ move the draws, and two estimators of a gradient follow.

import { estimate, functionsOf } from "./gradient_estimators/estimates.js";
import { histogramPlot, scorePlot, slopePlot } from "./gradient_estimators/plots.js";
import { button, choice, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { controlsBetween, split } from "./shared/layout.js";
import { clamp, normals } from "./shared/maths.js";

const BASELINES = [
  ["none", "none"],
  ["others", "the others' mean of f"],
  ["best", "the best constant"],
];

export default live((frame, state) => {
  const { n_draws, n_shown } = state;
  if (!(state.sigma > 0 && n_draws > 1)) throw new Error("sigma or n_draws is missing from the state");
  const functions = functionsOf(state);
  const normal = normals(state.seed);
  const noise = () => Float64Array.from({ length: n_draws }, normal);
  const now = { f: "square", baseline: "none", mu: state.mu, sigma: state.sigma, eps: noise() };
  const { show, between } = makePlots(frame, functions, n_draws);
  makeControls(frame, between, state, functions, now, noise);

  frame.draw(() => {
    const { eps, ...settings } = now;
    const { z, exact, half_width, summary } = estimate(functions[now.f], eps, now);
    show(now, z.subarray(0, n_shown), exact.gradient, half_width, summary);
    frame.tell(saying(summary, exact.gradient, n_draws), {
      ...settings,
      eps: Array.from(eps),
      exact: exact.gradient,
      best_baseline: exact.best,
      half_width,
      ...summary,
    });
  });
});

// The plots in their panels; returns the function that shows one setting in them.
function makePlots(frame, functions, n_draws) {
  const curves = Object.fromEntries(Object.entries(functions).map(([name, fn]) => [name, slopePlot(fn)]));
  const scores = scorePlot();
  const histograms = new Map(); // by the half-width of their axis, made when first needed
  const [curve_box, histogram_box] = [element("div"), element("div")];
  const titled = (text) => element("p", { class: "vae-live-title" }, text);
  const how_many = n_draws.toLocaleString("en");
  const title = titled(`one estimate for each of the ${how_many} draws`);
  const side = split(frame, element("div", {}, title, histogram_box));
  side.append(titled("f, and its slopes at twelve of them"), curve_box);
  side.append(titled("q(z), not to scale, and their scores"), scores.axes.box);
  const between = controlsBetween(frame, side);
  const put = (box, { axes }) => {
    if (box.firstChild !== axes.box) box.replaceChildren(axes.box);
  };
  const show = ({ f, eps, mu, sigma, baseline }, shown, gradient, half_width, summary) => {
    put(curve_box, curves[f]);
    curves[f].set(shown, functions[f]);
    scores.set(shown, eps, mu, sigma);
    if (!histograms.has(half_width)) histograms.set(half_width, histogramPlot(half_width));
    put(histogram_box, histograms.get(half_width));
    histograms.get(half_width).set(summary, gradient, baseline);
  };
  return { show, between };
}

function makeControls(frame, between, { mu_range, sigma_range }, functions, now, noise) {
  const change = (key) => (value) => {
    now[key] = value;
    frame.request();
  };
  const ranged = (label, key, [min, max]) =>
    slider(frame, { label, min, max, step: 0.05, value: now[key], onInput: change(key), parent: between });
  ranged("μ", "mu", mu_range);
  ranged("σ", "sigma", sigma_range);
  const options = Object.entries(functions).map(([name, { label }]) => [name, label]);
  choice(frame, { label: "f(z) =", options, value: now.f, onChange: change("f") });
  choice(frame, { label: "baseline b", options: BASELINES, value: now.baseline, onChange: change("baseline") });
  button(frame, { label: "Fresh ε", onClick: () => change("eps")(noise()) });
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
  const times = Number(ratio.toPrecision(2)).toLocaleString("en"); // from a thousand draws no more is known
  return `${means} ${spread}, so for a mean of the same error the ${worse} takes about ${times} times as many draws as the ${better}.`;
}
