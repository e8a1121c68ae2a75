// Chapter 11: the linear VAE, always at its optimum, and the dimensions that go dark as βσ² rises.

import { dimensionBars } from "./linear_collapse/bars.js";
import { linearVae, projections } from "./linear_collapse/optimum.js";
import { picture } from "./shared/colour.js";
import { button, choice, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { captioned } from "./shared/image.js";
import { controlsBeside, controlsBetween, pictureRow, split, sumOf } from "./shared/layout.js";
import { clamp, normals } from "./shared/maths.js";
import { unpack, unpackRows } from "./shared/network.js";
import { handle } from "./shared/plot.js";
import { search } from "./shared/search.js";

const renew = (now) => {
  now.eps = now.eps.map(normals(now.seed++));
};

const NEAR = 0.25; // nats above the least loss: the best σ² is found

export default live((frame, state) => {
  const vae = linearVae(state);
  const now = { variance: state.variance, beta: state.beta, image: 0, seed: state.seed, eps: state.eigenvalues };
  const isThere = () => vae.at(now.variance, now.beta).loss < vae.at(vae.best(now.beta), now.beta).loss + NEAR;
  const optimum = search(frame, { key: () => now.beta, isThere, enough: 2 });
  renew(now);
  const bars = dimensionBars(state.eigenvalues, state.variance_range);
  const sum = sumOf([
    ["distortion", "orange"],
    ["rate", "blue", "+"],
    ["−ELBO, nats", "ink", "="],
  ]);
  const side = split(frame, element("div", {}, sum.row, bars.axes.box));
  const between = state.pictures ? controlsBetween(frame, side) : controlsBeside(frame, side);
  const show = makePictures(side, state.pictures, vae);
  const move = makeControls(frame, { state, vae, now, axes: bars.axes, optimum, between, side });

  frame.draw(() => {
    const values = vae.at(now.variance, now.beta);
    const best_variance = vae.best(now.beta);
    const found = optimum.knows(now.beta);
    const best_loss = vae.at(best_variance, now.beta).loss;
    bars.set(values.threshold, found ? now.beta * best_variance : null);
    move.place({ y: clamp(Math.log10(values.threshold), ...bars.axes.y) });
    sum.set(addedUp(values));
    const told = { ...now, ...values, best_variance, excess: values.loss - best_loss, found, ...show(now, values.threshold) };
    frame.tell(saying(told), told);
  });
});

// An image, its reconstruction, and the mean of p(x|z) for a draw of z, if there is anything to show.
function makePictures(side, pictures, vae) {
  if (!pictures) return () => ({});
  const images = unpackRows(pictures.images);
  const space = projections({ components: unpackRows(pictures.components), mean: unpack(pictures.mean) });
  const codes = images.map(space.onto);
  const made = [
    ["The image x", "x"],
    ["Its reconstruction", "reconstruction"],
    ["A draw of z from p(z), decoded", "decoded draw"],
  ].map(([label, caption]) => {
    const image = picture(pictures.image_shape, { label });
    return { ...image, figure: captioned(image, caption).figure };
  });
  side.append(pictureRow(made));
  return ({ image, eps }, threshold) => {
    const x_mean = space.from(vae.shares(threshold).map((share, l) => share * codes[image][l]));
    const draw = space.from(vae.weights(threshold).map((weight, l) => weight * eps[l]));
    [images[image], x_mean, draw].forEach((values, i) => made[i].show(values, pictures.value_range));
    return { x_mean: Array.from(x_mean), draw: Array.from(draw) };
  };
}

// Returns the handle on the line βσ².
function makeControls(frame, { state, vae, now, axes, optimum, between, side }) {
  const set = (variance, beta = now.beta) => {
    now.variance = clamp(variance, ...state.variance_range);
    now.beta = clamp(beta, ...state.beta_range);
    variances.set(Math.log10(now.variance));
    betas.set(Math.log10(now.beta));
    optimum.moved();
    frame.request();
  };
  const line = handle(frame, axes, {
    x: axes.x[0] + 0.93 * (axes.x[1] - axes.x[0]),
    y: Math.log10(now.beta * now.variance),
    label: "The line βσ²",
    step: 0.02,
    free: "y",
    text: () => `βσ² ${short(now.beta * now.variance)}`,
    onMove: ({ y }) => set(10 ** y / now.beta),
  });
  const ranged = (label, range, value, rest) => {
    const [min, max] = range.map(Math.log10);
    return slider(frame, { label, min, max, step: 0.01, value: Math.log10(value), parent: between, ...rest });
  };
  const variances = ranged("σ²", state.variance_range, now.variance, {
    format: () => short(now.variance),
    onInput: (value) => set(10 ** value),
  });
  const betas = ranged("β", state.beta_range, now.beta, {
    format: () => short(now.beta),
    onInput: (value) => set(now.variance, 10 ** value),
  });
  if (state.pictures) choosePictures(frame, side, state.pictures.names, now);
  makeButtons(frame, { state, vae, now, set, optimum });
  return line;
}

function choosePictures(frame, side, names, now) {
  const parent = element("div", { class: "vae-live-controls" });
  side.append(parent);
  const options = names.map((name, i) => [String(i), name]);
  const onChange = (value) => {
    now.image = Number(value);
    frame.request();
  };
  choice(frame, { label: "Image", options, value: "0", onChange, parent });
  const onClick = () => {
    renew(now);
    frame.request();
  };
  button(frame, { label: "Draw again", onClick, parent });
}

function makeButtons(frame, { state, vae, now, set, optimum }) {
  const toBest = () => {
    set(vae.best(now.beta));
    optimum.reveal();
  };
  // To a line between two eigenvalues, halfway on the axis, or outside all of them.
  const leave = (n_on) => {
    const { eigenvalues } = state;
    const above = eigenvalues[n_on - 1] ?? 2 * eigenvalues[0];
    const below = eigenvalues[n_on] || 0.8 * above;
    set(Math.sqrt(above * below) / now.beta);
  };
  const { length } = state.eigenvalues;
  const n_on = () => vae.at(now.variance, now.beta).n_on;
  button(frame, { label: "Best σ²", onClick: toBest });
  button(frame, { label: "Darken one", onClick: () => leave(Math.max(n_on() - 1, 0)) });
  button(frame, { label: "Light one", onClick: () => leave(Math.min(n_on() + 1, length)) });
}

const places = (value) => (Math.round(100 * value) / 100 + 0).toFixed(2).replace("-", "−");

// Distortion, rate and −ELBO in hundredths, the first such that the sum is right as it is printed.
function addedUp({ rate, elbo }) {
  const [price, total] = [rate, -elbo].map((value) => Math.round(100 * value));
  return [total - price, price, total].map((value) => places(value / 100));
}

const short = (value) => (value < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(3)))).replace("-", "−");

function saying({ variance, beta, threshold, n_on, kl, rate, elbo, best_variance, excess, found }) {
  const [d, r, total] = addedUp({ rate, elbo });
  const use =
    `At σ² = ${short(variance)} and β = ${short(beta)}, ${n_on} of ${kl.length} dimensions are lit, those with λ above ` +
    `βσ² = ${short(threshold)}. Distortion ${d} + rate ${r} = −ELBO ${total} nats.`;
  if (!found) return use;
  const best = `${use} The best σ² for this β is ${short(best_variance)}`;
  return excess < 0.005 ? `${best}, as it is here.` : `${best}; here distortion + β rate is ${places(excess)} more than there.`;
}
