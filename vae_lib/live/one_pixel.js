// Chapter 5: one pixel, its cost under a Bernoulli and under a continuous Bernoulli. Everything is
// computed from the logit l of λ, in which nothing is lost near λ = 1/2 nor near 0 and 1.

import { button, slider } from "./shared/controls.js";
import { element, live, panel } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { controlsBetween, split } from "./shared/layout.js";
import { clamp, linspace, sigmoid, softplus } from "./shared/maths.js";
import { handle, line, plot, svg } from "./shared/plot.js";

const COST_RANGE = [-3, 6]; // nats
const DENSITY_RANGE = [0, 5];
const MARKED = [0.0001, 0.01, 0.5, 0.99, 0.9999]; // values of λ, at whose logits ticks stand
const SIZE = { width: 296, height: 250 }; // of a plot: two fit side by side into a page's column
const SWATCH = 56; // pixels of the page

const xlogy = (x, log_y) => (x === 0 ? 0 : x * log_y);
const logitOf = (probs) => Math.log(probs) - Math.log1p(-probs);
const entropy = (x) => -xlogy(x, Math.log(x)) - xlogy(1 - x, Math.log1p(-x));
const crossEntropy = (l, x) => softplus(l) - l * x;
// KL(Bernoulli(x) || Bernoulli(λ)), from its definition.
const divergence = (l, x) =>
  xlogy(x, Math.log(x) + softplus(-l)) + xlogy(1 - x, Math.log1p(-x) + softplus(l));

// The integral of exp(-BCE) over x: tanh(l/2) / l. Near 0, where that is 0/0, its series.
const massOf = (l) => (Math.abs(l) < 1e-3 ? 0.5 - l ** 2 / 24 + l ** 4 / 240 : Math.tanh(l / 2) / l);
const logC = (l) => -Math.log(massOf(l));

// The mean of the continuous Bernoulli, 1 / (1 - exp(-l)) - 1 / l. Near 0 the two terms cancel.
function meanOf(l) {
  if (Math.abs(l) < 0.05) return 0.5 + l / 12 - l ** 3 / 720 + l ** 5 / 30240;
  return -1 / Math.expm1(-l) - 1 / l;
}

