// Chapter 0: draw a digit, see its code among those of real ones, and what the code is decoded to.

import { nearestLabel } from "./shared/classes.js";
import { drawnImage } from "./shared/drawn.js";
import { element, live } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { sigmoid } from "./shared/maths.js";
import { nearestAmong } from "./shared/nearest.js";
import { asGaussian, unpack, unpackNetwork, unpackRows } from "./shared/network.js";
import { sketchpad } from "./shared/sketch.js";
import { makeMap } from "./first_vae/map.js";
import { makeTour } from "./first_vae/tour.js";

const GLIDE = 0.18; // seconds in which the cloud covers most of its way, while the pen writes
// Not the numbers, which would change thirty times a second, and be read out.
const WRITING =
  "A pen writes digits, as you can. Each is encoded as two numbers, give or take a little, and decoded from them.";

export default live((frame, state) => {
  const vae = makeModel(state);
  const placed = { codes: unpackRows(state.codes), labels: unpack(state.labels) };
  // What the networks are at: the reader's or the pen's drawing, its q(z|x), the code that is decoded.
  const at = { source: "pen", x: null, q: null, z: [0, 0], cloud: null };
  const map = makeMap(frame, state, placed, at.z, ({ x, y }) => {
    Object.assign(at, { source: "hand", z: [x, y], cloud: at.q });
    frame.request();
  });
  // passed: the seconds in which the cloud glides; without them it is where it belongs at once.
  const encode = (source, passed) => {
    at.source = source;
    at.x = drawnImage(pad.strokes, state.drawing);
    at.q = at.x && vae.encode(at.x);
    at.cloud = at.q && passed && at.cloud ? glided(at.cloud, at.q, passed) : at.q;
    if (at.cloud) at.z = Array.from(at.cloud.mu);
    frame.request();
  };
  let by_pen = 0; // strokes on the pad that are not the reader's
  const pad = sketchpad(frame, {
    label: "Draw a digit",
    invitation: "draw a digit here",
    onChange: () => {
      pad.strokes.splice(0, by_pen);
      by_pen = 0;
      encode("drawing");
    },
  });
  const tour = makeTour(frame, (strokes, passed) => {
    if (at.source === "drawing") pad.clear();
    pad.strokes.splice(0, pad.strokes.length, ...strokes);
    by_pen = strokes.length;
    if (strokes.length || passed === null) encode("pen", passed);
    else frame.request(); // the paper is clean, and the last cloud stays until there is another
  });
  const show = arrange(frame, pad, map, tour, state.image_shape);

  tour.begin();
  frame.draw(() => {
    const x_mean = vae.decode(at.z);
    const near = nearestLabel(at.z, placed.codes, placed.labels);
    const real = vae.nearest(x_mean);
    map.point.place({ x: at.z[0], y: at.z[1] });
    map.cloud(at.cloud);
    pad.show();
    show({ x: at.x, x_mean, real: real.image });
    const q = at.q && { mu: Array.from(at.q.mu), sigma: Array.from(at.q.sigma) };
    const x = at.x && Array.from(at.x);
    const numbers = { x, q, z: at.z, x_mean: Array.from(x_mean), nearest: real.number, near };
    frame.tell(tour.running ? WRITING : saying(at, near), { source: at.source, ...numbers });
  });
});

// Both networks, and the real digits to compare with.
function makeModel(state) {
  const [encode, logits] = [unpackNetwork(state.encoder), unpackNetwork(state.decoder)];
  return {
    encode: (x) => asGaussian(encode(x), state.log_var_range),
    decode: (z) => logits(z).map(sigmoid),
    nearest: nearestAmong(state.images),
  };
}

// A cloud on its way from one place and width to another.
function glided(from, to, passed) {
  const share = 1 - Math.exp(-passed / GLIDE);
  const between = (a, b) => a.map((value, i) => value + share * (b[i] - value));
  return { mu: between(from.mu, to.mu), sigma: between(from.sigma, to.sigma) };
}

// Pad, plane and pictures in a row, or on a phone the plane below; returns what shows the pictures.
function arrange(frame, pad, map, tour, shape) {
  const picture = (text, caption) => {
    const image = pixels(shape, { label: text });
    return { image, figure: captioned(image, caption).figure };
  };
  const seen = picture("What the encoder sees", "what the encoder sees");
  const decoded = picture("The decoding of z", "decoded");
  const real = picture("The nearest real digit", "nearest real digit");
  const blank = new Float64Array(shape[0] * shape[1]);
  const row = pad.box.querySelector(".vae-live-controls");
  tour.addButton(row);
  row.after(element("div", { class: "vae-live-first-seen" }, seen.figure));
  const out = element("div", { class: "vae-live-first-out" }, decoded.figure, real.figure);
  const all = element("div", { class: "vae-live-first" }, pad.box, map.axes.box, out);
  frame.stage.append(element("div", { class: "vae-live-first-box" }, all));
  return ({ x, x_mean, real: image }) => {
    seen.image.show(x ?? blank);
    decoded.image.show(x_mean);
    real.image.show(image);
  };
}

const inPlane = ([a, b]) => `(${a.toFixed(2)}, ${b.toFixed(2)})`.replaceAll("-", "−");

function saying({ source, q, z }, near) {
  const who = { pen: "The pen's digit", drawing: "Your digit" }[source];
  const around = `Of the ${near.of} real digits coded nearest to it, ${near.count} ${near.count === 1 ? "is a" : "are"} ${near.label}${near.count === 1 ? "" : "s"}.`;
  if (source === "hand") return `The code ${inPlane(z)}, where you put it. ${around}`;
  if (!q) return `Nothing is drawn. The code ${inPlane(z)} is the last one. ${around}`;
  return `${who} is encoded as the two numbers ${inPlane(q.mu)}, give or take ${inPlane(q.sigma)}. ${around}`;
}
