// Chapter 3: drag a code, see the mean of p(x | z) and draws from it; sample z first, then x.

import { button } from "./shared/controls.js";
import { element, live, panel, write } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { controlsUnder, pictureRow, split } from "./shared/layout.js";
import { linspace, normals } from "./shared/maths.js";
import { unpackNetwork } from "./shared/network.js";
import { codeHandle, latentPlane } from "./shared/plane.js";
import { ellipse, svg } from "./shared/plot.js";

const GRID = { radius: 4, n_points: 33 }; // for integrals over the prior
const KEPT = 8; // ancestral samples that are shown
const RINGS = [1, 2]; // of N(0, I) in the plane 1 - exp(-r² / 2) lies within r

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  if (!(state.sigma > 0)) throw new Error("sigma is missing from the figure's state");
  const typical = decode.n_out * state.sigma ** 2; // Dσ², a draw's squared distance from its mean
  const deviation = pixelDeviation(decode, state.sigma);
  const sampler = makeSampler(decode, state);
  const axes = ringedPlane(state.radius);
  const numbers = svg("g", { class: "numerals", "aria-hidden": "true" });
  axes.marks.append(numbers);
  const pictures = makePictures(frame, axes, state, deviation);
  makeControls(frame, axes, state.start, sampler);

  frame.draw(() => {
    const { now, samples } = sampler;
    const x_mean = decode(now.z);
    const x = now.eps?.map((eps) => sampler.drawX(x_mean, eps)) ?? [];
    pictures.show(x_mean, x, samples);
    numbers.replaceChildren(...samples.map((sample) => numberOf(axes, sample)));
    const distances = x.map((one) => squaredDistance(one, x_mean) / typical);
    frame.tell(saying(now, distances, typical), {
      z: now.z,
      x_mean: Array.from(x_mean),
      draws: x.map((one) => Array.from(one)),
      distances,
      deviation: Array.from(deviation),
      samples: samples.map((one) => ({ ...one, x: Array.from(one.x) })),
      n_samples: sampler.n_samples,
    });
  });
});

// What is drawn so far, and the two steps that draw. `now.z` is a draw from the prior, or else the
// reader's; `now.eps` is null as long as no x is drawn for it.
function makeSampler(decode, { start, sigma, n_draws, seed }) {
  const normal = normals(seed);
  const noise = () => Float64Array.from({ length: decode.n_out }, normal);
  const drawX = (mean, eps) => mean.map((value, i) => value + sigma * eps[i]);
  const now = { z: [...start], from_prior: false, eps: null };
  const samples = []; // [{number, z, x}], the newest last
  const renew = () => {
    now.eps = Array.from({ length: n_draws }, noise);
  };
  renew();
  const sampler = {
    now,
    samples,
    n_samples: 0,
    drawX,
    drawZ: () => Object.assign(now, { z: [normal(), normal()], from_prior: true, eps: null }),
    // The first draw of x after one of z makes them an ancestral sample, to be kept.
    drawForZ: () => {
      const first = now.from_prior && !now.eps;
      renew();
      if (!first) return;
      const number = ++sampler.n_samples;
      samples.push({ number, z: [...now.z], x: drawX(decode(now.z), now.eps[0]) });
      if (samples.length > KEPT) samples.shift();
    },
    // The reader's own z: the noise stays, if there is any, and only z moves.
    choose: ({ x, y }) => {
      Object.assign(now, { z: [x, y], from_prior: false });
      if (!now.eps) renew();
    },
  };
  return sampler;
}

// The plane with circles that say how much of the prior is within them.
function ringedPlane(radius) {
  const axes = latentPlane([-radius, radius], [-radius, radius]);
  for (const r of RINGS) {
    ellipse(axes, { class: "ellipse grey dotted" }).set({ x: 0, y: 0, r, s: r });
    const place = { x: axes.px(0), y: axes.py(-r) - 5, class: "tick middle" };
    axes.marks.append(svg("text", place, `${Math.round(100 * (1 - Math.exp(-0.5 * r * r)))}%`));
  }
  return axes;
}

function numberOf(axes, { z, number }) {
  const place = { x: axes.px(z[0]), y: axes.py(z[1]) + 4, class: "numeral outer middle fill-ink" };
  return svg("text", place, String(number));
}

