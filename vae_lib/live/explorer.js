// Chapter 8: drag through the plane of a trained VAE, walk between digits, draw one of your own.

import { imageOptions, nearestLabel, numerals } from "./shared/classes.js";
import { drawnImage } from "./shared/drawn.js";
import { button, choice, element, live, panel, slider } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { normals, sigmoid, uniforms } from "./shared/maths.js";
import { asGaussian, unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, line, svg } from "./shared/plot.js";
import { sketchpad } from "./shared/sketch.js";

const WALK_MS = 4000; // from one digit to the other
const TICK_MS = 33;

export default live((frame, state) => {
  const vae = makeModel(state);
  const [codes, labels] = [unpackRows(state.codes), unpack(state.labels)];
  const image_labels = unpack(state.image_labels);
  // Where z comes from: "walk", "plane" (the reader's hand) or "drawing".
  const at = { source: "walk", from: state.walk[0], to: state.walk[1], t: 0 };
  const onWalk = () => vae.ends[at.from].map((a, i) => a + at.t * (vae.ends[at.to][i] - a));
  const plane = makePlane(state, codes, labels);
  const walk = makeWalk(frame, at);
  const point = codeHandle(frame, plane.axes, onWalk(), () => walk.leaveFor("plane"));
  const pad = sketchpad(frame, {
    label: "Draw a digit",
    invitation: "draw a digit here",
    onChange: () => {
      const otherwise = at.source === "drawing" ? "plane" : at.source;
      walk.leaveFor(pad.strokes.length ? "drawing" : otherwise);
    },
  });
  const showImages = makePictures(frame, plane.axes, pad, state.image_shape);
  walk.addControls(imageOptions(image_labels));
  const onClick = () => {
    vae.renew();
    frame.request();
  };
  button(frame, { label: "New draws", onClick });

  frame.draw(() => {
    const own = vae.ofDrawing(drawnImage(pad.strokes, state.drawing));
    if (at.source === "drawing" && own) point.place({ x: own.mu[0], y: own.mu[1] });
    if (at.source === "walk") point.place({ x: onWalk()[0], y: onWalk()[1] });
    const z = at.source === "walk" ? onWalk() : at.source === "drawing" && own ? own.mu : [point.x, point.y];
    plane.show([vae.ends[at.from], vae.ends[at.to]], own);
    pad.show();
    const decoded = vae.at(z);
    showImages(decoded, own);
    const plain = own && Object.fromEntries(Object.entries(own).map(([k, v]) => [k, Array.from(v)]));
    const near = nearestLabel(z, codes, labels);
    const walked = { from: image_labels[at.from], to: image_labels[at.to], t: at.t };
    frame.tell(saying(at.source, z, walked, own, near), {
      source: at.source,
      t: at.t,
      z: Array.from(z),
      x_mean: Array.from(decoded.mean),
      x_draw: Array.from(decoded.draw),
      own: plain,
      near,
    });
  });
});

// Both networks with what randomness is left, until new draws are asked for: while z moves,
// nothing else does.
function makeModel(state) {
  const [encode, logits] = [unpackNetwork(state.encoder), unpackNetwork(state.decoder)];
  const binary = (grey) => grey.map((value) => (value > state.threshold ? 1 : 0));
  const posterior = (x) => asGaussian(encode(x), state.log_var_range);
  const mean = (z) => logits(z).map(sigmoid);
  const drawn = (p, us) => p.map((value, i) => (us[i] < value ? 1 : 0));
  const [normal, uniform] = [normals(state.seed), uniforms(state.seed + 1)];
  const noise = { eps: [0, 0], for_z: [], for_drawing: [] };
  const renew = () => {
    noise.eps = [normal(), normal()];
    noise.for_z = Array.from({ length: encode.n_in }, uniform);
    noise.for_drawing = Array.from({ length: encode.n_in }, uniform);
  };
  renew();
  const at = (z) => {
    const p = mean(z);
    return { mean: p, draw: drawn(p, noise.for_z) };
  };
  // What a drawing becomes: its binary image, its q(z | x), and a draw from there.
  const ofDrawing = (grey) => {
    if (!grey) return null;
    const x = binary(grey);
    const q = posterior(x);
    const z = q.mu.map((mu, i) => mu + q.sigma[i] * noise.eps[i]);
    return { grey, x, ...q, z, reconstruction: mean(q.mu), resampled: drawn(mean(z), noise.for_drawing) };
  };
  const ends = unpackRows(state.images).map((image) => posterior(binary(image)).mu);
  return { renew, at, ofDrawing, ends };
}

