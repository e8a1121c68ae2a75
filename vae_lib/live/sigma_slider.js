// Chapter 4: SSE/2σ² + (D/2) log 2πσ² and its two terms over σ, for reconstructions that stay.

import { button, choice, slider } from "./shared/controls.js";
import { element, live, write } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { split, sumOf } from "./shared/layout.js";
import { clamp, linspace, LOG_2PI, normals, sum } from "./shared/maths.js";
import { unpackRows } from "./shared/network.js";
import { decadeTicks, handle, line, plot, svg } from "./shared/plot.js";
import { search } from "./shared/search.js";

const NEAR = 1 / 64; // nats a pixel above the least: an eighth of σ to either side of the best
const CONTRAST = 2; // of errors and noise, times that of the images
// The σ of losses that do not mention any, and where its name stands.
const UNSAID = [
  { at: Math.SQRT1_2, names: ["σ² = ½", "(SSE)"], kind: "end", shift: -4 },
  { at: 1, names: ["σ = 1", "(½ SSE)"], kind: "", shift: 4 },
];

export default live((frame, state) => {
  const [x, x_mean] = [unpackRows(state.x), unpackRows(state.x_mean)];
  const { names } = state;
  if (x.length !== names?.length) throw new Error("there are not as many names as images");
  if (!(state.mean_sse > 0 && state.sigma > 0)) throw new Error("the mean SSE or σ is missing from the figure's state");
  const costs = makeCosts(x, x_mean, state);
  const now = { shown: 0, sigma: state.sigma, seed: state.seed, eps: [] };
  const near = () => costs.terms(now.shown, now.sigma).total < costs.leastOf(now.shown) + NEAR * costs.n_pixels;
  const optimum = search(frame, { isThere: near });
  const renew = () => {
    now.eps = Float64Array.from({ length: x[0].length }, normals(now.seed++));
  };
  renew();
  const curves = curvePlot(costs, state.log10_range, now);
  const pictures = makePictures(frame, curves.axes, state);
  const point = makeControls(frame, curves.axes, state, costs, now, renew, optimum);

  frame.draw(() => {
    const { shown, sigma } = now;
    const values = costs.terms(shown, sigma);
    const best_sigma = costs.best(shown);
    const best_total = costs.leastOf(shown);
    const excess = values.total - best_total;
    const found = optimum.knows();
    const draw = Array.from(x_mean[shown], (value, d) => value + sigma * now.eps[d]);
    curves.set(now, values, found);
    pictures.setSum([values.error_term, values.log_term, values.total].map(tenths));
    // Where the curve has left the plot, the handle waits at its upper edge.
    point.place({ x: Math.log10(sigma), y: clamp(values.total, ...curves.axes.y) });
    pictures.show(x[shown], x_mean[shown], draw, shown === names.length - 1);
    const unsaid = UNSAID.map(({ at }) => costs.terms(shown, at).total - best_total);
    const told = { image: shown, sigma, sse: costs.sses[shown], ...values, best_sigma, best_total, excess, found, unsaid, draw };
    frame.tell(saying(told), told);
  });
});

// The terms of each image's cost over σ, and the σ where it is least; the last is the mean over all.
function makeCosts(x, x_mean, { names, mean_sse }) {
  const n_pixels = x[0].length;
  const sseOf = (i) => sum(Array.from(x[i], (value, d) => (value - x_mean[i][d]) ** 2));
  const sses = names.map((_, i) => (i < names.length - 1 ? sseOf(i) : mean_sse));
  const log_term = (sigma) => 0.5 * n_pixels * (LOG_2PI + 2 * Math.log(sigma));
  const terms = (i, sigma) => {
    const error_term = sses[i] / (2 * sigma * sigma);
    return { error_term, log_term: log_term(sigma), total: error_term + log_term(sigma) };
  };
  const best = (i) => Math.sqrt(sses[i] / n_pixels);
  return { n_pixels, sses, log_term, terms, best, leastOf: (i) => terms(i, best(i)).total };
}

