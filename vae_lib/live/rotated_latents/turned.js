// A VAE with two latent dimensions, turned: z' = R z, with R = [[c, -s], [s, c]].

import { LOG_2PI } from "../shared/maths.js";
import { unpackNetwork, unpackRows } from "../shared/network.js";

export function turnedModel(state) {
  const decoder = unpackNetwork(state.decoder);
  const [x, mu, stddev, eps] = ["x", "mu", "stddev", "eps"].map((name) => unpackRows(state[name]));
  const { sigma } = state;

  // p(x|z') has the decoder after the turn back, Rᵀ z'.
  const decode = ([a, b], c, s) => decoder([c * a + s * b, -s * a + c * b]);
  const logLikelihood = (image, x_mean) => {
    let total = -0.5 * image.length * (LOG_2PI + 2 * Math.log(sigma));
    for (let d = 0; d < image.length; d++) total -= (image[d] - x_mean[d]) ** 2 / (2 * sigma * sigma);
    return total;
  };

  // q(z'|x) = N(R μ, A Aᵀ) with A = R diag(σ), a draw of it, and its KL from N(0, I).
  const posterior = (i, c, s) => {
    const [a, b] = mu[i];
    const [p, q] = stddev[i];
    const mean = [c * a - s * b, s * a + c * b];
    const root = [[c * p, -s * q], [s * p, c * q]];
    const z = mean.map((value, k) => value + root[k][0] * eps[i][0] + root[k][1] * eps[i][1]);
    const [v, w] = root.map(([one, other]) => one * one + other * other);
    const covariance = root[0][0] * root[1][0] + root[0][1] * root[1][1];
    const determinant = root[0][0] * root[1][1] - root[0][1] * root[1][0]; // of A
    const correlation = covariance / Math.sqrt(v * w);
    const kl = 0.5 * (v + w + mean[0] ** 2 + mean[1] ** 2 - 2) - Math.log(Math.abs(determinant));
    return { mean, z, correlation, kl };
  };

  // Means over the images, and the first one's posterior.
  const score = (c, s) => {
    let [reconstruction, kl] = [0, 0];
    const posteriors = x.map((_, i) => posterior(i, c, s));
    posteriors.forEach((q, i) => {
      reconstruction += logLikelihood(x[i], decode(q.z, c, s)) / x.length;
      kl += q.kl / x.length;
    });
    const [{ mean, correlation }] = posteriors;
    const shown = { mu: mean, stddev: Array.from(stddev[0]) };
    return { elbo: reconstruction - kl, reconstruction, kl, correlation, posterior: shown };
  };
  return { decode, score };
}
