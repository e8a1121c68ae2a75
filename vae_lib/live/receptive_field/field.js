// Units of convolutional layers: what they are, what they can see, and what they do see.

import { sum } from "../shared/maths.js";

// The pixels along an axis that the unit `at` of a layer can see, outside the image too: [first, last].
export function spanOf(layers, layer, axis, at) {
  let [first, last] = [at, at];
  for (let l = layer; l >= 0; l--) {
    const { stride, padding, dilation, kernel } = layers[l].geometry;
    first = first * stride[axis] - padding[axis];
    last = last * stride[axis] - padding[axis] + dilation[axis] * (kernel[axis] - 1);
  }
  return [first, last];
}

// The unit of a layer, along an axis, whose pixels have `pixel` the nearest to their middle.
export function unitOver(layers, layer, axis, pixel) {
  const n = layers[layer].output[1 + axis];
  const far = Array.from({ length: n }, (_, at) => Math.abs(sum(spanOf(layers, layer, axis, at)) - 2 * pixel));
  return far.indexOf(Math.min(...far));
}

// Each layer's numbers before its activation.
export function passed(layers, x) {
  let values = x;
  return layers.map(({ apply, activate }) => {
    const raw = apply(values);
    values = raw.map(activate);
    return raw;
  });
}

// The derivative of one number of a layer by each of the image's.
export function gradientOf(layers, raws, layer, index) {
  let gradient = new Float64Array(layers[layer].n_out);
  gradient[index] = 1;
  for (let l = layer; l >= 0; l--) {
    gradient = layers[l].back(gradient);
    if (l > 0) gradient = gradient.map((value, k) => value * layers[l - 1].slope(raws[l - 1][k]));
  }
  return gradient;
}

// Over the channels of each place: the sum of what `each` makes of the numbers there, or their largest.
function overChannels(values, n_places, join) {
  const found = new Float64Array(n_places);
  values.forEach((value, k) => {
    found[k % n_places] = join(found[k % n_places], Math.abs(value));
  });
  return found;
}

export const summed = (values, n_places) => overChannels(values, n_places, (a, b) => a + b);
export const largest = (values, n_places) => overChannels(values, n_places, Math.max);

// The fewest pixels that have a share of all weight between them.
export function fewest(weights, share) {
  const sorted = Float64Array.from(weights).sort().reverse();
  const enough = share * sum(sorted);
  let [n, held] = [0, 0];
  while (held < enough && n < sorted.length) held += sorted[n++];
  return n;
}
