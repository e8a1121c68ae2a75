// Chapter 2: draw a digit and see where, and how precisely, the encoder places it.

import { imageOptions, nearestLabel, numerals } from "./shared/classes.js";
import { drawnImage } from "./shared/drawn.js";
import { choice, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { pixels } from "./shared/image.js";
import { split } from "./shared/layout.js";
import { asGaussian, unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { latentPlane } from "./shared/plane.js";
import { ellipse, svg } from "./shared/plot.js";
import { sketchpad } from "./shared/sketch.js";

const DRAWING = "drawing";
const BEYOND = 2; // the pictures round the middle one are decoded this many sigma from mu

export default live((frame, state) => {
  const [encode, decode] = [unpackNetwork(state.encoder), unpackNetwork(state.decoder)];
  const [codes, labels] = [unpackRows(state.codes), unpack(state.labels)];
  const images = unpackRows(state.images);
  const image_labels = unpack(state.image_labels);
  const chosen = { source: String(state.start), scale: 1 };
  const plane = makePlane(state, codes, labels);
  const pad = sketchpad(frame, {
    label: "Draw a digit",
    invitation: "draw a digit here",
    onChange: () => {
      chosen.source = select.value = DRAWING;
      frame.request();
    },
  });
  const show = makePictures(frame, plane.axes, pad, state.image_shape);
  const select = makeControls(frame, image_labels, pad, chosen);

  frame.draw(() => {
    const drawing = chosen.source === DRAWING;
    const x = drawing ? drawnImage(pad.strokes, state.drawing) : images[Number(chosen.source)];
    const q = x && asGaussian(encode(x), state.log_var_range);
    const points = plane.place(q, chosen.scale);
    const decoded = points.map((z) => decode(z));
    pad.show();
    show(x, decoded);
    const told = { source: drawing ? DRAWING : Number(chosen.source), scale: chosen.scale };
    if (!q) {
      frame.tell("Nothing is drawn, and without an x there is no q(z | x).", { ...told, x: null });
      return;
    }
    const near = nearestLabel(q.mu, codes, labels);
    frame.tell(describe(q, chosen.scale, near, state), {
      ...told,
      x: Array.from(x),
      mu: Array.from(q.mu),
      sigma: Array.from(q.sigma),
      points,
      decoded: decoded.map((image) => Array.from(image)),
      near,
    });
  });
});

// The latent plane; place(q, scale) marks the encoder's distribution of x, or none, and returns the
// points to be decoded: the mean, and BEYOND times as far from it as the scaled σ, on either axis.
function makePlane({ x_range, y_range }, codes, labels) {
  const axes = latentPlane(x_range, y_range);
  numerals(axes, codes, labels);
  const rings = [1, 2].map((n) => ellipse(axes, { class: n > 1 ? "ellipse ink dashed" : "ellipse ink" }));
  const dots = [0, 1, 2, 3, 4].map(() => svg("circle", { r: 2.5, class: "fill-ink" }));
  axes.marks.append(...dots);
  const place = (q, scale) => {
    for (const mark of [...dots, ...rings.map((ring) => ring.ellipse)]) mark.style.display = q ? "" : "none";
    if (!q) return [];
    const { mu: [x, y], sigma } = q;
    const [r, s] = sigma.map((value) => scale * value);
    rings.forEach((ring, i) => ring.set({ x, y, r: (i + 1) * r, s: (i + 1) * s }));
    const round = [[-r, 0], [r, 0], [0, s], [0, -s]].map(([u, v]) => [x + BEYOND * u, y + BEYOND * v]);
    const points = [[x, y], ...round];
    points.forEach(([u, v], i) => {
      dots[i].setAttribute("cx", axes.px(u));
      dots[i].setAttribute("cy", axes.py(v));
    });
    return points;
  };
  return { axes, place };
}

// Plane, pad and pictures in their panels; returns the function that shows x and what is decoded.
function makePictures(frame, axes, pad, shape) {
  const blank = new Float64Array(shape[0] * shape[1]);
  const input = pixels(shape, { label: "x, as the encoder gets it", size: 80 });
  const decodings = ["at μ", "left of μ", "right of μ", "above μ", "below μ"].map((where) =>
    pixels(shape, { label: `The decoder's mean ${where}` }),
  );
  const [at_mu, left, right, above, below] = decodings.map(({ canvas }) => canvas);
  const gap = () => element("span");
  const cross = element("div", { class: "vae-live-cross" });
  cross.append(gap(), above, gap(), left, at_mu, right, gap(), below, gap());
  const titled = (text, part) => element("div", {}, element("p", { class: "vae-live-title" }, text), part);
  const pictures = element("div", { class: "vae-live-seen" });
  pictures.append(titled("x, as the encoder gets it", input.canvas), titled("decoded at μ, and round it", cross));
  const side = split(frame, axes.box);
  side.append(element("div", { class: "vae-live-drawn" }, pad.box, pictures), frame.controls);
  return (x, decoded) => {
    input.show(x ?? blank);
    decodings.forEach((image, i) => image.show(decoded[i] ?? blank));
  };
}

// Returns the list to choose from, which a drawing turns to itself.
function makeControls(frame, image_labels, pad, chosen) {
  const options = imageOptions(image_labels).map(([key, text]) => [key, `a held-out ${text}`]);
  const { select } = choice(frame, {
    label: "show",
    options: [[DRAWING, "my drawing"], ...options],
    value: chosen.source,
    onChange: (value) => {
      if (value !== DRAWING) pad.clear();
      chosen.source = select.value = value;
      frame.request();
    },
  });
  slider(frame, {
    label: "σ times",
    min: 0.25,
    max: 4,
    step: 0.05,
    value: 1,
    onInput: (value) => {
      chosen.scale = value;
      frame.request();
    },
  });
  return select;
}

const pair = ([a, b]) => `(${a.toFixed(2)}, ${b.toFixed(2)})`.replaceAll("-", "−");

function describe({ mu, sigma }, scale, near, { x_range, y_range }) {
  const wider = scale === 1 ? "" : `, drawn ${scale.toFixed(2)} times as wide`;
  const within = ([low, high], value) => low <= value && value <= high;
  const away = within(x_range, mu[0]) && within(y_range, mu[1]) ? "" : " (off the map)";
  return (
    `q(z | x): μ = ${pair(mu)}${away}, σ = ${pair(sigma)}${wider}. ` +
    `Of the ${near.of} codes nearest to μ, ${near.count} belong to ${near.label}s.`
  );
}
