// Chapter 8: drag through the plane of a trained VAE, walk between digits, draw one of your own.

import { imageOptions, nearestLabel, numerals } from "./shared/classes.js";
import { drawnImage } from "./shared/drawn.js";
import { makeModel } from "./explorer/model.js";
import { makeWalk } from "./explorer/walk.js";
import { button } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { oneOf, pictureRow, split } from "./shared/layout.js";
import { unpack, unpackRows } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, line, svg } from "./shared/plot.js";
import { sketchpad } from "./shared/sketch.js";

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
  const side = split(frame, plane.axes.box);
  const showImages = makePictures(side, pad, state.image_shape, vae);
  const walking = element("div", { class: "vae-live-controls" });
  walk.addControls(walking, imageOptions(image_labels));
  const parts = [["Walk", walking], ["Draw", showImages.of_drawing]];
  const row = oneOf(frame, side, parts, () => walk.leaveFor(at.source));
  const onClick = () => {
    vae.renew();
    frame.request();
  };
  button(frame, { label: "New draws", onClick, parent: row });

  frame.draw(() => {
    const own = vae.ofDrawing(drawnImage(pad.strokes, state.drawing));
    if (at.source === "drawing" && own) point.place({ x: own.mu[0], y: own.mu[1] });
    if (at.source === "walk") point.place({ x: onWalk()[0], y: onWalk()[1] });
    const z = at.source === "walk" ? onWalk() : at.source === "drawing" && own ? own.mu : [point.x, point.y];
    plane.show([vae.ends[at.from], vae.ends[at.to]], own);
    pad.show();
    const decoded = vae.at(z);
    const real = vae.nearest && vae.nearest(decoded.mean);
    showImages.show(decoded, real, own);
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
      nearest: real?.number ?? null,
      near,
    });
  });
});

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

// The pictures: of z in the column beside the plane, of a drawing beside the pad, in .of_drawing;
// .show() fills them.
function makePictures(side, pad, shape, vae) {
  const picture = (text) => {
    const image = pixels(shape, { label: text });
    return { show: image.show, figure: captioned(image, text).figure };
  };
  const blank = new Float64Array(shape[0] * shape[1]);
  const compared = vae.nearest ? ["nearest real digit"] : [];
  const of_z = ["mean of p(x\u00a0|\u00a0z)", ...compared, "a draw from p(x\u00a0|\u00a0z)"].map(picture);
  const drawn = ["binarised", "decoded at its mean", "a draw, z from q(z\u00a0|\u00a0x)"].map(picture);
  side.append(pictureRow(of_z));
  const show = ({ mean, draw }, real, own) => {
    const [first, ...rest] = of_z;
    first.show(mean);
    rest.at(-1).show(draw);
    if (real) rest[0].show(real.image);
    [own?.x, own?.reconstruction, own?.resampled].forEach((image, i) => drawn[i].show(image ?? blank));
  };
  return { show, of_drawing: element("div", { class: "vae-live-drawn" }, pad.box, pictureRow(drawn)) };
}

const inPlane = ([a, b]) => `(${a.toFixed(2)}, ${b.toFixed(2)})`.replaceAll("-", "−");

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
