// Chapter 10: a point on an image, the pixels that the unit over it sees, and the units that see it.

import { fewest, gradientOf, largest, passed, spanOf, summed, unitOver } from "./receptive_field/field.js";
import { imagePlot, pixelHandle } from "./receptive_field/image.js";
import { changeMaps } from "./receptive_field/maps.js";
import { button, choice, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { controlsBetween, split } from "./shared/layout.js";
import { clamp, sum } from "./shared/maths.js";
import { unpackLayers, unpackRows } from "./shared/network.js";

const SHARE = 0.9; // of a unit's gradient

export default live((frame, state) => {
  const layers = layersOf(state.encoder);
  const images = unpackRows(state.images);
  const mlp = state.mlp && unpackRows(state.mlp);
  const now = { image: 0, layer: state.layer - 1, feature: state.feature, pixel: state.start };
  const view = imagePlot(state.image_shape, state.value_range);
  const sizes = layers.map(({ output }, l) => [`layer ${l + 1}`, output.slice(1)]);
  const maps = changeMaps(mlp ? [...sizes, ["MLP", gridOf(mlp.length)]] : sizes);
  frame.root.classList.add("vae-live-receptive");
  const side = split(frame, view.axes.box);
  side.append(maps.row);
  pixelHandle(frame, view.axes, state.image_shape, now.pixel, (pixel) => {
    now.pixel = pixel;
    frame.request();
  });
  makeControls(frame, { state, layers, now, between: controlsBetween(frame, side) });

  frame.draw(() => {
    const x = images[now.image];
    const raws = passed(layers, x);
    const seen = sightOf(layers, raws, now, state.image_shape);
    const changed = changedAt(x, now.pixel, state);
    const after = passed(layers, changed);
    const changes = raws.map((raw, l) => largest(raw.map((value, k) => after[l][k] - value), places(layers[l].output)));
    view.set({ x: changed, ...seen });
    const counts = changes.map((change, l) => maps.set(l, change, l === now.layer && seen.unit));
    const difference = x.map((value, d) => changed[d] - value);
    const noticed = mlp && mlp.map((row) => Math.abs(sum(row.map((weight, d) => weight * difference[d]))));
    if (mlp) counts.push(maps.set(layers.length, noticed));
    const told = { ...now, ...seen, counts, changes, mlp: noticed, x_changed: changed };
    frame.tell(saying(told, layers), asLists(told));
  });
});

const places = ([, height, width]) => height * width;
const asLists = (told) => JSON.parse(JSON.stringify(told, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value)));

function layersOf(packed) {
  const layers = unpackLayers(packed);
  return layers.map((layer, l) => {
    const { stride, padding, dilation, weight } = packed.layers[l];
    return { ...layer, geometry: { stride, padding, dilation, kernel: weight.shape.slice(2) } };
  });
}

// Rows and columns, as nearly square as n allows.
function gridOf(n) {
  let rows = Math.floor(Math.sqrt(n));
  while (n % rows) rows--;
  return [rows, n / rows];
}

// The unit over the pixel, its box of pixels with what of it is in the image, and its gradient.
function sightOf(layers, raws, { layer, feature, pixel }, [, height, width]) {
  const unit = [0, 1].map((axis) => unitOver(layers, layer, axis, pixel[axis]));
  const [[top, bottom], [left, right]] = [0, 1].map((axis) => spanOf(layers, layer, axis, unit[axis]));
  const inside = [Math.min(bottom, height - 1) - Math.max(top, 0) + 1, Math.min(right, width - 1) - Math.max(left, 0) + 1];
  const [, rows, columns] = layers[layer].output;
  const index = (feature * rows + unit[0]) * columns + unit[1];
  const weights = summed(gradientOf(layers, raws, layer, index), height * width);
  const value = raws[layer][index];
  return { unit, box: [top, left, bottom, right], inside, weights, value, n_most: fewest(weights, SHARE) };
}

// The image with one pixel at the far end of its range, in each channel.
function changedAt(x, [row, column], { image_shape: [channels, height, width], value_range }) {
  const changed = Float64Array.from(x);
  const [low, high] = [Math.min(...value_range), Math.max(...value_range)];
  for (let c = 0; c < channels; c++) {
    const d = (c * height + row) * width + column;
    changed[d] = x[d] > (low + high) / 2 ? low : high;
  }
  return changed;
}

function makeControls(frame, { state, layers, now, between }) {
  const setLayer = (layer) => {
    now.layer = layer;
    const last = layers[layer].output[0] - 1;
    now.feature = clamp(now.feature, 0, last);
    features.input.max = last;
    features.set(now.feature);
    buttons.forEach((one, l) => one.setAttribute("aria-pressed", String(l === layer)));
    frame.request();
  };
  const buttons = layers.map((_, l) =>
    button(frame, { label: `Layer ${l + 1}`, pressed: false, parent: between, onClick: () => setLayer(l) }),
  );
  const features = slider(frame, {
    label: "feature",
    min: 0,
    max: layers[now.layer].output[0] - 1,
    step: 1,
    value: now.feature,
    format: (value) => `no. ${value}`,
    parent: between,
    onInput: (value) => {
      now.feature = value;
      frame.request();
    },
  });
  const options = state.names.map((name, i) => [String(i), name]);
  const onChange = (value) => {
    now.image = Number(value);
    frame.request();
  };
  choice(frame, { label: "Image", options, value: "0", onChange });
  setLayer(now.layer);
}

function saying({ layer, unit, box, inside, n_most, pixel, counts, changes, mlp }, layers) {
  const [top, left, bottom, right] = box;
  const whole = [bottom - top + 1, right - left + 1];
  const cut = inside[0] * inside[1] < whole[0] * whole[1] ? `, ${inside[0]} × ${inside[1]} of them in the image` : "";
  const noticing = layers.map((_, l) => `${counts[l]} of ${changes[l].length} places of layer ${l + 1}`);
  if (mlp) noticing.push(`${counts.at(-1)} of ${mlp.length} units of the MLP`);
  return (
    `The unit at row ${unit[0]}, column ${unit[1]} of layer ${layer + 1} can see ${whole[0]} × ${whole[1]} pixels${cut}. ` +
    `Nine tenths of its gradient lie on ${n_most} pixels. A change of the pixel at row ${pixel[0]}, column ${pixel[1]} ` +
    `is noticed by ${noticing.slice(0, -1).join(", ")} and ${noticing.at(-1)}.`
  );
}
