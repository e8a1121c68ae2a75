// The pixel's cost over λ, and what a λ gives to every grey value.

import { clamp, linspace } from "../shared/maths.js";
import { nameAt } from "../shared/names.js";
import { line, plot, svg } from "../shared/plot.js";
import { crossEntropy, logC, logitOf, nearestLogit } from "./numbers.js";

export const COST_RANGE = [-3, 6]; // nats
export const DENSITY_RANGE = [0, 5];
const MARKED = [0.0001, 0.01, 0.5, 0.99, 0.9999]; // values of λ, at whose logits ticks stand
const SIZE = { width: 296, height: 250 }; // of a plot: two fit side by side into a page's column
const NAMED = 0.97; // of the way to the end of the axis of λ: where its curves have their names

// Marks of a plot: each returns the function that moves it.
function marker(axes, d, kind) {
  const path = svg("path", { d, class: kind });
  axes.marks.append(path);
  return (x, y, shown = true) => {
    path.setAttribute("transform", `translate(${axes.px(x)},${axes.py(y)})`);
    path.style.display = shown ? "" : "none";
  };
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
export function costPlot(most) {
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
  const names = [nameAt(axes, "BCE", "orange"), nameAt(axes, "−log\u00a0p(x;\u00a0λ)", "blue")];
  const logits = linspace(-most, most, 241);
  const set = ({ x, logit, floor, cost, best_logit, best_cost }, found) => {
    bce_line.set(logits.map((l) => [l, crossEntropy(l, x)]));
    cost_line.set(logits.map((l) => [l, crossEntropy(l, x) - logC(l)]));
    floor_line.set([[-most, floor], [most, floor]]);
    const steeper = x < 0.5 ? 1 : -1; // the side on which the curves are far above the floor
    floor_name.setAttribute("x", axes.px(steeper * most) - 4 * steeper);
    floor_name.setAttribute("y", axes.py(floor) - 4);
    floor_name.setAttribute("class", steeper > 0 ? "tick end" : "tick");
    floor_name.textContent = `least BCE ${floor.toFixed(3)}`;
    for (const mark of [floor_line.path, floor_name]) mark.style.display = found.bce ? "" : "none";
    const nearest = clamp(nearestLogit(x, most), -most, most);
    least_bce(nearest, crossEntropy(nearest, x), found.bce);
    least_cost(best_logit, best_cost, found.cost);
    const at = -steeper * NAMED * most; // on the other side
    [crossEntropy(at, x), crossEntropy(at, x) - logC(at)].forEach((y, i) => names[i].set(at, y, { side: steeper }));
    at_lambda(logit);
    cost_dot(logit, cost);
  };
  return { axes, set };
}

// Density of the continuous Bernoulli over the grey value, and exp(-BCE), which is none.
export function levelPlot() {
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
  const names = [nameAt(axes, "", "orange"), nameAt(axes, "p(x;\u00a0λ), area 1", "blue")];
  const greys = linspace(0, 1, 101);
  const set = ({ x, logit, lambda, mass, weight, mean }) => {
    const weights = greys.map((grey) => [grey, Math.exp(-crossEntropy(logit, grey))]);
    unnormalised.set(weights);
    area.setAttribute("d", `${unnormalised.path.getAttribute("d")}V${axes.area.bottom}H${axes.px(0)}Z`);
    density.set(weights.map(([grey, unit]) => [grey, unit / mass]));
    names[0].name.textContent = `exp(−BCE), area ${mass.toFixed(3)}`;
    nameLevels(names, logit, mass);
    at_x(x);
    weight_dot(x, weight);
    coin_mean(lambda, 0);
    grey_mean(mean, 0);
  };
  return { axes, set };
}

// The names of both curves, towards the side where they are high, one above the other over the upper
// curve, clear of the handle on it; that of the lower one beside itself where the upper one leaves.
function nameLevels([unnormalised, density], logit, mass) {
  const [high, side] = logit > 0 ? [1, -1] : [0, 1];
  const weight = Math.exp(-crossEntropy(logit, high));
  density.set(high, weight / mass, { side, up: 9 });
  if (weight / mass < 4) unnormalised.set(high, weight / mass, { side, up: 24 });
  else unnormalised.set(high + 0.15 * side, Math.exp(-crossEntropy(logit, high + 0.15 * side)), { side, up: 4 });
}
