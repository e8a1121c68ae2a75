// Arrays and networks as Python packed them, and the forward pass.

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

// Weights that were rounded to a byte each: so many steps above the least of them.
const inSteps = (packed) => Float64Array.from(unpack(packed), (value) => packed.low + packed.step * value);

const ACTIVATIONS = {
  relu: (value) => (value > 0 ? value : 0),
  tanh: Math.tanh,
  identity: (value) => value,
};

// A multilayer perceptron: input (n_in numbers) to output, a Float64Array of its own each time.
// Sums are in double precision, so they are nearer to the true value than torch's are.
export function unpackNetwork(packed) {
  if (!packed?.layers?.length) throw new Error("a network is missing from the figure's state");
  const layers = packed.layers.map(({ weight, bias, activation }) => ({
    n_out: weight.shape[0],
    n_in: weight.shape[1],
    weight: weight?.step !== undefined ? inSteps(weight) : unpack(weight),
    bias: unpack(bias),
    activate: ACTIVATIONS[activation],
  }));
  const forward = (input) => {
    let values = Float64Array.from(input); // of one kind in all layers, which is several times as fast
    for (const { n_in, n_out, weight, bias, activate } of layers) {
      if (values.length !== n_in) {
        throw new Error(`the network takes ${n_in} numbers, not ${values.length}`);
      }
      const next = new Float64Array(n_out);
      for (let i = 0, k = 0; i < n_out; i++) {
        let sum = bias[i];
        for (let j = 0; j < n_in; j++, k++) sum += weight[k] * values[j];
        next[i] = activate(sum);
      }
      values = next;
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
