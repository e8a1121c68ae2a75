// One pixel's costs and densities. Everything is computed from the logit l of λ, in which nothing is
// lost near λ = 1/2 nor near 0 and 1.

import { sigmoid, softplus } from "../shared/maths.js";

const xlogy = (x, log_y) => (x === 0 ? 0 : x * log_y);
export const logitOf = (probs) => Math.log(probs) - Math.log1p(-probs);
const entropy = (x) => -xlogy(x, Math.log(x)) - xlogy(1 - x, Math.log1p(-x));
export const crossEntropy = (l, x) => softplus(l) - l * x;
// KL(Bernoulli(x) || Bernoulli(λ)), from its definition.
const divergence = (l, x) =>
  xlogy(x, Math.log(x) + softplus(-l)) + xlogy(1 - x, Math.log1p(-x) + softplus(l));

// The integral of exp(-BCE) over x: tanh(l/2) / l. Near 0, where that is 0/0, its series.
const massOf = (l) => (Math.abs(l) < 1e-3 ? 0.5 - l ** 2 / 24 + l ** 4 / 240 : Math.tanh(l / 2) / l);
export const logC = (l) => -Math.log(massOf(l));

// The mean of the continuous Bernoulli, 1 / (1 - exp(-l)) - 1 / l. Near 0 the two terms cancel.
function meanOf(l) {
  if (Math.abs(l) < 0.05) return 0.5 + l / 12 - l ** 3 / 720 + l ** 5 / 30240;
  return -1 / Math.expm1(-l) - 1 / l;
}

// The logit at which the density at x is highest, as far as l may go: there the mean is x.
export function bestLogit(x, most) {
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

// The logit of λ = x, as far as l may go at x = 0 and 1.
export const nearestLogit = (x, most) => (x === 0 ? -most : x === 1 ? most : logitOf(x));

export function lambdaText(l) {
  return sigmoid(l).toFixed(Math.abs(l) > 4.5 ? 6 : 3);
}

// All numbers of one setting, in nats where they are costs.
export function numbersOf(x, logit, most) {
  const cost = (l) => crossEntropy(l, x) - logC(l);
  const best_logit = bestLogit(x, most);
  return {
    x,
    logit,
    lambda: sigmoid(logit),
    bce: crossEntropy(logit, x),
    floor: entropy(x),
    kl: divergence(logit, x),
    log_c: logC(logit),
    cost: cost(logit),
    mean: meanOf(logit),
    mass: massOf(logit),
    best_logit,
    best_cost: cost(best_logit),
    density: Math.exp(-cost(logit)),
    weight: Math.exp(-crossEntropy(logit, x)),
  };
}
