// Chapter 5: one pixel, its cost under a Bernoulli and under a continuous Bernoulli. Everything is
// computed from the logit l of λ, in which nothing is lost near λ = 1/2 nor near 0 and 1.

import { button, element, live, panel, slider } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
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

function lambdaText(l) {
  return sigmoid(l).toFixed(Math.abs(l) > 4.5 ? 6 : 3);
}

export default live((frame, state) => {
  const most = state.max_logit;
  let { x, logit } = state;
  if (![most, x, logit].every(Number.isFinite)) {
    throw new Error("x, logit or max_logit is missing from the figure's state");
  }

  const costs = plot({
    x: [-most, most],
    y: COST_RANGE,
    ...SIZE,
    xticks: MARKED.map((probs) => [logitOf(probs), String(probs)]).filter(([l]) => Math.abs(l) <= most),
    xlabel: "λ (evenly spaced in its logit)",
    ylabel: "nats",
    label: "The pixel's cost over λ",
  });
  const levels = plot({
    x: [0, 1],
    y: DENSITY_RANGE,
    ...SIZE,
    xlabel: "grey value x",
    ylabel: "density",
    label: "Density over the grey value",
  });

  line(costs, [[-most, 0], [most, 0]], { class: "axis" });
  const floor = line(costs, [], { class: "line grey dotted" });
  const floor_name = svg("text", { class: "tick" });
  costs.marks.append(floor_name);
  const bce = line(costs, [], { class: "line orange dashed" });
  const cost = line(costs, [], { class: "line blue" });
  const marker = (axes, d, kind) => {
    const path = svg("path", { d, class: kind });
    axes.marks.append(path);
    return (at_x, at_y) => path.setAttribute("transform", `translate(${axes.px(at_x)},${axes.py(at_y)})`);
  };
  const least_bce = marker(costs, "M-5,0A5,5,0,1,0,5,0A5,5,0,1,0,-5,0", "line ink");
  const least_cost = marker(costs, "M0,-7L7,0L0,7L-7,0Z", "line ink");
  const across = (axes) => {
    const path = svg("path", { class: "line red dotted" });
    axes.marks.append(path);
    return (at) => path.setAttribute("d", `M${axes.px(at).toFixed(2)},${axes.area.top}V${axes.area.bottom}`);
  };
  const at_lambda = across(costs);
  const at_x = across(levels);
  const dot = (axes, colour) => {
    const circle = svg("circle", { r: 4, class: `fill-${colour}` });
    axes.marks.append(circle);
    return (to_x, to_y) => {
      circle.setAttribute("cx", axes.px(to_x));
      circle.setAttribute("cy", axes.py(clamp(to_y, ...axes.y)));
    };
  };
  const area = svg("path", { class: "fill-orange", "fill-opacity": 0.2 });
  levels.marks.append(area);
  const unnormalised = line(levels, [], { class: "line orange dashed" });
  const density = line(levels, [], { class: "line blue" });
  const cost_dot = dot(costs, "blue");
  const weight_dot = dot(levels, "orange");
  const coin_mean = marker(levels, "M0,-12L6,-1L-6,-1Z", "line orange");
  const grey_mean = marker(levels, "M0,-12L6,-1L-6,-1Z", "fill-blue");

  const title = element("p", { class: "vae-live-title" });
  const legend = "dashed: BCE, with its floor at λ = x (circle); solid: −log\u00a0p(x;\u00a0λ), least at the diamond";
  for (const shown of [panel(frame, legend, costs.box), panel(frame, "", title, levels.box)]) {
    shown.classList.add("wide");
    shown.style.flexBasis = `${SIZE.width - 8}px`;
  }
  const swatch = (label) => {
    const image = pixels([1, 1], { label, size: SWATCH });
    const { figure, caption } = captioned(image, label);
    caption.style.maxWidth = "6.2rem";
    return { show: (value) => image.show([value]), figure };
  };
  const swatches = ["the pixel, x", "Bernoulli’s mean, λ", "continuous Bernoulli’s mean"].map(swatch);
  const row = element("div", { class: "vae-live-row" }, ...swatches.map(({ figure }) => figure));
  panel(frame, "", row).style.flexBasis = "100%";

  const setX = (to) => {
    x = clamp(to, 0, 1);
    x_handle.set({ x });
    x_slider.set(x);
    frame.request();
  };
  const setLogit = (to) => {
    logit = clamp(to, -most, most);
    lambda_handle.set({ x: logit });
    lambda_slider.set(logit);
    frame.request();
  };
  const lambda_handle = handle(frame, costs, {
    x: logit,
    y: 0,
    label: "The decoder's λ, on the curve of the BCE",
    step: 0.1,
    free: "x",
    plane: true,
    text: () => `λ ${lambdaText(logit)}`,
    onMove: (to) => setLogit(to.x),
  });
  const x_handle = handle(frame, levels, {
    x,
    y: 0,
    label: "The grey value x, on the curve of the density",
    step: 0.01,
    free: "x",
    plane: true,
    text: () => `x ${x.toFixed(2)}`,
    onMove: (to) => setX(to.x),
  });
  const x_slider = slider(frame, {
    label: "grey value x",
    min: 0,
    max: 1,
    step: 0.01,
    value: x,
    format: () => x.toFixed(2),
    onInput: setX,
  });
  const lambda_slider = slider(frame, {
    label: "decoder's λ",
    min: -most,
    max: most,
    step: 0.05,
    value: logit,
    format: () => lambdaText(logit),
    onInput: setLogit,
  });
  lambda_slider.row.lastChild.style.flexBasis = "4.8rem";
  button(frame, { label: "λ = x", onClick: () => setLogit(x === 0 ? -most : x === 1 ? most : logitOf(x)) });
  button(frame, { label: "λ of the least −log p", onClick: () => setLogit(bestLogit(x, most)) });

  const logits = linspace(-most, most, 241);
  const greys = linspace(0, 1, 101);

  frame.draw(() => {
    const values = {
      x,
      logit,
      lambda: sigmoid(logit),
      bce: crossEntropy(logit, x),
      floor: entropy(x),
      kl: divergence(logit, x),
      log_c: logC(logit),
      cost: crossEntropy(logit, x) - logC(logit),
      mean: meanOf(logit),
      mass: massOf(logit),
      best_logit: bestLogit(x, most),
    };
    values.best_cost = crossEntropy(values.best_logit, x) - logC(values.best_logit);
    values.density = Math.exp(-values.cost);
    values.weight = Math.exp(-values.bce);

    bce.set(logits.map((l) => [l, crossEntropy(l, x)]));
    cost.set(logits.map((l) => [l, crossEntropy(l, x) - logC(l)]));
    floor.set([[-most, values.floor], [most, values.floor]]);
    const steeper = x < 0.5 ? 1 : -1; // the side on which the curves are far above the floor
    floor_name.setAttribute("x", costs.px(steeper * most) - 4 * steeper);
    floor_name.setAttribute("y", costs.py(values.floor) - 4);
    floor_name.setAttribute("class", steeper > 0 ? "tick end" : "tick");
    floor_name.textContent = `H(x) = ${values.floor.toFixed(3)}`;
    const nearest = x === 0 ? -most : x === 1 ? most : clamp(logitOf(x), -most, most);
    least_bce(nearest, crossEntropy(nearest, x));
    least_cost(values.best_logit, values.best_cost);
    at_lambda(logit);
    cost_dot(logit, values.cost);
    lambda_handle.place({ x: logit, y: clamp(values.bce, ...COST_RANGE) });

    const weights = greys.map((grey) => [grey, Math.exp(-crossEntropy(logit, grey))]);
    unnormalised.set(weights);
    area.setAttribute("d", `${unnormalised.path.getAttribute("d")}V${levels.area.bottom}H${levels.px(0)}Z`);
    density.set(weights.map(([grey, weight]) => [grey, weight / values.mass]));
    at_x(x);
    weight_dot(x, values.weight);
    x_handle.place({ x, y: clamp(values.density, ...DENSITY_RANGE) });
    coin_mean(values.lambda, 0);
    grey_mean(values.mean, 0);
    title.textContent =
      "solid: p(x;\u00a0λ), of area 1 (▲: its mean); " +
      `dashed: exp(−BCE), of area ${values.mass.toFixed(3)} (△:\u00a0λ)`;
    [x, values.lambda, values.mean].forEach((value, i) => swatches[i].show(value));

    const nats = (value) => (Math.round(1000 * value) / 1000 + 0).toFixed(3).replace("-", "−");
    frame.tell(
      `x = ${x.toFixed(2)}, λ = ${lambdaText(logit)}. BCE ${nats(values.bce)} = floor ${nats(values.floor)} + KL ` +
        `${nats(values.kl)} nats. Continuous Bernoulli: −log p(x; λ) = ${nats(values.cost)} nats; the least is ` +
        `${nats(values.best_cost)}, at λ = ${lambdaText(values.best_logit)}. ` +
        `∫\u00a0exp(−BCE)\u00a0dx\u00a0= ${values.mass.toFixed(3)}.`,
      values,
    );
  });
});
