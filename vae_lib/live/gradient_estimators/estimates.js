// The chapter's functions, and two estimators of the gradient of their means, against the exact one.

import { logNormal, sum } from "../shared/maths.js";

export const FAR = 9; // integrals reach so many σ from μ; outside is 1e-18 of the mass
const N_STEPS = 2000; // of Simpson's rule: even
const LADDER = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]; // half-widths of the histograms' axis
const INSIDE = 0.96; // the share of either estimator's values that the axis must hold
const N_BINS = 61;

// The chapter's functions of z with their slopes; `from` is where f begins to differ from 0.
export function functionsOf({ x, x_sigma, omega }) {
  return {
    square: { label: "z²", f: (z) => z * z, slope: (z) => 2 * z },
    offset: { label: "z² + 10", f: (z) => z * z + 10, slope: (z) => 2 * z },
    log_px: {
      label: `log N(${x}; tanh 2z, ${x_sigma}²)`,
      f: (z) => logNormal(x, Math.tanh(2 * z), x_sigma),
      slope: (z) => (((x - Math.tanh(2 * z)) / x_sigma ** 2) * 2) / Math.cosh(2 * z) ** 2,
    },
    wave: {
      label: `sin ${omega}z`,
      f: (z) => Math.sin(omega * z),
      slope: (z) => omega * Math.cos(omega * z),
    },
    step: { label: "a step: 1 for z > 0, else 0", f: (z) => (z > 0 ? 1 : 0), slope: () => 0, from: 0 },
  };
}

// All that is shown of one setting: both estimates of each draw in numbers, and the exact gradient.
export function estimate(fn, eps, { mu, sigma, baseline }) {
  const z = eps.map((e) => mu + sigma * e);
  const exact = exactly(fn, mu, sigma);
  const estimates = {
    pathwise: z.map(fn.slope),
    score: scoreEstimates(z.map(fn.f), eps, sigma, baseline, exact.best),
  };
  const half_width = LADDER.find((half) => fits(estimates, half)) ?? LADDER.at(-1);
  const summary = Object.fromEntries(
    Object.entries(estimates).map(([name, values]) => [name, summaryOf(values, half_width)]),
  );
  return { z, exact, half_width, summary };
}

// The gradient of E[f] for μ, E[f ε] / σ, and the best constant baseline, E[f ε²], by Simpson's rule.
function exactly({ f, from = -Infinity }, mu, sigma) {
  const low = Math.max(-FAR, (from - mu) / sigma);
  if (low >= FAR) return { gradient: 0, best: 0 };
  const step = (FAR - low) / N_STEPS;
  let [first, second] = [0, 0];
  for (let i = 0; i <= N_STEPS; i++) {
    const e = low + i * step;
    // At its jump a step counts with its value on the side that is integrated over.
    const value = f(i || low === -FAR ? mu + sigma * e : from + 1e-12);
    const weight = (i === 0 || i === N_STEPS ? 1 : i % 2 ? 4 : 2) * value * Math.exp(logNormal(e));
    first += weight * e;
    second += weight * e * e;
  }
  return { gradient: ((step / 3) * first) / sigma, best: (step / 3) * second };
}

function scoreEstimates(f_z, eps, sigma, baseline, best) {
  const total = sum(f_z);
  const baselineOf = {
    none: () => 0,
    others: (f) => (total - f) / (f_z.length - 1),
    best: () => best,
  }[baseline];
  return f_z.map((f, k) => ((f - baselineOf(f)) * eps[k]) / sigma);
}

const fits = (estimates, half) =>
  Object.values(estimates).every((values) => {
    let inside = 0;
    for (const value of values) if (Math.abs(value) <= half) inside += 1;
    return inside >= INSIDE * values.length;
  });

// Mean, standard deviation, and how many fall into each bin and beyond the axis.
function summaryOf(values, half) {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((v) => (v - mean) ** 2)) / (values.length - 1);
  const counts = new Array(N_BINS).fill(0);
  let beyond = 0;
  for (const value of values) {
    if (Math.abs(value) > half) beyond += 1;
    else counts[Math.min(Math.floor(((value + half) / (2 * half)) * N_BINS), N_BINS - 1)] += 1;
  }
  return { mean, sd: Math.sqrt(variance), counts, beyond };
}
