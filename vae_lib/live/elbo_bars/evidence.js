// One image under a decoder of one latent dimension: log p(x), and for any q = N(mu, sigma²) the
// ELBO and the KL to the posterior, in nats, each of the three from a quadrature of its own.

import { clamp, linspace, logNormal, logSumExp, softplus, sum } from "../shared/maths.js";

const STEP = 0.02; // between points of the grid: far below the width of anything on it
const N_SIDE = 1550; // points on either side of 0, up to 31: beyond the widest q
const RADIUS = 9; // the prior has 2e-19 of its mass outside
const NARROW = 0.15; // q below this has points of its own, since the grid is too coarse
export const MU_RANGE = [-4, 4];
export const SIGMA_RANGE = [0.02, 3];

const weighted = (weight, values) => weight.reduce((total, w, i) => total + w * values[i], 0);

// log p(x|z) of a Bernoulli decoder with these logits.
function bernoulli(logits, x) {
  let value = 0;
  for (let d = 0; d < x.length; d++) value += x[d] * logits[d] - softplus(logits[d]);
  return value;
}

// Points z and the decoder's logits there, the same for all images.
export function gridOf(decode) {
  const z = linspace(-N_SIDE * STEP, N_SIDE * STEP, 2 * N_SIDE + 1);
  return { z, logits: z.map((point) => decode([point])) };
}

// About how high the posterior of an image rises, from every fifth point of the grid.
export function peakOf(grid, x) {
  const some = grid.z.map((z, i) => [z, i]).filter(([z, i]) => i % 5 === 0 && Math.abs(z) <= RADIUS);
  const values = some.map(([z, i]) => bernoulli(grid.logits[i], x) + logNormal(z));
  return Math.exp(Math.max(...values) - logSumExp(values)) / (5 * STEP);
}

// { log_px, posterior, terms, bestGaussian }: the posterior on the grid, and functions of q.
export function evidenceOf(decode, x, grid) {
  const log_px_z = grid.logits.map((logits) => bernoulli(logits, x));
  const posterior = grid.z.map((z, i) => (Math.abs(z) > RADIUS ? -Infinity : log_px_z[i] + logNormal(z)));
  const log_px = logSumExp(posterior) + Math.log(STEP);
  posterior.forEach((value, i) => (posterior[i] = Math.exp(value - log_px)));
  const at = (z) => bernoulli(decode([z]), x);
  const rule = (mu, sigma, set) => pointsUnder({ grid: grid.z, log_px_z, at }, mu, sigma, set);
  const terms = (mu, sigma) => termsOf(rule, log_px, mu, sigma);
  return { log_px, posterior, terms, bestGaussian: () => bestOf(rule, terms, grid.z, posterior) };
}

// Points z, log p(x|z) there, and the weights of a mean under q: the trapezoid rule, whose error
// for smooth functions under a Gaussian falls faster than any power of the distance between
// points. The two sets, 0 and 1, have no point in common.
function pointsUnder({ grid, log_px_z, at }, mu, sigma, set) {
  const points = { z: [], log_px_z: [] };
  if (sigma < NARROW) {
    const n = 160 - 37 * set;
    for (let i = 0; i <= n; i++) {
      points.z.push(mu + sigma * (18 * ((i + 0.31 * set) / n) - 9));
      points.log_px_z.push(at(points.z[i]));
    }
  } else {
    const first = Math.max(0, Math.ceil((mu - 9 * sigma) / STEP) + N_SIDE);
    const last = Math.min(grid.length - 1, Math.floor((mu + 9 * sigma) / STEP) + N_SIDE);
    for (let i = first + ((first + set) % 2); i <= last; i += 2) {
      points.z.push(grid[i]);
      points.log_px_z.push(log_px_z[i]);
    }
  }
  const raw = points.z.map((point) => Math.exp(-0.5 * ((point - mu) / sigma) ** 2));
  const total = sum(raw);
  return { ...points, weight: raw.map((w) => w / total) };
}

function termsOf(rule, log_px, mu, sigma) {
  const { weight, log_px_z } = rule(mu, sigma, 0);
  const reconstruction = weighted(weight, log_px_z);
  const kl_prior = 0.5 * (mu * mu + sigma * sigma - 1) - Math.log(sigma);
  // Other points than those above, so that nothing makes the two agree but the identity.
  const other = rule(mu, sigma, 1);
  const log_ratio = other.z.map(
    (z, i) => logNormal(z, mu, sigma) - (other.log_px_z[i] + logNormal(z) - log_px),
  );
  const kl_posterior = weighted(other.weight, log_ratio);
  return { log_px, reconstruction, kl_prior, elbo: reconstruction - kl_prior, kl_posterior };
}

// The q with the largest ELBO: the better of two climbs, from the posterior's mean and its mode.
function bestOf(rule, terms, grid, posterior) {
  const mean = STEP * sum(grid.map((z, i) => z * posterior[i]));
  const variance = STEP * sum(grid.map((z, i) => (z - mean) ** 2 * posterior[i]));
  const mode = grid[posterior.indexOf(Math.max(...posterior))];
  const spread = clamp(Math.sqrt(variance), 0.05, 2);
  const starts = [[mean, spread], [mode, spread / 3]];
  const found = starts.map(([mu, sigma]) => climb(rule, terms, clamp(mu, ...MU_RANGE), sigma));
  return found[0].elbo >= found[1].elbo ? found[0] : found[1];
}

// Steps of Newton's kind in mu and sigma, halved until they climb. The ELBO's gradients are means
// under q, by Stein's lemma: E[f'] = E[f eps] / sigma, and so on.
function climb(rule, terms, mu, sigma) {
  let best = { mu, sigma, elbo: terms(mu, sigma).elbo };
  for (let round = 0; round < 60; round++) {
    const { z, weight, log_px_z } = rule(best.mu, best.sigma, 0);
    const f = z.map((point, i) => log_px_z[i] + logNormal(point));
    const eps = z.map((point) => (point - best.mu) / best.sigma);
    const slope = weighted(weight, f.map((v, i) => v * eps[i])) / best.sigma;
    const bend = weighted(weight, f.map((v, i) => v * (eps[i] ** 2 - 1))) / best.sigma ** 2;
    const variance = bend < 0 ? -1 / bend : 4 * best.sigma ** 2;
    let found = null;
    for (let rate = 1; rate > 1e-4 && !found; rate /= 2) {
      const to_mu = clamp(best.mu + rate * variance * slope, ...MU_RANGE);
      const log_sigma = (1 - rate) * Math.log(best.sigma) + (rate * Math.log(variance)) / 2;
      const to_sigma = clamp(Math.exp(log_sigma), ...SIGMA_RANGE);
      const elbo = terms(to_mu, to_sigma).elbo;
      if (elbo > best.elbo) found = { mu: to_mu, sigma: to_sigma, elbo };
    }
    if (!found) break;
    const gain = found.elbo - best.elbo;
    best = found;
    if (gain < 1e-12) break;
  }
  return best;
}
