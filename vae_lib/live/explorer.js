// Chapter 8: drag through the plane of a trained VAE, walk between digits, draw one of your own.

import { imageOptions, nearestLabel, numerals } from "./shared/classes.js";
import { drawnImage } from "./shared/drawn.js";
import { button, choice, element, live, panel, slider } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { normals, sigmoid, uniforms } from "./shared/maths.js";
import { asGaussian, unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { ellipse, handle, line, plot, svg } from "./shared/plot.js";
import { sketchpad } from "./shared/sketch.js";

const WALK_MS = 4000; // from one digit to the other
const TICK_MS = 33;

export default live((frame, state) => {
  const [encode, logits] = [unpackNetwork(state.encoder), unpackNetwork(state.decoder)];
  const [codes, labels] = [unpackRows(state.codes), unpack(state.labels)];
  const [images, image_labels] = [unpackRows(state.images), unpack(state.image_labels)];
  const blank = new Float64Array(encode.n_in);

  const binary = (grey) => grey.map((value) => (value > state.threshold ? 1 : 0));
  const posterior = (x) => asGaussian(encode(x), state.log_var_range);
  const mean = (z) => logits(z).map(sigmoid);
  const ends = images.map((image) => posterior(binary(image)).mu);

  // What randomness is left, until new draws are asked for: while z moves, nothing else does.
  const [normal, uniform] = [normals(state.seed), uniforms(state.seed + 1)];
  const noise = { eps: [0, 0], for_z: [], for_drawing: [] };
  const renew = () => {
    noise.eps = [normal(), normal()];
    noise.for_z = Array.from(blank, uniform);
    noise.for_drawing = Array.from(blank, uniform);
  };
  renew();
  const drawn = (p, us) => p.map((value, i) => (us[i] < value ? 1 : 0));

  const axes = plot({
    x: state.x_range,
    y: state.y_range,
    equal: true,
    xlabel: "z₁",
    ylabel: "z₂",
    label: "The latent plane",
  });
  for (const r of [1, 2]) ellipse(axes, { class: "ellipse grey dotted" }).set({ x: 0, y: 0, r, s: r });
  numerals(axes, codes, labels);
  const path = line(axes, [], { class: "line blue" });
  const rings = [1, 2].map((n) => ellipse(axes, { class: n > 1 ? "ellipse ink dashed" : "ellipse ink" }));
  const cross = svg("path", { class: "line ink" });
  axes.marks.append(cross);

  // Where z comes from: "walk", "plane" (the reader's hand) or "drawing".
  const at = { source: "walk", from: state.walk[0], to: state.walk[1], t: 0 };
  const onWalk = () => ends[at.from].map((a, i) => a + at.t * (ends[at.to][i] - a));
  const start = onWalk();
  const point = handle(frame, axes, {
    x: start[0],
    y: start[1],
    label: "The code z",
    step: 0.05,
    plane: true,
    text: ({ x, y }) => `z₁ ${x.toFixed(2)}, z₂ ${y.toFixed(2)}`,
    onMove: () => {
      halt();
      at.source = "plane";
      frame.request();
    },
  });
  const pad = sketchpad(frame, {
    label: "Draw a digit",
    invitation: "draw a digit here",
    onChange: () => {
      halt();
      if (pad.strokes.length) at.source = "drawing";
      else if (at.source === "drawing") at.source = "plane";
      frame.request();
    },
  });

  const shown = Object.fromEntries(
    [
      ["mean", "mean of p(x\u00a0|\u00a0z)"],
      ["draw", "a draw from p(x\u00a0|\u00a0z)"],
      ["x", "your drawing, binarised"],
      ["reconstruction", "its reconstruction"],
      ["resampled", "a draw, its z from q(z\u00a0|\u00a0x)"],
    ].map(([name, text]) => {
      const size = ["mean", "draw"].includes(name) ? 128 : 100;
      const image = pixels(state.image_shape, { label: text, size });
      const { figure, caption } = captioned(image, text);
      caption.style.maxWidth = `${size}px`;
      return [name, { image, figure }];
    }),
  );
  panel(frame, "", axes.box).classList.add("wide");
  panel(frame, "", rowOf(shown.mean.figure, shown.draw.figure));
  panel(frame, "", pad.box);
  panel(frame, "", rowOf(shown.x.figure, shown.reconstruction.figure, shown.resampled.figure));

  let cancel = null; // the walk's next step
  const walkTo = (t) => {
    at.source = "walk";
    at.t = t;
    position.set(t);
    frame.request();
  };
  function halt() {
    if (cancel) cancel();
    cancel = null;
    play.textContent = "Play the walk";
  }
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

  const options = imageOptions(image_labels);
  for (const [end, label] of [["from", "walk from a"], ["to", "to a"]]) {
    const onChange = (value) => {
      halt();
      at[end] = Number(value);
      walkTo(at.t);
    };
    choice(frame, { label, options, value: String(at[end]), onChange });
  }
  const position = slider(frame, {
    label: "t",
    min: 0,
    max: 1,
    step: 0.01,
    value: 0,
    onInput: (t) => {
      halt();
      walkTo(t);
    },
  });
  const play = button(frame, { label: "Play the walk", onClick: playOrStop });
  button(frame, {
    label: "New draws",
    onClick: () => {
      renew();
      frame.request();
    },
  });

  // What the drawing becomes: its binary image, its q(z | x), and a draw from there.
  const ownDigit = () => {
    const grey = drawnImage(pad.strokes, state.drawing);
    if (!grey) return null;
    const x = binary(grey);
    const q = posterior(x);
    const z = q.mu.map((mu, i) => mu + q.sigma[i] * noise.eps[i]);
    return { grey, x, ...q, z, reconstruction: mean(q.mu), resampled: drawn(mean(z), noise.for_drawing) };
  };
  const place = (own) => {
    for (const mark of [cross, ...rings.map((ring) => ring.ellipse)]) mark.style.display = own ? "" : "none";
    if (!own) return;
    const { mu: [x, y], sigma: [r, s], z } = own;
    rings.forEach((ring, i) => ring.set({ x, y, r: (i + 1) * r, s: (i + 1) * s }));
    const [u, v] = [axes.px(z[0]), axes.py(z[1])];
    cross.setAttribute("d", `M${u - 4},${v - 4}l8,8m-8,0l8,-8`);
  };

  frame.draw(() => {
    const own = ownDigit();
    if (at.source === "drawing" && own) point.place({ x: own.mu[0], y: own.mu[1] });
    if (at.source === "walk") point.place({ x: onWalk()[0], y: onWalk()[1] });
    const z = at.source === "walk" ? onWalk() : at.source === "drawing" && own ? own.mu : [point.x, point.y];
    path.set([ends[at.from], ends[at.to]]);
    place(own);
    pad.show();
    const x_mean = mean(z);
    const x_draw = drawn(x_mean, noise.for_z);
    shown.mean.image.show(x_mean);
    shown.draw.image.show(x_draw);
    shown.x.image.show(own?.x ?? blank);
    shown.reconstruction.image.show(own?.reconstruction ?? blank);
    shown.resampled.image.show(own?.resampled ?? blank);
    const plain = own && Object.fromEntries(Object.entries(own).map(([k, v]) => [k, Array.from(v)]));
    const near = nearestLabel(z, codes, labels);
    const walk = { from: image_labels[at.from], to: image_labels[at.to], t: at.t };
    frame.tell(saying(at.source, z, walk, own, near), {
      source: at.source,
      t: at.t,
      z: Array.from(z),
      x_mean: Array.from(x_mean),
      x_draw: Array.from(x_draw),
      own: plain,
      near,
    });
  });
});

const rowOf = (...parts) => element("div", { class: "vae-live-row" }, ...parts);

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
