// Chapter 10: a point on an image, the pixels that the unit over it sees, and the units that see it.

import { fewest, gradientOf, largest, passed, spanOf, summed, unitOver } from "./receptive_field/field.js";
import { imagePlot, pixelHandle } from "./receptive_field/image.js";
import { changeMaps } from "./receptive_field/maps.js";
import { button, choice, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { controlsBetween, split } from "./shared/layout.js";
import { clamp, sum } from "./shared/maths.js";
import { unpackLayers, unpackRows } from "./shared/network.js";

const SHARE = 0.5; // of a unit's gradient

export default live((frame, state) => {
  const layers = layersOf(state.encoder);
  const images = unpackRows(state.images);
  const mlp = state.mlp && unpackRows(state.mlp);
  const now = { image: 0, layer: state.layer - 1, feature: state.feature, pixel: state.start };
  const view = imagePlot(state.image_shape, state.value_range, overhang(layers));
  const sizes = layers.map(({ output }, l) => [`layer ${l + 1}`, output.slice(1)]);
  const maps = changeMaps(mlp ? [...sizes, ["MLP", gridOf(mlp.length)]] : sizes);
  frame.root.classList.add("vae-live-receptive");
  const side = split(frame, view.axes.box);
  const beside = element("div", { class: "vae-live-controls" });
  side.append(maps.row, beside);
  pixelHandle(frame, view.axes, state.image_shape, now.pixel, (pixel) => {
    now.pixel = pixel;
    frame.request();
  });
  makeControls(frame, { state, layers, now, beside, between: controlsBetween(frame, side) });

  let [passes, of] = [null, -1]; // of the image as it is

  frame.draw(() => {
    const x = images[now.image];
    if (of !== now.image) [passes, of] = [passed(layers, x), now.image];
    const seen = sightOf(layers, passes, now, state.image_shape);
    const { changed, differences } = changedAt(x, now.pixel, state);
    view.set({ x: changed, ...seen });
    const changes = changesOf(layers, passes, passed(layers, changed));
    const counts = changes.map((change, l) => maps.set(l, change, l === now.layer && seen.unit));
    const noticed = mlp && mlp.map((row) => Math.abs(sum(differences.map(([d, value]) => row[d] * value))));
    if (mlp) counts.push(maps.set(layers.length, noticed));
    const told = { ...now, ...seen, counts, changes, mlp: noticed };
    frame.tell(saying(told), told);
  });
});

// Of each layer, by how much each place changes, in that of its features that changes most.
function changesOf(layers, before, after) {
  return layers.map(({ output: [, height, width] }, l) => {
    const differences = before[l].map((value, k) => after[l][k] - value);
    return Array.from(largest(differences, height * width));
  });
}

function layersOf(packed) {
  const layers = unpackLayers(packed);
  return layers.map((layer, l) => {
    const { stride, padding, dilation, weight } = packed.layers[l];
    return { ...layer, geometry: { stride, padding, dilation, kernel: weight.shape.slice(2) } };
  });
}

// How many pixels outside the image the units at its edges can see.
function overhang(layers) {
  const { output } = layers.at(-1);
  const ends = [0, 1].map((axis) => [
    -spanOf(layers, layers.length - 1, axis, 0)[0],
    spanOf(layers, layers.length - 1, axis, output[1 + axis] - 1)[1] + 1 - layers[0].input[1 + axis],
  ]);
  return Math.max(...ends.flat());
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
  const within = (first, last, size) => Math.max(0, Math.min(last, size - 1) - Math.max(first, 0) + 1);
  const inside = [within(top, bottom, height), within(left, right, width)];
  const [, rows, columns] = layers[layer].output;
  const index = (feature * rows + unit[0]) * columns + unit[1];
  const weights = Array.from(summed(gradientOf(layers, raws, layer, index), height * width));
  const value = raws[layer][index];
  return { unit, box: [top, left, bottom, right], inside, weights, value, n_most: fewest(weights, SHARE) };
}

// The image with one pixel at the far end of its range, in each channel, and what is different.
function changedAt(x, [row, column], { image_shape: [channels, height, width], value_range }) {
  const changed = Float64Array.from(x);
  const [low, high] = [Math.min(...value_range), Math.max(...value_range)];
  const differences = Array.from({ length: channels }, (_, c) => {
    const d = (c * height + row) * width + column;
    changed[d] = x[d] > (low + high) / 2 ? low : high;
    return [d, changed[d] - x[d]];
  });
  return { changed, differences };
}

function makeControls(frame, { state, layers, now, beside, between }) {
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
  choice(frame, { label: "Image", options, value: "0", onChange, parent: beside });
  setLayer(now.layer);
}

const listed = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words[0]);

function saying({ layer, unit, box, inside, n_most, pixel, counts, changes, mlp }) {
  const [top, left, bottom, right] = box;
  const whole = [bottom - top + 1, right - left + 1];
  const [n_all, n_inside] = [whole, inside].map(([rows, columns]) => rows * columns);
  const cut = n_inside < n_all ? `, of which ${n_inside} are in the image and ${n_all - n_inside} are padding` : "";
  const noticing = changes.map((change, l) => `${counts[l]} of ${change.length} places of layer ${l + 1}`);
  if (mlp) noticing.push(`${counts.at(-1)} of ${mlp.length} units of the MLP`);
  return (
    `The unit at row ${unit[0]}, column ${unit[1]} of layer ${layer + 1} can see ${whole[0]} × ${whole[1]} pixels${cut}. ` +
    `${n_most ? `Half of its gradient lies on ${n_most}` : "Its gradient is 0"}. A change of the pixel at row ${pixel[0]}, column ${pixel[1]} ` +
    `is noticed by ${listed(noticing)}.`
  );
}
