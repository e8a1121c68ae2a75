// Chapter 3: drag a code, see the mean of p(x | z) and draws from it; sample z first, then x.

import { button, element, live, panel } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { linspace, normals } from "./shared/maths.js";
import { unpackNetwork } from "./shared/network.js";
import { ellipse, handle, plot, svg } from "./shared/plot.js";

const GRID = { radius: 4, n_points: 33 }; // for integrals over the prior
const KEPT = 8; // ancestral samples that are shown
const RINGS = [1, 2]; // of N(0, I) in the plane 1 - exp(-r² / 2) lies within r

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  const { sigma, n_draws, radius } = state;
  if (!(sigma > 0)) throw new Error("sigma is missing from the figure's state");
  const n_pixels = decode.n_out;
  const deviation = pixelDeviation(decode, sigma);
  const [least, most] = [deviation, deviation].map((d, i) => Math[i ? "max" : "min"](...d));

  const normal = normals(state.seed);
  const noise = () => Float64Array.from({ length: n_pixels }, normal);
  const drawX = (mean, eps) => mean.map((value, i) => value + sigma * eps[i]);
  // z is a draw from the prior, or else the reader's; eps is null as long as no x is drawn for it.
  const now = { z: [...state.start], from_prior: false, eps: null };
  const renew = () => {
    now.eps = Array.from({ length: n_draws }, noise);
  };
  renew();
  const samples = []; // [{number, z, x}], the newest last
  let n_samples = 0;

  const axes = plot({
    x: [-radius, radius],
    y: [-radius, radius],
    equal: true,
    xlabel: "z₁",
    ylabel: "z₂",
    label: "The latent plane",
  });
  for (const r of RINGS) {
    ellipse(axes, { class: "ellipse grey dotted" }).set({ x: 0, y: 0, r, s: r });
    const place = { x: axes.px(0), y: axes.py(-r) - 5, class: "tick middle" };
    axes.marks.append(svg("text", place, `${Math.round(100 * (1 - Math.exp(-0.5 * r * r)))}%`));
  }
  const codes = svg("g", { class: "numerals", "aria-hidden": "true" });
  axes.marks.append(codes);

  const picture = (text, size, label = text) => {
    const image = pixels(state.image_shape, { label, size });
    const { figure, caption } = captioned(image, text);
    caption.style.maxWidth = `${size}px`;
    return { ...image, figure, caption };
  };
  const mean_image = picture("mean given z", 100, "The mean of p(x | z)");
  const spread = "The standard deviation of each pixel";
  const one = `s.d. given z: ${sigma.toFixed(2)} in every pixel`;
  const given = picture(one, 100, `${spread} given z`);
  const range = `s.d. over all z: ${least.toFixed(2)} to ${most.toFixed(2)}`;
  const overall = picture(range, 100, `${spread} under p(x)`);
  const draws = Array.from({ length: n_draws }, (_, i) =>
    pixels(state.image_shape, { label: `Draw ${i + 1} from p(x | z)`, size: 100 }),
  );
  const strip = Array.from({ length: KEPT }, () => picture("", 60));
  const row = (...parts) => element("div", { class: "vae-live-row" }, ...parts);
  const heading = element("p", { class: "vae-live-title" }, `${n_draws} draws from p(x | z); dragging keeps their noise`);
  heading.style.marginTop = "0.75rem";

  panel(frame, "", axes.box).classList.add("wide");
  const side = panel(
    frame,
    "",
    row(mean_image.figure, given.figure, overall.figure),
    heading,
    row(...draws.map(({ canvas }) => canvas)),
  );
  side.style.maxWidth = "22rem";
  const below = panel(
    frame,
    "samples from p(x): a fresh z from the prior for each, then one x (the newest first)",
    row(...strip.map(({ figure }) => figure)),
  );
  below.style.flexBasis = "100%";

  // The first draw of x after one of z makes them an ancestral sample, to be kept.
  const drawForZ = () => {
    const first = now.from_prior && !now.eps;
    renew();
    if (!first) return;
    samples.push({ number: ++n_samples, z: [...now.z], x: drawX(decode(now.z), now.eps[0]) });
    if (samples.length > KEPT) samples.shift();
  };
  const drawZ = () => {
    Object.assign(now, { z: [normal(), normal()], from_prior: true, eps: null });
    point.place({ x: now.z[0], y: now.z[1] });
  };
  const then = (...steps) => () => {
    for (const step of steps) step();
    frame.request();
  };
  const point = handle(frame, axes, {
    x: now.z[0],
    y: now.z[1],
    label: "The code z",
    step: 0.05,
    plane: true,
    text: ({ x, y }) => `z₁ ${x.toFixed(2)}, z₂ ${y.toFixed(2)}`,
    onMove: ({ x, y }) => {
      Object.assign(now, { z: [x, y], from_prior: false });
      if (!now.eps) renew(); // otherwise the noise stays, and only z moves
      frame.request();
    },
  });
  frame.listen(point.mark, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = { z: drawZ, x: drawForZ }[event.key.toLowerCase()];
    if (action) then(action)();
  });
  button(frame, { label: "1. Draw z from p(z)", onClick: then(drawZ) });
  button(frame, { label: "2. Draw x from p(x | z)", onClick: then(drawForZ) });
  const eight = Array.from({ length: KEPT }, () => [drawZ, drawForZ]).flat();
  button(frame, { label: `Both, ${KEPT} times`, onClick: then(...eight) });

  const showSamples = () => {
    const newest = [...samples].reverse();
    strip.forEach(({ canvas, show, caption }, i) => {
      show(newest[i]?.x ?? new Float64Array(n_pixels));
      caption.textContent = newest[i]?.number ?? "";
      canvas.setAttribute("aria-label", newest[i] ? `Sample ${newest[i].number}` : "No sample yet");
    });
    codes.replaceChildren(
      ...samples.map(({ z, number }) => {
        const place = { x: axes.px(z[0]), y: axes.py(z[1]) + 4, class: "numeral outer middle fill-ink" };
        return svg("text", place, String(number));
      }),
    );
  };

  frame.draw(() => {
    const x_mean = decode(now.z);
    const x = now.eps?.map((eps) => drawX(x_mean, eps)) ?? [];
    mean_image.show(x_mean);
    given.show(new Float64Array(n_pixels).fill(sigma), [0, most]);
    overall.show(deviation, [0, most]);
    draws.forEach(({ canvas, show }, i) => {
      show(x[i] ?? new Float64Array(n_pixels));
      canvas.setAttribute("aria-label", x[i] ? `Draw ${i + 1} from p(x | z)` : "Not drawn yet");
    });
    showSamples();
    const distances = x.map((one) => squaredDistance(one, x_mean) / (n_pixels * sigma ** 2));
    frame.tell(saying(now, distances, n_pixels * sigma ** 2), {
      z: now.z,
      x_mean: Array.from(x_mean),
      draws: x.map((one) => Array.from(one)),
      distances,
      deviation: Array.from(deviation),
      samples: samples.map((one) => ({ ...one, x: Array.from(one.x) })),
      n_samples,
    });
  });
});

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
  const where = `z = (${z[0].toFixed(2)}, ${z[1].toFixed(2)})`;
  if (!eps) return `${where}, a draw from the prior. Half of a sample: x is still to be drawn.`;
  const [low, high] = [Math.min(...distances), Math.max(...distances)];
  const whose = from_prior ? ", a draw from the prior" : "";
  return (
    `${where}${whose}. The draws' squared distances to the mean are ${low.toFixed(2)} to ` +
    `${high.toFixed(2)} times Dσ² = ${typical.toPrecision(3)}; the mean's own is 0.`
  );
}