// An upright line at a σ, which set(σ) moves.
function upright(axes, kind, at) {
  const { top, bottom } = axes.area;
  const rule = svg("path", { class: kind });
  const set = (value, from = top) =>
    rule.setAttribute("d", `M${axes.px(Math.log10(value)).toFixed(2)},${from}V${bottom}`);
  axes.marks.append(rule);
  set(at);
  return { rule, set };
}

// Both terms and their sum over σ, with the least of the sum and where σ is now.
function curvePlot(costs, log10_range, now) {
  const ends = log10_range.map((power) => 10 ** power);
  const axes = plot({
    x: log10_range,
    y: [costs.log_term(ends[0]), costs.log_term(ends[1]) + 1.5 * costs.n_pixels],
    height: 300,
    xticks: decadeTicks(log10_range),
    xlabel: "σ (units of the data)",
    ylabel: "nats",
    label: "Minus log-likelihood over σ",
  });
  const { top, bottom } = axes.area;
  const unsaid = svg("g");
  UNSAID.forEach(({ at, names: lines, kind, shift }) => {
    upright(axes, "axis dashed", at);
    lines.forEach((text, i) => {
      const place = { x: axes.px(Math.log10(at)) + shift, y: top + 12 + 15 * i };
      unsaid.append(svg("text", { ...place, class: `tick halo ${kind}` }, text));
    });
  });
  const lines = {
    log_term: line(axes, [], { class: "line blue dotted" }),
    error_term: line(axes, [], { class: "line orange dashed" }),
    total: line(axes, [], { class: "line ink" }),
  };
  const guide = upright(axes, "line red dotted", now.sigma);
  const foot = upright(axes, "axis", now.sigma);
  const best = svg("path", { d: "M0,-7L7,0L0,7L-7,0Z", class: "line ink" });
  const best_name = svg("text", { y: bottom - 7, class: "halo" }, "σ² = MSE");
  const dots = ["orange", "blue"].map((colour) => svg("circle", { r: 4, class: `fill-${colour}` }));
  axes.marks.append(unsaid, best, best_name, ...dots); // above the lines

  let curves_of = -1;
  const set = ({ shown, sigma }, values, found) => {
    if (curves_of !== shown) setCurves(axes, lines, (at) => costs.terms(shown, at));
    if (curves_of !== shown) setBest(axes, { best, best_name, foot }, costs, shown);
    curves_of = shown;
    for (const mark of [best, best_name, foot.rule]) mark.style.display = found ? "" : "none";
    guide.set(sigma);
    [values.error_term, values.log_term].forEach((value, i) => {
      dots[i].setAttribute("cx", axes.px(Math.log10(sigma)));
      dots[i].setAttribute("cy", axes.py(value));
    });
  };
  return { axes, set };
}

function setCurves(axes, lines, termsAt) {
  const points = linspace(...axes.x, 240).map((power) => [power, termsAt(10 ** power)]);
  // Far above the plot a line would have coordinates beyond what browsers draw exactly.
  const ceiling = axes.y[1] + 10 * (axes.y[1] - axes.y[0]);
  for (const [name, { set }] of Object.entries(lines)) {
    set(points.map(([power, terms]) => [power, terms[name]]).filter(([, y]) => y < ceiling));
  }
}

function setBest(axes, { best, best_name, foot }, costs, shown) {
  const least = costs.best(shown);
  const place = [axes.px(Math.log10(least)), axes.py(costs.terms(shown, least).total)];
  best.setAttribute("transform", `translate(${place})`);
  best_name.setAttribute("x", place[0] + 5);
  foot.set(least, place[1] + 7);
}

