// Chapter 4: SSE/2σ² + (D/2) log 2πσ² and its two terms over σ, for reconstructions that stay.

import { button, choice, element, live, panel, slider } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { clamp, linspace, LOG_2PI, normals, sum } from "./shared/maths.js";
import { unpackRows } from "./shared/network.js";
import { handle, line, plot, svg, tickText } from "./shared/plot.js";

const SIDE = 96; // of the pictures, in pixels of the page
const ROUND = [1, 2, 5]; // times a power of ten: the ticks of a logarithmic axis
// The σ of losses that do not mention any, and where its name stands.
const UNSAID = [
  { at: Math.SQRT1_2, names: ["σ² = ½", "(SSE)"], kind: "end", shift: -4 },
  { at: 1, names: ["σ = 1", "(½ SSE)"], kind: "", shift: 4 },
];

// Round numbers between two powers of ten, as [[log10, text], ...].
function decadeTicks([low, high]) {
  const powers = linspace(Math.floor(low), Math.ceil(high), Math.ceil(high) - Math.floor(low) + 1);
  const values = powers.flatMap((power) => ROUND.map((m) => m * 10 ** power));
  const inside = values.filter((v) => Math.log10(v) > low - 1e-9 && Math.log10(v) < high + 1e-9);
  return inside.map((value) => [Math.log10(value), tickText(value)]);
}

