// Arrays and networks as Python packed them, and the forward pass.

import { addBias, cells, gathered, scattered } from "./convolution.js";
import { sigmoid } from "./maths.js";

// {dtype, shape, data} to a typed array; data is a DataView, as widgets deliver bytes.
export function unpack(packed) {
  if (!packed?.data) throw new Error("an array is missing from the figure's state");
  const { buffer, byteOffset, byteLength } = packed.data;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength); // aligned
  const size = packed.shape.reduce((product, n) => product * n, 1);
  const values = packed.dtype === "uint8" ? new Uint8Array(bytes) : new Float32Array(bytes);
  if (values.length !== size) {
    throw new Error(`an array of ${packed.shape.join(" x ")} has ${values.length} values`);
  }
  if (!values.every(Number.isFinite)) throw new Error("an array in the figure's state has values that are no numbers");
  return values;
}

// A matrix as one typed array a row.
export function unpackRows(packed) {
  const values = unpack(packed);
  const [n, width] = packed.shape;
  return Array.from({ length: n }, (_, i) => values.subarray(i * width, (i + 1) * width));
}

// What follows a layer, and its slope.
const ACTIVATIONS = {
  relu: [(value) => (value > 0 ? value : 0), (value) => (value > 0 ? 1 : 0)],
  tanh: [Math.tanh, (value) => 1 - Math.tanh(value) ** 2],
  silu: [(value) => value * sigmoid(value), (value) => sigmoid(value) * (1 + value * sigmoid(-value))],
  identity: [(value) => value, () => 1],
};

// A network's layers, each {n_in, n_out, input, output, apply, back, activate, slope}: apply(values) is
// the affine map, back(gradient) carries a gradient from its result to what it was applied to, and
// activate and slope take the result number by number. Images are rows of [channels, height, width]
// numbers; input and output are these sizes where the layer is a convolution.
// Sums are in double precision, so they are nearer to the true value than torch's are.
export function unpackLayers(packed) {
  if (!packed?.layers?.length) throw new Error("a network is missing from the figure's state");
  return packed.layers.map((layer) => {
    const [activate, slope] = ACTIVATIONS[layer.activation];
    const unpacked = { ...layer, weight: unpack(layer.weight), bias: unpack(layer.bias) };
    const made = { linear, convolution, transposed }[layer.kind ?? "linear"](unpacked, layer.weight.shape);
    return { ...made, activate, slope };
  });
}

function linear({ weight, bias }, [n_out, n_in]) {
  const apply = (values) => {
    const next = new Float64Array(n_out);
    for (let i = 0, k = 0; i < n_out; i++) {
      let sum = bias[i];
      for (let j = 0; j < n_in; j++, k++) sum += weight[k] * values[j];
      next[i] = sum;
    }
    return next;
  };
  const back = (gradient) => {
    const before = new Float64Array(n_in);
    for (let i = 0, k = 0; i < n_out; i++) {
      for (let j = 0; j < n_in; j++, k++) before[j] += weight[k] * gradient[i];
    }
    return before;
  };
  return { n_in, n_out, apply, back };
}

const ends = ({ input, output }) => ({ input, output, n_in: cells(input), n_out: cells(output) });

function convolution(layer, shape) {
  const grid = { ...layer, kernel: shape.slice(2), large: layer.input, small: layer.output };
  const apply = (values) => addBias(gathered(values, grid), layer.bias);
  return { ...ends(layer), apply, back: (gradient) => scattered(gradient, grid) };
}

function transposed(layer, shape) {
  const grid = { ...layer, kernel: shape.slice(2), small: layer.input, large: layer.output };
  const apply = (values) => addBias(scattered(values, grid), layer.bias);
  return { ...ends(layer), apply, back: (gradient) => gathered(gradient, grid) };
}

// A network: input (n_in numbers) to output, a Float64Array of its own each time.
export function unpackNetwork(packed) {
  const layers = unpackLayers(packed);
  const forward = (input) => {
    let values = input;
    for (const { n_in, apply, activate } of layers) {
      if (values.length !== n_in) {
        throw new Error(`the network takes ${n_in} numbers, not ${values.length}`);
      }
      values = apply(values).map(activate);
    }
    return values;
  };
  forward.n_in = layers[0].n_in;
  forward.n_out = layers.at(-1).n_out;
  return forward;
}

// The output of a DiagonalGaussian's network as mean and standard deviation.
export function asGaussian(output, [low, high] = [-20, 20]) {
  const n = output.length / 2;
  const mu = output.slice(0, n);
  const sigma = output.slice(n).map((v) => Math.exp(0.5 * Math.min(Math.max(v, low), high)));
  return { mu, sigma };
}