// Plot and pictures in their panels: what a draw and the image itself have beside the reconstruction
// stand below one another, on a scale of their own, so that they can be compared.
function makePictures(frame, axes, { image_shape, value_range }) {
  const picture = (label, caption, place) => {
    const image = pixels(image_shape, { label });
    const { figure, caption: text } = captioned(image, caption);
    figure.classList.add(place);
    return { ...image, figure, text };
  };
  const made = {
    image: picture("The image x", "x", "first"),
    mean: picture("Its reconstruction", "reconstruction", "middle"),
    error: picture("What the reconstruction gets wrong", "errors", "last"),
    draw: picture("A draw from p(x|z)", "a draw", "first"),
    noise: picture("The noise of the draw", "noise", "last"),
  };
  const sum = sumOf([
    ["SSE/2σ²", "orange dashed"],
    ["½\u00a0D\u00a0log\u00a02πσ²", "blue dotted", "+"],
    ["−log\u00a0p(x|z), nats", "ink", "="],
  ]);
  const side = split(frame, element("div", {}, sum.row, axes.box));
  const figures = Object.values(made).map(({ figure }) => figure);
  side.append(element("div", { class: "vae-live-compared" }, ...figures), frame.controls);
  const half = (value_range[1] - value_range[0]) / (2 * CONTRAST);
  const show = (x, x_mean, draw, average) => {
    const less = (values) => Array.from(values, (value, d) => value - x_mean[d]);
    const images = { image: x, mean: x_mean, draw };
    for (const [name, values] of Object.entries(images)) made[name].show(values, value_range);
    made.error.show(less(x), [-half, half]);
    made.noise.show(less(draw), [-half, half]);
    write(made.image.text, average ? "x, of about the mean SSE" : "x");
  };
  return { show, setSum: sum.set };
}

// Returns the handle on the curve.
function makeControls(frame, axes, { log10_range, names }, costs, now, renew, optimum) {
  const ends = log10_range.map((power) => 10 ** power);
  const setSigma = (to) => {
    now.sigma = clamp(to, ...ends);
    point.set({ x: Math.log10(now.sigma) });
    control.set(Math.log10(now.sigma));
    optimum.moved();
    frame.request();
  };
  const point = handle(frame, axes, {
    x: Math.log10(now.sigma),
    y: 0,
    label: "σ, on the curve",
    step: 0.01,
    free: "x",
    plane: true,
    text: () => `σ ${now.sigma.toPrecision(3)}`,
    onMove: (to) => setSigma(10 ** to.x),
  });
  const control = slider(frame, {
    label: "σ",
    min: log10_range[0],
    max: log10_range[1],
    step: 0.01,
    value: Math.log10(now.sigma),
    format: () => now.sigma.toPrecision(3),
    onInput: (value) => setSigma(10 ** value),
  });
  const options = names.map((name, i) => [String(i), name]);
  const onChange = (value) => {
    now.shown = Number(value);
    frame.request();
  };
  choice(frame, { label: "Image", options, value: String(now.shown), onChange });
  const toBest = () => {
    setSigma(costs.best(now.shown));
    optimum.reveal();
  };
  button(frame, { label: "Best σ", onClick: toBest });
  button(frame, { label: "Halve σ", onClick: () => setSigma(now.sigma / 2) });
  button(frame, { label: "Double σ", onClick: () => setSigma(2 * now.sigma) });
  button(frame, {
    label: "Draw again",
    onClick: () => {
      renew();
      frame.request();
    },
  });
  return point;
}

const tenths = (value) => (Math.round(10 * value) / 10 + 0).toFixed(1).replace("-", "−");

function saying({ sigma, error_term, log_term, total, excess, best_sigma, unsaid, found }) {
  const cost =
    `σ = ${sigma.toPrecision(3)}: SSE/2σ² ${tenths(error_term)} + ½ D log 2πσ² ` +
    `${tenths(log_term)} = ${tenths(total)} nats`;
  if (!found) return `${cost}.`;
  return (
    `${cost}, ${tenths(excess)} more than at the best σ, ${best_sigma.toPrecision(3)}. A plain SSE, σ² = ½, is ` +
    `${tenths(unsaid[0])} above the best; half of it, σ = 1, is ${tenths(unsaid[1])} above.`
  );
}
