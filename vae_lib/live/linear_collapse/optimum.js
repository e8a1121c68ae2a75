// The linear VAE at its best, for a variance σ² and a weight β of the KL, in closed form.

import { LOG_2PI, sum } from "../shared/maths.js";

// `eigenvalues` are those that the latent dimensions have, `rest` is the sum of all others.
export function linearVae({ eigenvalues, rest, n_pixels }) {
  // Each dimension's KL and what of its variance is left as error, and their sums in nats: what is
  // minimised is distortion + β rate.
  const at = (variance, beta) => {
    const threshold = beta * variance;
    const on = eigenvalues.map((value) => value > threshold);
    const kl = eigenvalues.map((value, l) => (on[l] ? 0.5 * Math.log(value / threshold) : 0));
    const error = sum(eigenvalues.map((value) => Math.min(value, threshold))) + rest;
    const rate = sum(kl);
    const distortion = 0.5 * (n_pixels * (LOG_2PI + Math.log(variance)) + error / variance);
    const n_on = on.filter(Boolean).length;
    return { threshold, on, n_on, kl, error, rate, distortion, elbo: -distortion - rate, loss: distortion + beta * rate };
  };
  // Where k dimensions are on, the loss is least at one σ²; the least of all is among these.
  const best = (beta) => {
    let [dark, least, found] = [rest, Infinity, null];
    for (let k = eigenvalues.length; k >= 0; k--) {
      if (k < eigenvalues.length) dark += eigenvalues[k];
      if (n_pixels <= beta * k) continue;
      const variance = dark / (n_pixels - beta * k);
      const { loss } = at(variance, beta);
      if (loss < least) [least, found] = [loss, variance];
    }
    return found;
  };
  // What the decoder multiplies each dimension by, and the share of x that comes back through it.
  const weights = (threshold) => eigenvalues.map((value) => Math.sqrt(Math.max(value - threshold, 0)));
  const shares = (threshold) => eigenvalues.map((value) => (value > threshold ? 1 - threshold / value : 0));
  return { at, best, weights, shares };
}

// What an image becomes: its code's means in whitened form, and back from one number a dimension.
export function projections({ components, mean }) {
  const onto = (x) => components.map((row) => sum(Array.from(row, (value, d) => value * (x[d] - mean[d]))));
  const from = (values) => {
    const image = Float64Array.from(mean);
    values.forEach((value, l) => {
      if (value) components[l].forEach((weight, d) => (image[d] += value * weight));
    });
    return image;
  };
  return { onto, from };
}
