// Numbers: densities, stable sums, and random numbers that a seed repeats.

export const LOG_2PI = Math.log(2 * Math.PI);

export const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

// log(1 + exp(value)), without overflow.
export const softplus = (value) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const logNormal = (x, mu = 0, sigma = 1) =>
  -0.5 * (LOG_2PI + ((x - mu) / sigma) ** 2) - Math.log(sigma);

export function logSumExp(values) {
  let top = -Infinity;
  for (const value of values) if (value > top) top = value;
  if (top === -Infinity) return top;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - top);
  return top + Math.log(sum);
}

export function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

// n points from low to high, both included.
export const linspace = (low, high, n) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

// Uniform numbers in [0, 1) by mulberry32, 32 bits of state: for pictures, not for science.
export function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Standard normal numbers by Box and Muller's method.
export function normals(seed) {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
