// Chapter 12: from VAE to VAE along the curve of rate against distortion, each trained with its β.

import { makeModels } from "./rate_distortion/models.js";
import { betaText, curvePlot, hundredths } from "./rate_distortion/curve.js";
import { sumBar } from "./rate_distortion/bar.js";
import { button, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { pixels } from "./shared/image.js";
import { controlsBetween, split, sumOf } from "./shared/layout.js";
import { clamp } from "./shared/maths.js";
import { handle } from "./shared/plot.js";
import { search } from "./shared/search.js";

const PAUSE_MS = 50;

export default live((frame, state) => {
  const models = makeModels(state);
  const now = { at: state.start };
  const optimum = search(frame, { isThere: () => now.at === models.best });
  const curve = curvePlot(state, models);
  const side = split(frame, curve.axes.box);
  const sum = sumOf([["rate R", "blue"], ["distortion D", "orange", "+"], ["−ELBO, nats", "ink", "="]]);
  const bar = sumBar(models.totals);
  const show = makePictures(side, [sum.row, bar.face], state, models);
  const moveTo = makeControls(frame, side, state, curve.axes, now, models, optimum);

  // One after the other, so that each is there when it is moved to.
  const prepare = (i) => {
    curve.prepare(i);
    models.at(i);
    if (i + 1 < models.totals.length) frame.later(() => prepare(i + 1), PAUSE_MS);
  };
  frame.later(() => prepare(0), PAUSE_MS);

  frame.draw(() => {
    const made = models.at(now.at);
    moveTo(now.at);
    curve.set(now.at);
    bar.set(made);
    sum.set([made.rate, made.distortion, made.total].map(hundredths));
    show(made);
    const found = optimum.knows();
    const best = { beta: state.betas[models.best], total: models.totals[models.best] };
    frame.tell(saying(made, found && best), {
      model: now.at,
      beta: made.beta,
      rate: made.rate,
      distortion: made.distortion,
      total: made.total,
      found,
      eps: models.eps().map((row) => Array.from(row)),
      errors: made.errors,
      ink: made.draws.map((draw) => draw.reduce((total, value) => total + value, 0)),
      reconstruction: Array.from(made.reconstructions[0]),
      draw: Array.from(made.draws[0]),
      nearest: made.nearest?.map(({ number }) => number) ?? null,
      distances: made.nearest?.map(({ distance }) => distance) ?? null,
    });
  });
});

// Handle, slider and button; returns what brings both to a model.
function makeControls(frame, side, { betas, start }, axes, now, models, optimum) {
  const go = (to) => {
    now.at = clamp(Math.round(to), 0, betas.length - 1);
    optimum.moved();
    frame.request();
  };
  const last = betas.length - 1;
  // On the curve a larger rate, which is a smaller β, is to the right: places are counted from there.
  const along = models.along(axes);
  const point = handle(frame, along, {
    x: last - start,
    y: 0,
    label: "The model, on the curve",
    step: 1,
    free: "x",
    plane: true,
    text: () => `β ${betas[now.at]}`,
    onMove: ({ x }) => go(last - x),
  });
  const between = controlsBetween(frame, side);
  between.classList.add("in-a-row");
  const control = slider(frame, {
    label: "β",
    min: 0,
    max: last,
    step: 1,
    value: start,
    format: () => betaText(betas[now.at]),
    onInput: go,
    parent: between,
  });
  const onClick = () => {
    models.renew();
    frame.request();
  };
  button(frame, { label: "New draws", onClick, parent: between });
  return (at) => {
    point.place({ x: last - at });
    control.set(at);
  };
}

// Below the bars: the images above their reconstructions, and draws above the real ones nearest to
// them, a picture for each.
function makePictures(side, above, { image_shape }, models) {
  const n = models.x.length;
  const rows = [
    ["real x", "A real digit"],
    ["x decoded", "Its reconstruction"],
    ["z from p(z), decoded", "The mean of p(x|z) at a draw of z from the prior"],
  ];
  if (models.compares) rows.push(["nearest real x", "The real digit nearest to it"]);
  const strips = rows.map(([name, label]) => {
    const images = Array.from({ length: n }, (_, i) => pixels(image_shape, { label: `${label}, ${i + 1} of ${n}` }));
    const cells = images.map(({ canvas }) => canvas);
    const row = element("div", { class: "vae-live-strip" }, element("span", { class: "vae-live-caption" }, name), ...cells);
    row.style.setProperty("--strip", n);
    return { row, show: (shown) => images.forEach((image, i) => image.show(shown[i])) };
  });
  side.append(...above, ...strips.map(({ row }) => row));
  return ({ reconstructions, draws, nearest }) => {
    const shown = [models.x, reconstructions, draws, nearest?.map(({ image }) => image)];
    strips.forEach((strip, i) => strip.show(shown[i]));
  };
}

function saying({ beta, rate, distortion, total, nearest }, best) {
  const sum = `β = ${betaText(beta)}, the slope −β = −${betaText(beta)}. R ${hundredths(rate)} + D ${hundredths(distortion)} = ${hundredths(total)} nats, an ELBO of ${hundredths(-total)}.`;
  const mean = nearest && nearest.reduce((all, { distance }) => all + distance, 0) / nearest.length;
  const draws = nearest ? ` The decoded draws are ${hundredths(mean)} from the nearest real digit on average.` : "";
  if (!best) return sum + draws;
  const most =
    best.beta === beta
      ? "No other model here has a larger one"
      : `The largest here, ${hundredths(-best.total)}, is that of the model with β = ${betaText(best.beta)}`;
  return `${sum} ${most}.${draws}`;
}