// The logit at which the density at x is highest, as far as l may go: there the mean is x.
function bestLogit(x, most) {
  let [low, high] = [-most, most];
  if (meanOf(low) >= x) return low;
  if (meanOf(high) <= x) return high;
  while (high - low > 1e-13 * most) {
    const middle = 0.5 * (low + high);
    if (middle === low || middle === high) break;
    if (meanOf(middle) < x) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

// The logit of λ = x, as far as l may go at x = 0 and 1.
const nearestLogit = (x, most) => (x === 0 ? -most : x === 1 ? most : logitOf(x));

function lambdaText(l) {
  return sigmoid(l).toFixed(Math.abs(l) > 4.5 ? 6 : 3);
}

// All numbers of one setting, in nats where they are costs.
function numbersOf(x, logit, most) {
  const cost = (l) => crossEntropy(l, x) - logC(l);
  const best_logit = bestLogit(x, most);
  return {
    x,
    logit,
    lambda: sigmoid(logit),
    bce: crossEntropy(logit, x),
    floor: entropy(x),
    kl: divergence(logit, x),
    log_c: logC(logit),
    cost: cost(logit),
    mean: meanOf(logit),
    mass: massOf(logit),
    best_logit,
    best_cost: cost(best_logit),
    density: Math.exp(-cost(logit)),
    weight: Math.exp(-crossEntropy(logit, x)),
  };
}

export default live((frame, state) => {
  const most = state.max_logit;
  const now = { x: state.x, logit: state.logit };
  if (![most, now.x, now.logit].every(Number.isFinite)) {
    throw new Error("x, logit or max_logit is missing from the figure's state");
  }
  const costs = costPlot(most);
  const levels = levelPlot();
  const title = element("p", { class: "vae-live-title" });
  const legend = "dashed: BCE, with its floor at λ = x (circle); solid: −log\u00a0p(x;\u00a0λ), least at the diamond";
  const left = element("div", {}, element("p", { class: "vae-live-title" }, legend), costs.axes.box);
  const side = split(frame, left);
  side.append(title, levels.axes.box);
  controlsBetween(frame, side);
  const showSwatches = makeSwatches(frame);
  const { x_handle, lambda_handle } = makeControls(frame, costs.axes, levels.axes, most, now);

  frame.draw(() => {
    const values = numbersOf(now.x, now.logit, most);
    costs.set(values);
    lambda_handle.place({ x: now.logit, y: clamp(values.bce, ...COST_RANGE) });
    levels.set(values);
    x_handle.place({ x: now.x, y: clamp(values.density, ...DENSITY_RANGE) });
    title.textContent =
      "solid: p(x;\u00a0λ), of area 1 (▲: its mean); " +
      `dashed: exp(−BCE), of area ${values.mass.toFixed(3)} (△:\u00a0λ)`;
    showSwatches([values.x, values.lambda, values.mean]);
    frame.tell(saying(values), values);
  });
});

// Marks of a plot: each returns the function that moves it.
function marker(axes, d, kind) {
  const path = svg("path", { d, class: kind });
  axes.marks.append(path);
  return (x, y) => path.setAttribute("transform", `translate(${axes.px(x)},${axes.py(y)})`);
}

function across(axes) {
  const path = svg("path", { class: "line red dotted" });
  axes.marks.append(path);
  return (at) => path.setAttribute("d", `M${axes.px(at).toFixed(2)},${axes.area.top}V${axes.area.bottom}`);
}

function dot(axes, colour) {
  const circle = svg("circle", { r: 4, class: `fill-${colour}` });
  axes.marks.append(circle);
  return (x, y) => {
    circle.setAttribute("cx", axes.px(x));
    circle.setAttribute("cy", axes.py(clamp(y, ...axes.y)));
  };
}

// Both costs of the pixel over λ, evenly spaced in its logit.
function costPlot(most) {
  const axes = plot({
    x: [-most, most],
    y: COST_RANGE,
    ...SIZE,
    xticks: MARKED.map((probs) => [logitOf(probs), String(probs)]).filter(([l]) => Math.abs(l) <= most),
    xlabel: "λ (evenly spaced in its logit)",
    ylabel: "nats",
    label: "The pixel's cost over λ",
  });
  line(axes, [[-most, 0], [most, 0]], { class: "axis" });
  const floor_line = line(axes, [], { class: "line grey dotted" });
  const floor_name = svg("text", { class: "tick" });
  axes.marks.append(floor_name);
  const bce_line = line(axes, [], { class: "line orange dashed" });
  const cost_line = line(axes, [], { class: "line blue" });
  const least_bce = marker(axes, "M-5,0A5,5,0,1,0,5,0A5,5,0,1,0,-5,0", "line ink");
  const least_cost = marker(axes, "M0,-7L7,0L0,7L-7,0Z", "line ink");
  const at_lambda = across(axes);
  const cost_dot = dot(axes, "blue");
  const logits = linspace(-most, most, 241);
  const set = ({ x, logit, floor, cost, best_logit, best_cost }) => {
    bce_line.set(logits.map((l) => [l, crossEntropy(l, x)]));
    cost_line.set(logits.map((l) => [l, crossEntropy(l, x) - logC(l)]));
    floor_line.set([[-most, floor], [most, floor]]);
    const steeper = x < 0.5 ? 1 : -1; // the side on which the curves are far above the floor
    floor_name.setAttribute("x", axes.px(steeper * most) - 4 * steeper);
    floor_name.setAttribute("y", axes.py(floor) - 4);
    floor_name.setAttribute("class", steeper > 0 ? "tick end" : "tick");
    floor_name.textContent = `H(x) = ${floor.toFixed(3)}`;
    const nearest = clamp(nearestLogit(x, most), -most, most);
    least_bce(nearest, crossEntropy(nearest, x));
    least_cost(best_logit, best_cost);
    at_lambda(logit);
    cost_dot(logit, cost);
  };
  return { axes, set };
}

// Density of the continuous Bernoulli over the grey value, and exp(-BCE), which is none.
function levelPlot() {
  const axes = plot({
    x: [0, 1],
    y: DENSITY_RANGE,
    ...SIZE,
    xlabel: "grey value x",
    ylabel: "density",
    label: "Density over the grey value",
  });
  const at_x = across(axes);
  const area = svg("path", { class: "fill-orange", "fill-opacity": 0.2 });
  axes.marks.append(area);
  const unnormalised = line(axes, [], { class: "line orange dashed" });
  const density = line(axes, [], { class: "line blue" });
  const weight_dot = dot(axes, "orange");
  const coin_mean = marker(axes, "M0,-12L6,-1L-6,-1Z", "line orange");
  const grey_mean = marker(axes, "M0,-12L6,-1L-6,-1Z", "fill-blue");
  const greys = linspace(0, 1, 101);
  const set = ({ x, logit, lambda, mass, weight, mean }) => {
    const weights = greys.map((grey) => [grey, Math.exp(-crossEntropy(logit, grey))]);
    unnormalised.set(weights);
    area.setAttribute("d", `${unnormalised.path.getAttribute("d")}V${axes.area.bottom}H${axes.px(0)}Z`);
    density.set(weights.map(([grey, unit]) => [grey, unit / mass]));
    at_x(x);
    weight_dot(x, weight);
    coin_mean(lambda, 0);
    grey_mean(mean, 0);
  };
  return { axes, set };
}

// The pixel and the two means as greys; returns the function that shows them.
function makeSwatches(frame) {
  const swatches = ["the pixel, x", "Bernoulli’s mean, λ", "continuous Bernoulli’s mean"].map((label) => {
    const image = pixels([1, 1], { label, size: SWATCH });
    const { figure, caption } = captioned(image, label);
    caption.style.maxWidth = "6.2rem";
    return { show: (value) => image.show([value]), figure };
  });
  const row = element("div", { class: "vae-live-row" }, ...swatches.map(({ figure }) => figure));
  panel(frame, "", row).style.flexBasis = "100%";
  return (values) => values.forEach((value, i) => swatches[i].show(value));
}

function makeControls(frame, costs, levels, most, now) {
  const setX = (to) => {
    now.x = clamp(to, 0, 1);
    x_handle.set({ x: now.x });
    x_slider.set(now.x);
    frame.request();
  };
  const setLogit = (to) => {
    now.logit = clamp(to, -most, most);
    lambda_handle.set({ x: now.logit });
    lambda_slider.set(now.logit);
    frame.request();
  };
  const onCurve = (axes, x, label, step, text, set) =>
    handle(frame, axes, { x, y: 0, label, step, free: "x", plane: true, text, onMove: (to) => set(to.x) });
  const lambda_handle = onCurve(
    costs, now.logit, "The decoder's λ, on the curve of the BCE", 0.1, () => `λ ${lambdaText(now.logit)}`, setLogit,
  );
  const x_handle = onCurve(
    levels, now.x, "The grey value x, on the curve of the density", 0.01, () => `x ${now.x.toFixed(2)}`, setX,
  );
  const x_slider = slider(frame, {
    label: "grey value x",
    min: 0,
    max: 1,
    step: 0.01,
    value: now.x,
    format: () => now.x.toFixed(2),
    onInput: setX,
  });
  const lambda_slider = slider(frame, {
    label: "decoder's λ",
    min: -most,
    max: most,
    step: 0.05,
    value: now.logit,
    format: () => lambdaText(now.logit),
    onInput: setLogit,
  });
  lambda_slider.row.lastChild.style.flexBasis = "4.8rem";
  button(frame, { label: "λ = x", onClick: () => setLogit(nearestLogit(now.x, most)) });
  button(frame, { label: "λ of the least −log p", onClick: () => setLogit(bestLogit(now.x, most)) });
  return { x_handle, lambda_handle };
}

function saying({ x, logit, bce, floor, kl, cost, best_logit, best_cost, mass }) {
  const nats = (value) => (Math.round(1000 * value) / 1000 + 0).toFixed(3).replace("-", "−");
  return (
    `x = ${x.toFixed(2)}, λ = ${lambdaText(logit)}. BCE ${nats(bce)} = floor ${nats(floor)} + KL ` +
    `${nats(kl)} nats. Continuous Bernoulli: −log p(x; λ) = ${nats(cost)} nats; the least is ` +
    `${nats(best_cost)}, at λ = ${lambdaText(best_logit)}. ` +
    `∫\u00a0exp(−BCE)\u00a0dx\u00a0= ${mass.toFixed(3)}.`
  );
}