// The latent plane: the walk's path, and the q(z | x) of a drawing, with a cross at a draw from it.
function makePlane({ x_range, y_range }, codes, labels) {
  const axes = latentPlane(x_range, y_range);
  for (const r of [1, 2]) ellipse(axes, { class: "ellipse grey dotted" }).set({ x: 0, y: 0, r, s: r });
  numerals(axes, codes, labels);
  const path = line(axes, [], { class: "line blue" });
  const rings = [1, 2].map((n) => ellipse(axes, { class: n > 1 ? "ellipse ink dashed" : "ellipse ink" }));
  const cross = svg("path", { class: "line ink" });
  axes.marks.append(cross);
  const show = (ends, own) => {
    path.set(ends);
    for (const mark of [cross, ...rings.map((ring) => ring.ellipse)]) mark.style.display = own ? "" : "none";
    if (!own) return;
    const { mu: [x, y], sigma: [r, s], z } = own;
    rings.forEach((ring, i) => ring.set({ x, y, r: (i + 1) * r, s: (i + 1) * s }));
    const [u, v] = [axes.px(z[0]), axes.py(z[1])];
    cross.setAttribute("d", `M${u - 4},${v - 4}l8,8m-8,0l8,-8`);
  };
  return { axes, show };
}

// The walk from one digit to another: by its slider, or by itself until something else is moved.
function makeWalk(frame, at) {
  let cancel = null; // its next step
  let [position, play] = [null, null];
  const walkTo = (t) => {
    at.source = "walk";
    at.t = t;
    position.set(t);
    frame.request();
  };
  const halt = () => {
    if (cancel) cancel();
    cancel = null;
    play.textContent = "Play the walk";
  };
  const leaveFor = (source) => {
    halt();
    at.source = source;
    frame.request();
  };
  const onwards = (began) => {
    const t = Math.min((performance.now() - began) / WALK_MS, 1);
    walkTo(t);
    if (t < 1) cancel = frame.later(() => onwards(began), TICK_MS);
    else halt();
  };
  const playOrStop = () => {
    if (cancel) return halt();
    if (frame.reducedMotion()) return walkTo(1);
    const t = at.source === "walk" && at.t < 1 ? at.t : 0;
    play.textContent = "Stop";
    return onwards(performance.now() - t * WALK_MS);
  };
  const haltAndWalkTo = (t) => {
    halt();
    walkTo(t);
  };
  const addControls = (options) => {
    for (const [end, label] of [["from", "walk from a"], ["to", "to a"]]) {
      const onChange = (value) => {
        at[end] = Number(value);
        haltAndWalkTo(at.t);
      };
      choice(frame, { label, options, value: String(at[end]), onChange });
    }
    position = slider(frame, { label: "t", min: 0, max: 1, step: 0.01, value: 0, onInput: haltAndWalkTo });
    play = button(frame, { label: "Play the walk", onClick: playOrStop });
  };
  return { leaveFor, addControls };
}

// Plane, pad and images in their panels; returns the function that shows what z and a drawing give.
function makePictures(frame, axes, pad, shape) {
  const picture = (text, size) => {
    const image = pixels(shape, { label: text, size });
    const { figure, caption } = captioned(image, text);
    caption.style.maxWidth = `${size}px`;
    return { image, figure };
  };
  const blank = new Float64Array(shape[0] * shape[1]);
  const of_z = [picture("mean of p(x\u00a0|\u00a0z)", 128), picture("a draw from p(x\u00a0|\u00a0z)", 128)];
  const of_drawing = [
    picture("your drawing, binarised", 100),
    picture("its reconstruction", 100),
    picture("a draw, its z from q(z\u00a0|\u00a0x)", 100),
  ];
  panel(frame, "", axes.box).classList.add("wide");
  panel(frame, "", rowOf(of_z));
  panel(frame, "", pad.box);
  panel(frame, "", rowOf(of_drawing));
  return ({ mean, draw }, own) => {
    const shown = [mean, draw, own?.x, own?.reconstruction, own?.resampled];
    [...of_z, ...of_drawing].forEach(({ image }, i) => image.show(shown[i] ?? blank));
  };
}

const rowOf = (pictures) => element("div", { class: "vae-live-row" }, ...pictures.map(({ figure }) => figure));

const inPlane = ([a, b]) => `(${a.toFixed(2)}, ${b.toFixed(2)})`;

function saying(source, z, { from, to, t }, own, near) {
  const where = {
    walk: `${t.toFixed(2)} of the way from the ${from} to the ${to}`,
    plane: "where you put it",
    drawing: "the mean of q(z | x) for your drawing",
  }[source];
  const around = `Of the ${near.of} codes nearest to it, ${near.count} belong to ${near.label}s.`;
  const drawing = own
    ? ` Your drawing: μ = ${inPlane(own.mu)}, σ = ${inPlane(own.sigma)}; the cross is a draw from there.`
    : "";
  return `z = ${inPlane(z)}, ${where}. ${around}${drawing}`;
}
