// Convolutions and transposed convolutions over rows of [channels, height, width] numbers.
//
// Both connect a large grid with a small one: the place o of the small one, by the tap k of its
// kernel, with the place stride * o + dilation * k - padding of the large one. A convolution goes from
// large to small, a transposed one from small to large, and the gradient of either is the other.

// The kernel's weights, in torch's order [small's channels, large's channels, height, width], one at a
// time: each(weight, i, j, n) is told of n neighbours that it connects, from i on in small, from j on
// in large, where they are a stride apart. What would be outside the grid is padding, and left out.
function everyTap({ weight, kernel, small, large, stride, padding, dilation }, each) {
  const [n_small, rows, columns] = small;
  const [n_large, height, width] = large;
  const inside = (tap, axis, n, size) => {
    const shift = dilation[axis] * tap - padding[axis];
    const first = Math.max(0, Math.ceil(-shift / stride[axis]));
    return [shift, first, Math.min(n - 1, Math.floor((size - 1 - shift) / stride[axis]))];
  };
  const down = Array.from({ length: kernel[0] }, (_, tap) => inside(tap, 0, rows, height));
  const along = Array.from({ length: kernel[1] }, (_, tap) => inside(tap, 1, columns, width));
  let k = 0;
  for (let a = 0; a < n_small; a++) {
    for (let b = 0; b < n_large; b++) {
      for (const [below, top, bottom] of down) {
        for (const [beside, left, right] of along) {
          const value = weight[k++];
          if (right < left) continue;
          for (let y = top; y <= bottom; y++) {
            const row = (b * height + stride[0] * y + below) * width;
            each(value, (a * rows + y) * columns + left, row + stride[1] * left + beside, right - left + 1);
          }
        }
      }
    }
  }
}

export const cells = ([channels, height, width]) => channels * height * width;

// From large to small, without a bias: the convolution, and the gradient of a transposed one.
export function gathered(values, layer) {
  const found = new Float64Array(cells(layer.small));
  const step = layer.stride[1];
  everyTap(layer, (weight, i, j, n) => {
    for (let m = 0; m < n; m++) found[i + m] += weight * values[j + step * m];
  });
  return found;
}

// From small to large: the transposed convolution, and the gradient of a convolution.
export function scattered(values, layer) {
  const found = new Float64Array(cells(layer.large));
  const step = layer.stride[1];
  everyTap(layer, (weight, i, j, n) => {
    for (let m = 0; m < n; m++) found[j + step * m] += weight * values[i + m];
  });
  return found;
}

// Each channel of [channels, height, width] numbers gets its bias added, in place.
export function addBias(values, bias) {
  const size = values.length / bias.length;
  for (let i = 0; i < values.length; i++) values[i] += bias[Math.floor(i / size)];
  return values;
}
