// Chapter 5: one pixel, its cost under a Bernoulli and under a continuous Bernoulli.

import { bestLogit, lambdaText, nearestLogit, numbersOf } from "./one_pixel/numbers.js";
import { COST_RANGE, DENSITY_RANGE, costPlot, levelPlot } from "./one_pixel/plots.js";
import { button, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { controlsBetween, split } from "./shared/layout.js";
import { clamp } from "./shared/maths.js";
import { handle } from "./shared/plot.js";
import { search } from "./shared/search.js";

const SWATCH = 56; // pixels of the page
const NEAR = 0.003; // nats above the least: found

export default live((frame, state) => {
  const most = state.max_logit;
  const now = { x: state.x, logit: state.logit };
  if (![most, now.x, now.logit].every(Number.isFinite)) {
    throw new Error("x, logit or max_logit is missing from the figure's state");
  }
  const current = () => numbersOf(now.x, now.logit, most);
  const key = () => now.x;
  const searches = {
    bce: search(frame, { key, isThere: () => current().kl < NEAR, enough: 2 }),
    cost: search(frame, { key, isThere: () => current().cost - current().best_cost < NEAR, enough: 2 }),
  };
  const costs = costPlot(most);
  const levels = levelPlot();
  const side = split(frame, titled("what the pixel costs, for every λ", costs.axes.box));
  side.append(titled("what this λ gives to every x", levels.axes.box));
  const between = controlsBetween(frame, side);
  const showSwatches = makeSwatches(frame);
  const { x_handle, lambda_handle } = makeControls(frame, costs.axes, levels.axes, most, now, searches, between);

  frame.draw(() => {
    const values = current();
    const found = { bce: searches.bce.knows(now.x), cost: searches.cost.knows(now.x) };
    costs.set(values, found);
    lambda_handle.place({ x: now.logit, y: clamp(values.bce, ...COST_RANGE) });
    levels.set(values);
    x_handle.place({ x: now.x, y: clamp(values.density, ...DENSITY_RANGE) });
    showSwatches([values.x, values.lambda, values.mean]);
    frame.tell(saying(values, found), { ...values, found });
  });
});

const titled = (text, part) => element("div", {}, element("p", { class: "vae-live-title" }, text), part);

// The pixel and the two means as greys; returns the function that shows them.
function makeSwatches(frame) {
  const swatches = ["the pixel, x", "△ Bernoulli’s mean, λ", "▲ continuous Bernoulli’s mean"].map((label) => {
    const image = pixels([1, 1], { label, size: SWATCH });
    const { figure, caption } = captioned(image, label);
    caption.style.maxWidth = "6.2rem";
    return { show: (value) => image.show([value]), figure };
  });
  const row = element("div", { class: "vae-live-row" }, ...swatches.map(({ figure }) => figure));
  frame.controls.append(row);
  return (values) => values.forEach((value, i) => swatches[i].show(value));
}

function makeControls(frame, costs, levels, most, now, searches, between) {
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
    searches.bce.moved();
    searches.cost.moved();
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
    parent: between,
  });
  const lambda_slider = slider(frame, {
    label: "decoder's λ",
    min: -most,
    max: most,
    step: 0.05,
    value: now.logit,
    format: () => lambdaText(now.logit),
    onInput: setLogit,
    parent: between,
  });
  lambda_slider.row.lastChild.style.flexBasis = "4.8rem";
  const shown = (label, { reveal }, logitFor) =>
    button(frame, {
      label,
      onClick: () => {
        setLogit(logitFor(now.x, most));
        reveal();
      },
    });
  shown("Least BCE", searches.bce, nearestLogit);
  shown("Least −log p", searches.cost, bestLogit);
  return { x_handle, lambda_handle };
}

function saying({ x, logit, bce, floor, kl, cost, best_logit, best_cost, mass }, found) {
  const nats = (value) => (Math.round(1000 * value) / 1000 + 0).toFixed(3).replace("-", "−");
  const as_sum = found.bce ? ` = ${nats(floor)}, the least, + KL ${nats(kl)}` : "";
  const least = found.cost ? `; the least is ${nats(best_cost)}, at λ = ${lambdaText(best_logit)}` : "";
  return (
    `x = ${x.toFixed(2)}, λ = ${lambdaText(logit)}. BCE ${nats(bce)}${as_sum} nats. Continuous Bernoulli: ` +
    `−log p(x; λ) = ${nats(cost)} nats${least}. ∫\u00a0exp(−BCE)\u00a0dx\u00a0= ${mass.toFixed(3)}.`
  );
}