export default live((frame, state) => {
  const [x, x_mean] = [unpackRows(state.x), unpackRows(state.x_mean)];
  const { names, log10_range, value_range } = state;
  if (x.length !== names?.length) throw new Error("there are not as many names as images");
  if (!(state.mean_sse > 0 && state.sigma > 0)) throw new Error("the mean SSE or σ is missing from the figure's state");
  const n_pixels = x[0].length;
  const sseOf = (i) => sum(Array.from(x[i], (value, d) => (value - x_mean[i][d]) ** 2));
  const sses = names.map((_, i) => (i < names.length - 1 ? sseOf(i) : state.mean_sse));
  const log_term = (sigma) => 0.5 * n_pixels * (LOG_2PI + 2 * Math.log(sigma));
  const ends = log10_range.map((power) => 10 ** power);

  let shown = 0;
  let sigma = state.sigma;
  let seed = state.seed;
  let eps = [];
  const renew = () => {
    const normal = normals(seed++);
    eps = Float64Array.from({ length: n_pixels }, normal);
  };
  renew();
  const terms = (at) => {
    const error_term = sses[shown] / (2 * at * at);
    return { error_term, log_term: log_term(at), total: error_term + log_term(at) };
  };

  const axes = plot({
    x: log10_range,
    y: [log_term(ends[0]), log_term(ends[1]) + 1.5 * n_pixels],
    height: 300,
    xticks: decadeTicks(log10_range),
    xlabel: "σ (units of the data)",
    ylabel: "nats",
    label: "Minus log-likelihood over σ",
  });
  const { top, bottom } = axes.area;
  const upright = (at, kind) => {
    const rule = svg("path", { class: kind });
    const set = (value, from = top) =>
      rule.setAttribute("d", `M${axes.px(Math.log10(value)).toFixed(2)},${from}V${bottom}`);
    axes.marks.append(rule);
    set(at);
    return { set };
  };
  UNSAID.forEach(({ at, names: lines, kind, shift }) => {
    upright(at, "axis dashed");
    lines.forEach((text, i) => {
      const place = { x: axes.px(Math.log10(at)) + shift, y: top + 12 + 15 * i };
      axes.marks.append(svg("text", { ...place, class: `tick ${kind}` }, text));
    });
  });
  const logarithm = line(axes, [], { class: "line blue dotted" });
  const error = line(axes, [], { class: "line orange dashed" });
  const total = line(axes, [], { class: "line ink" });
  const guide = upright(sigma, "line red dotted");
  const foot = upright(sigma, "axis");
  const best = svg("path", { d: "M0,-7L7,0L0,7L-7,0Z", class: "line ink" });
  const best_name = svg("text", { y: bottom - 7 }, "σ² = MSE");
  axes.marks.append(best, best_name);
  const dots = ["orange", "blue"].map((colour) => svg("circle", { r: 4, class: `fill-${colour}` }));
  axes.marks.append(...dots);

  const picture = (label) => {
    const image = pixels(state.image_shape, { label, size: SIDE });
    const { figure, caption } = captioned(image, "");
    caption.style.maxWidth = `${SIDE}px`;
    return { ...image, figure, caption };
  };
  const [data, mean, drawn] = ["The image x", "Its reconstruction", "A draw from p(x|z)"].map(picture);
  mean.caption.textContent = "reconstruction";
  const main = panel(frame, "solid: −log p(x|z); dashed: SSE/2σ²; dotted: ½\u00a0D\u00a0log\u00a02πσ²", axes.box);
  main.classList.add("wide");
  main.style.flexGrow = "100"; // so that the pictures stand in a column beside it, or in a row below
  const row = element("div", { class: "vae-live-row" }, data.figure, mean.figure, drawn.figure);
  panel(frame, "", row).style.flex = `1 1 ${SIDE}px`;

  const setSigma = (to) => {
    sigma = clamp(to, ...ends);
    point.set({ x: Math.log10(sigma) });
    control.set(Math.log10(sigma));
    frame.request();
  };
  const point = handle(frame, axes, {
    x: Math.log10(sigma),
    y: 0,
    label: "σ, on the curve",
    step: 0.01,
    free: "x",
    plane: true,
    text: () => `σ ${sigma.toPrecision(3)}`,
    onMove: (to) => setSigma(10 ** to.x),
  });
  const control = slider(frame, {
    label: "σ",
    min: log10_range[0],
    max: log10_range[1],
    step: 0.01,
    value: Math.log10(sigma),
    format: () => sigma.toPrecision(3),
    onInput: (value) => setSigma(10 ** value),
  });
  choice(frame, {
    label: "Image",
    options: names.map((name, i) => [String(i), name]),
    value: "0",
    onChange: (value) => {
      shown = Number(value);
      frame.request();
    },
  });
  const bestSigma = () => Math.sqrt(sses[shown] / n_pixels);
  button(frame, { label: "Best σ", onClick: () => setSigma(bestSigma()) });
  button(frame, { label: "Halve σ", onClick: () => setSigma(sigma / 2) });
  button(frame, { label: "Double σ", onClick: () => setSigma(2 * sigma) });
  button(frame, {
    label: "Draw again",
    onClick: () => {
      renew();
      frame.request();
    },
  });

  let curves_of = -1;
  const drawCurves = () => {
    if (curves_of === shown) return;
    curves_of = shown;
    const grid = linspace(...log10_range, 240);
    const curve = (name) => grid.map((power) => [power, terms(10 ** power)[name]]);
    // Far above the plot a line would have coordinates beyond what browsers draw exactly.
    const ceiling = axes.y[1] + 10 * (axes.y[1] - axes.y[0]);
    const below = (points) => points.filter(([, y]) => y < ceiling);
    error.set(below(curve("error_term")));
    logarithm.set(curve("log_term"));
    total.set(below(curve("total")));
    const least = bestSigma();
    const place = [axes.px(Math.log10(least)), axes.py(terms(least).total)];
    best.setAttribute("transform", `translate(${place})`);
    best_name.setAttribute("x", place[0] + 5);
    foot.set(least, place[1] + 7);
    const average = shown === names.length - 1;
    data.caption.textContent = average ? "x, for example: its SSE is about the mean" : "x";
  };

  frame.draw(() => {
    drawCurves();
    const values = terms(sigma);
    const best_sigma = bestSigma();
    const best_total = terms(best_sigma).total;
    const excess = values.total - best_total;
    const draw = Array.from(x_mean[shown], (value, d) => value + sigma * eps[d]);
    data.show(x[shown], value_range);
    mean.show(x_mean[shown], value_range);
    drawn.show(draw, value_range);
    drawn.caption.textContent = `a draw, σ = ${sigma.toPrecision(3)}`;
    guide.set(sigma);
    // Where the curve has left the plot, the handle waits at its upper edge.
    point.place({ x: Math.log10(sigma), y: clamp(values.total, ...axes.y) });
    [values.error_term, values.log_term].forEach((value, i) => {
      dots[i].setAttribute("cx", axes.px(Math.log10(sigma)));
      dots[i].setAttribute("cy", axes.py(value));
    });
    const nats = (value) => (Math.round(10 * value) / 10 + 0).toFixed(1).replace("-", "−");
    const unsaid = UNSAID.map(({ at }) => terms(at).total - best_total);
    frame.tell(
      `σ = ${sigma.toPrecision(3)}: SSE/2σ² ${nats(values.error_term)} + ½ D log 2πσ² ` +
        `${nats(values.log_term)} = ${nats(values.total)} nats, ${nats(excess)} more than at the best σ, ` +
        `${best_sigma.toPrecision(3)}. A plain SSE, σ² = ½, is ${nats(unsaid[0])} above the best; ` +
        `half of it, σ = 1, is ${nats(unsaid[1])} above.`,
      { image: shown, sigma, sse: sses[shown], ...values, best_sigma, best_total, excess, unsaid, draw },
    );
  });
});