// Mean and deviations, the draws, and the samples kept, each in its panel.
function makePictures(frame, axes, { image_shape, sigma, n_draws }, deviation) {
  const [least, most] = [deviation, deviation].map((d, i) => Math[i ? "max" : "min"](...d));
  const blank = new Float64Array(deviation.length);
  const picture = (text, size, label = text) => pictureOf(image_shape, text, size, label);
  const mean = picture("mean given z", 100, "The mean of p(x | z)");
  const spread = "The standard deviation of each pixel";
  const one = `s.d. given z: ${sigma.toFixed(2)} in every pixel`;
  const given = picture(one, 100, `${spread} given z`);
  const range = `s.d. over all z: ${least.toFixed(2)} to ${most.toFixed(2)}`;
  const overall = picture(range, 100, `${spread} under p(x)`);
  const nameOf = (i) => `Draw ${i + 1} from p(x | z)`;
  const draws = Array.from({ length: n_draws }, (_, i) => pixels(image_shape, { label: nameOf(i), size: 100 }));
  const strip = Array.from({ length: KEPT }, () => picture("", 60));
  arrange(frame, axes, [mean, given, overall], draws, strip);

  const show = (x_mean, x, samples) => {
    mean.show(x_mean);
    given.show(blank.map(() => sigma), [0, most]);
    overall.show(deviation, [0, most]);
    draws.forEach(({ canvas, show }, i) => {
      show(x[i] ?? blank);
      canvas.setAttribute("aria-label", x[i] ? nameOf(i) : "Not drawn yet");
    });
    const newest = [...samples].reverse();
    strip.forEach(({ canvas, show, caption }, i) => {
      show(newest[i]?.x ?? blank);
      write(caption, String(newest[i]?.number ?? "\u00a0")); // as high with a number as without
      canvas.setAttribute("aria-label", newest[i] ? `Sample ${newest[i].number}` : "No sample yet");
    });
  };
  return { show };
}

function pictureOf(shape, text, size, label) {
  const image = pixels(shape, { label, size });
  const { figure, caption } = captioned(image, text);
  caption.style.maxWidth = `${size}px`;
  return { ...image, figure, caption };
}

function arrange(frame, axes, moments, draws, strip) {
  const text = `${draws.length} draws from p(x | z); dragging keeps their noise`;
  const heading = element("p", { class: "vae-live-title" }, text);
  const side = split(frame, axes.box);
  const drawn = pictureRow(draws.map(({ canvas }) => ({ figure: canvas })));
  drawn.classList.add("many");
  side.append(pictureRow(moments), heading, drawn);
  controlsUnder(frame, side);
  const title = "samples from p(x): a fresh z from the prior for each, then one x (the newest first)";
  const row = element("div", { class: "vae-live-row" }, ...strip.map(({ figure }) => figure));
  panel(frame, title, row).style.flexBasis = "100%";
}

function makeControls(frame, axes, start, { drawZ, drawForZ, choose }) {
  const point = codeHandle(frame, axes, start, (to) => {
    choose(to);
    frame.request();
  });
  const drawAndPlace = () => {
    const [x, y] = drawZ().z;
    point.place({ x, y });
  };
  const then = (...steps) => () => {
    for (const step of steps) step();
    frame.request();
  };
  frame.listen(point.mark, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = { z: drawAndPlace, x: drawForZ }[event.key.toLowerCase()];
    if (action) then(action)();
  });
  button(frame, { label: "1. Draw z from p(z)", onClick: then(drawAndPlace) });
  button(frame, { label: "2. Draw x from p(x | z)", onClick: then(drawForZ) });
  const eight = Array.from({ length: KEPT }, () => [drawAndPlace, drawForZ]).flat();
  button(frame, { label: `Both, ${KEPT} times`, onClick: then(...eight) });
}

// Of each pixel under p(x), by Var x = σ² + Var g(z), the second over a grid weighted by the prior.
function pixelDeviation(decode, sigma) {
  const axis = linspace(-GRID.radius, GRID.radius, GRID.n_points);
  const [first, second] = [new Float64Array(decode.n_out), new Float64Array(decode.n_out)];
  let total = 0;
  for (const u of axis) {
    for (const v of axis) {
      const weight = Math.exp(-0.5 * (u * u + v * v));
      total += weight;
      decode([u, v]).forEach((value, i) => {
        first[i] += weight * value;
        second[i] += weight * value * value;
      });
    }
  }
  return first.map((sum, i) => Math.sqrt(sigma ** 2 + second[i] / total - (sum / total) ** 2));
}

function squaredDistance(x, y) {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += (x[i] - y[i]) ** 2;
  return total;
}

function saying({ z, from_prior, eps }, distances, typical) {
  const where = `z = (${z[0].toFixed(2)}, ${z[1].toFixed(2)})`.replaceAll("-", "−");
  if (!eps) return `${where}, a draw from the prior. Half of a sample: x is still to be drawn.`;
  const [low, high] = [Math.min(...distances), Math.max(...distances)];
  const whose = from_prior ? ", a draw from the prior" : "";
  return (
    `${where}${whose}. The draws' squared distances to the mean are ${low.toFixed(2)} to ` +
    `${high.toFixed(2)} times Dσ² = ${typical.toPrecision(3)}; the mean's own is 0.`
  );
}
