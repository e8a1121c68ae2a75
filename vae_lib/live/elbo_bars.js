// Chapter 6: one latent dimension, a q to be moved against the true posterior, and the bars of
// log p(x) = ELBO + KL(q || p(z|x)), each of the three from a quadrature of its own.

import { natsBars, nats } from "./elbo_bars/bars.js";
import { MU_RANGE, SIGMA_RANGE, evidenceOf, gridOf, peakOf } from "./elbo_bars/evidence.js";
import { button, choice, slider } from "./shared/controls.js";
import { live } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { controlsBetween, split, sumOf } from "./shared/layout.js";
import { clamp, linspace, logNormal } from "./shared/maths.js";
import { nameAt } from "./shared/names.js";
import { unpackNetwork, unpackRows } from "./shared/network.js";
import { handle, line, plot } from "./shared/plot.js";

// A number of any size, to one digit: "3 · 10⁻¹⁴".
function magnitude(value) {
  if (value === 0) return "0";
  const [digit, power] = Math.abs(value).toExponential(0).split("e");
  const raised = [...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return `${digit} · 10${raised.join("")}`;
}

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  const images = unpackRows(state.images);
  const grid = gridOf(decode);
  const evidences = images.map((x) => evidenceOf(decode, x, grid));
  const densities = densityPlot(grid, Math.max(...images.map((x) => peakOf(grid, x))));
  const bars = natsBars();
  const image = pixels(state.image_shape, { label: "The image x", size: 64 });
  const side = split(frame, densities.axes.box);
  const sum = sumOf([["log p(x)", "ink"], ["ELBO", "blue", "="], ["KL(q\u00a0‖\u00a0posterior)", "orange dashed", "+"]]);
  side.append(sum.row, bars.face);
  const between = controlsBetween(frame, side);
  const [mu, sigma] = state.q[0];
  const now = { shown: 0, mu, sigma };
  const controls = makeControls(frame, state, densities.axes, now, { image, evidences, between });

  frame.draw(() => {
    const { posterior, terms } = evidences[now.shown];
    const values = terms(now.mu, now.sigma);
    image.show(images[now.shown]);
    densities.set(posterior, now);
    controls.point.place({ x: now.mu });
    bars.set(values);
    sum.set([values.log_px, values.elbo, values.kl_posterior].map((value) => nats(value, 2)));
    const residual = values.log_px - (values.elbo + values.kl_posterior);
    const told = { mu: now.mu, sigma: now.sigma, image: now.shown, residual, ...values };
    frame.tell(saying(values, residual), told);
  });
});

// Prior, posterior and q over z, the axis as high as the highest posterior needs.
function densityPlot(grid, highest) {
  const axes = plot({
    x: MU_RANGE,
    y: [0, Math.max(1.2, 1.35 * highest)],
    xlabel: "z",
    ylabel: "density",
    label: "Densities over z",
  });
  const prior = line(axes, [], { class: "line grey dotted" });
  const truth = line(axes, [], { class: "line ink" });
  const moved = line(axes, [], { class: "line orange dashed" });
  prior.set(linspace(...MU_RANGE, 121).map((z) => [z, Math.exp(logNormal(z))]));
  const names = [["prior p(z)", "grey"], ["posterior p(z|x)", "ink"], ["q(z)", "orange"]].map((one) => nameAt(axes, ...one));
  let [drawn, peak] = [null, null];
  const set = (posterior, { mu, sigma }) => {
    if (posterior !== drawn) {
      const shape = grid.z.map((z, i) => [z, posterior[i]]).filter(([z]) => Math.abs(z) <= 4);
      truth.set(shape);
      peak = shape.reduce((best, one) => (one[1] > best[1] ? one : best));
      drawn = posterior;
    }
    const around = linspace(mu - 5 * sigma, mu + 5 * sigma, 101);
    moved.set(around.map((z) => [z, Math.exp(logNormal(z, mu, sigma))]));
    nameDensities(names, peak, { mu, sigma });
  };
  return { axes, set };
}

// The names of prior, posterior and q: the posterior's above its peak, q's halfway up on its far side.
function nameDensities([prior, truth, moved], peak, { mu, sigma }) {
  const side = mu < peak[0] ? -1 : 1; // of q, seen from the posterior
  truth.set(...peak, { side: 0, up: 8 });
  const at = clamp(mu + side * 1.18 * sigma, ...MU_RANGE);
  moved.set(at, 0.5 * Math.exp(logNormal(mu, mu, sigma)), { side });
  const apart = (end) => Math.min(Math.abs(end - peak[0]), Math.abs(end - at));
  const free = Math.sign(MU_RANGE.reduce((best, end) => (apart(end) > apart(best) ? end : best)));
  prior.set(free * MU_RANGE[1], 0, { side: -free, up: 9 });
}

function makeControls(frame, state, axes, now, { image, evidences, between }) {
  const setQ = (mu, sigma) => {
    Object.assign(now, { mu: clamp(mu, ...MU_RANGE), sigma: clamp(sigma, ...SIGMA_RANGE) });
    point.set({ x: now.mu });
    mus.set(now.mu);
    sigmas.set(Math.log(now.sigma));
    frame.request();
  };
  const point = handle(frame, axes, {
    x: now.mu,
    y: 0,
    label: "The mean of q",
    step: 0.02,
    free: "x",
    text: ({ x }) => `μ ${x.toFixed(2)}`,
    onMove: ({ x }) => setQ(x, now.sigma),
  });
  const ranged = (label, [min, max], value, rest) => slider(frame, { label, min, max, step: 0.01, value, parent: between, ...rest });
  const mus = ranged("μ", MU_RANGE, now.mu, { onInput: (value) => setQ(value, now.sigma) });
  const sigmas = ranged("σ", SIGMA_RANGE.map(Math.log), Math.log(now.sigma), {
    format: (value) => Math.exp(value).toFixed(3),
    onInput: (value) => setQ(now.mu, Math.exp(value)),
  });
  choice(frame, {
    label: "Image",
    options: state.names.map((name, i) => [i, name]),
    value: 0,
    onChange: (value) => {
      now.shown = Number(value);
      setQ(...state.q[now.shown]);
    },
  });
  frame.controls.append(captioned(image, "x").figure);
  button(frame, { label: "The encoder's q", onClick: () => setQ(...state.q[now.shown]) });
  button(frame, {
    label: "The best Gaussian",
    onClick: () => {
      const best = evidences[now.shown].bestGaussian();
      setQ(best.mu, best.sigma);
    },
  });
  return { point };
}

function saying({ log_px, elbo, kl_posterior, reconstruction, kl_prior }, residual) {
  return (
    `log p(x) ${nats(log_px, 3)} = ELBO ${nats(elbo, 3)} + KL(q ‖ posterior) ${nats(kl_posterior, 3)} nats: three ` +
    `integrals, each over points of its own, that disagree by ${magnitude(residual)}. ` +
    `ELBO = E log p(x|z) ${nats(reconstruction, 3)} − KL(q ‖ prior) ${nats(kl_prior, 3)}.`
  );
}
