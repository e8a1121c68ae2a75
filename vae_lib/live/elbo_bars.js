// Chapter 6: one latent dimension, a q to be moved against the true posterior, and the bars of
// log p(x) = ELBO + KL(q || p(z|x)), each of the three from a quadrature of its own.

import { button, choice, live, panel, slider } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { clamp, linspace, logNormal, logSumExp, softplus, sum } from "./shared/maths.js";
import { unpackNetwork, unpackRows } from "./shared/network.js";
import { handle, line, plot, svg, tickText, ticks } from "./shared/plot.js";

const STEP = 0.02; // between points of the grid: far below the width of anything on it
const N_SIDE = 1550; // points on either side of 0, up to 31: beyond the widest q
const RADIUS = 9; // the prior has 2e-19 of its mass outside
const NARROW = 0.15; // q below this has points of its own, since the grid is too coarse
const MU_RANGE = [-4, 4];
const SIGMA_RANGE = [0.02, 3];

const weighted = (weight, values) => weight.reduce((total, w, i) => total + w * values[i], 0);

// log p(x|z) of a Bernoulli decoder with these logits.
function bernoulli(logits, x) {
  let value = 0;
  for (let d = 0; d < x.length; d++) value += x[d] * logits[d] - softplus(logits[d]);
  return value;
}

// Everything about one image under the decoder: functions of q = N(mu, sigma²), in nats. The grid
// and the logits on it are the same for all images.
function evidenceOf(decode, x, grid, logitsOnGrid) {
  const onGrid = logitsOnGrid.map((logits) => bernoulli(logits, x));
  const posterior = grid.map((z, i) => (Math.abs(z) > RADIUS ? -Infinity : onGrid[i] + logNormal(z)));
  const log_px = logSumExp(posterior) + Math.log(STEP);
  posterior.forEach((value, i) => (posterior[i] = Math.exp(value - log_px)));

  // Points z, log p(x|z) there, and the weights of a mean under q: the trapezoid rule, whose error
  // for smooth functions under a Gaussian falls faster than any power of the distance between
  // points. The two sets, 0 and 1, have no point in common.
  const rule = (mu, sigma, set) => {
    const [z, log_px_z] = [[], []];
    if (sigma < NARROW) {
      const n = 160 - 37 * set;
      for (let i = 0; i <= n; i++) {
        z.push(mu + sigma * (18 * ((i + 0.31 * set) / n) - 9));
        log_px_z.push(bernoulli(decode([z[i]]), x));
      }
    } else {
      const first = Math.max(0, Math.ceil((mu - 9 * sigma) / STEP) + N_SIDE);
      const last = Math.min(grid.length - 1, Math.floor((mu + 9 * sigma) / STEP) + N_SIDE);
      for (let i = first + ((first + set) % 2); i <= last; i += 2) {
        z.push(grid[i]);
        log_px_z.push(onGrid[i]);
      }
    }
    const raw = z.map((point) => Math.exp(-0.5 * ((point - mu) / sigma) ** 2));
    const total = sum(raw);
    return { z, log_px_z, weight: raw.map((w) => w / total) };
  };

  const terms = (mu, sigma) => {
    const { weight, log_px_z } = rule(mu, sigma, 0);
    const reconstruction = weighted(weight, log_px_z);
    const kl_prior = 0.5 * (mu * mu + sigma * sigma - 1) - Math.log(sigma);
    // Other points than those above, so that nothing makes the two agree but the identity.
    const other = rule(mu, sigma, 1);
    const log_ratio = other.z.map(
      (z, i) => logNormal(z, mu, sigma) - (other.log_px_z[i] + logNormal(z) - log_px),
    );
    const kl_posterior = weighted(other.weight, log_ratio);
    return { log_px, reconstruction, kl_prior, elbo: reconstruction - kl_prior, kl_posterior };
  };

  // The q with the largest ELBO: steps of Newton's kind in mu and sigma, halved until they climb.
  // Its gradients are means under q, by Stein's lemma: E[f'] = E[f eps] / sigma, and so on.
  const climb = (mu, sigma) => {
    let best = { mu, sigma, elbo: terms(mu, sigma).elbo };
    for (let round = 0; round < 60; round++) {
      const { z, weight, log_px_z } = rule(best.mu, best.sigma, 0);
      const f = z.map((point, i) => log_px_z[i] + logNormal(point));
      const eps = z.map((point) => (point - best.mu) / best.sigma);
      const slope = weighted(weight, f.map((v, i) => v * eps[i])) / best.sigma;
      const bend = weighted(weight, f.map((v, i) => v * (eps[i] ** 2 - 1))) / best.sigma ** 2;
      const variance = bend < 0 ? -1 / bend : 4 * best.sigma ** 2;
      let found = null;
      for (let rate = 1; rate > 1e-4 && !found; rate /= 2) {
        const to_mu = clamp(best.mu + rate * variance * slope, ...MU_RANGE);
        const log_sigma = (1 - rate) * Math.log(best.sigma) + (rate * Math.log(variance)) / 2;
        const to_sigma = clamp(Math.exp(log_sigma), ...SIGMA_RANGE);
        const elbo = terms(to_mu, to_sigma).elbo;
        if (elbo > best.elbo) found = { mu: to_mu, sigma: to_sigma, elbo };
      }
      if (!found) break;
      const gain = found.elbo - best.elbo;
      best = found;
      if (gain < 1e-12) break;
    }
    return best;
  };
  const bestGaussian = () => {
    const mean = STEP * sum(grid.map((z, i) => z * posterior[i]));
    const variance = STEP * sum(grid.map((z, i) => (z - mean) ** 2 * posterior[i]));
    const mode = grid[posterior.indexOf(Math.max(...posterior))];
    const spread = clamp(Math.sqrt(variance), 0.05, 2);
    const found = [climb(clamp(mean, ...MU_RANGE), spread), climb(clamp(mode, ...MU_RANGE), spread / 3)];
    return found[0].elbo >= found[1].elbo ? found[0] : found[1];
  };
  return { log_px, posterior, terms, bestGaussian };
}

const nats = (value, places) => value.toFixed(places).replace("-", "−");

// A number of any size, to one digit: "3 · 10⁻¹⁴".
function magnitude(value) {
  if (value === 0) return "0";
  const [digit, power] = Math.abs(value).toExponential(0).split("e");
  const raised = [...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return `${digit} · 10${raised.join("")}`;
}

// Three rows of bars over an axis in nats whose range follows the values.
function natsBars() {
  const [width, height, left, right] = [340, 236, 16, 324];
  const face = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the numbers are in the text below
  const rows = [16, 82, 148];
  const bar = (row, kind) => {
    const made = svg("rect", { y: rows[row] + 20, height: 24, class: `bar ${kind}` });
    face.append(made);
    return made;
  };
  const labels = rows.map((y) => svg("text", { x: left, y: y + 13, class: "halo" }));
  const evidence = bar(0, "fill-ink");
  const [bound, gap] = [bar(1, "fill-blue"), bar(1, "fill-orange dashed")];
  const [reconstruction, price] = [bar(2, "fill-green"), bar(2, "hollow dashed")];
  const level = svg("path", { class: "line ink dotted" });
  const axis = svg("g", { class: "axes" });
  face.append(level, axis, ...labels);
  let shown = "";
  const set = ({ log_px, reconstruction: recon, kl_prior, elbo, kl_posterior }) => {
    labels[0].textContent = `log p(x) ${nats(log_px, 2)}`;
    labels[1].textContent = `= ELBO ${nats(elbo, 2)} + KL(q ‖ posterior) ${nats(kl_posterior, 2)}`;
    labels[2].textContent = `ELBO = E log p(x|z) ${nats(recon, 2)} − KL(q ‖ prior) ${nats(kl_prior, 2)}`;
    const low = 5 * Math.floor((Math.min(elbo, log_px - 8) - 2) / 5);
    const high = 5 * Math.ceil((Math.max(recon, log_px) + 2) / 5);
    const px = (v) => left + ((v - low) / (high - low)) * (right - left);
    const span = (rect, from, to) => {
      rect.setAttribute("x", px(Math.min(from, to)));
      rect.setAttribute("width", Math.max(0, Math.abs(px(to) - px(from))));
    };
    span(evidence, low, log_px);
    span(bound, low, elbo);
    span(gap, elbo, elbo + kl_posterior);
    span(reconstruction, low, recon);
    span(price, elbo, recon);
    level.setAttribute("d", `M${px(log_px)},${rows[0] + 16}V${rows[1] + 48}`);
    if (shown === `${low} ${high}`) return;
    shown = `${low} ${high}`;
    axis.replaceChildren(svg("path", { d: `M${left},202H${right}`, class: "axis" }));
    for (const tick of ticks(low, high, 5)) {
      axis.append(svg("path", { d: `M${px(tick)},202v4`, class: "axis" }));
      axis.append(svg("text", { x: px(tick), y: 218, class: "tick middle" }, tickText(tick)));
    }
    axis.append(svg("text", { x: (left + right) / 2, y: 234, class: "label middle" }, "nats"));
  };
  return { face, set };
}

export default live((frame, state) => {
  const decode = unpackNetwork(state.decoder);
  const images = unpackRows(state.images);
  const grid = linspace(-N_SIDE * STEP, N_SIDE * STEP, 2 * N_SIDE + 1);
  const logitsOnGrid = grid.map((z) => decode([z]));
  const evidences = images.map((x) => evidenceOf(decode, x, grid, logitsOnGrid));
  let shown = 0;

  // About how high each posterior rises, from every fifth point of the grid.
  const peakOf = (x) => {
    const some = grid.map((z, i) => [z, i]).filter(([z, i]) => i % 5 === 0 && Math.abs(z) <= RADIUS);
    const values = some.map(([z, i]) => bernoulli(logitsOnGrid[i], x) + logNormal(z));
    return Math.exp(Math.max(...values) - logSumExp(values)) / (5 * STEP);
  };
  const highest = Math.max(...images.map(peakOf));
  const axes = plot({
    x: MU_RANGE,
    y: [0, Math.max(1.2, 1.35 * highest)],
    xlabel: "z",
    ylabel: "density",
    label: "Densities over z",
  });
  const prior = line(axes, [], { class: "line grey dotted" });
  const truth = line(axes, [], { class: "line ink" });
  const moved = line(axes, [], { class: "line orange dashed" });
  prior.set(linspace(...MU_RANGE, 121).map((z) => [z, Math.exp(logNormal(z))]));
  const bars = natsBars();
  const image = pixels(state.image_shape, { label: "The image x", size: 64 });
  panel(frame, "solid: posterior p(z|x); dashed: q(z); dotted: prior p(z)", axes.box).classList.add("wide");
  const right = panel(frame, "", bars.face);
  right.classList.add("wide");
  const picture = captioned(image, "x");

  let [mu, sigma] = state.q[0];
  const point = handle(frame, axes, {
    x: mu,
    y: 0,
    label: "The mean of q",
    step: 0.02,
    free: "x",
    text: ({ x }) => `μ ${x.toFixed(2)}`,
    onMove: ({ x }) => setQ(x, sigma),
  });
  const muSlider = slider(frame, {
    label: "μ",
    min: MU_RANGE[0],
    max: MU_RANGE[1],
    step: 0.01,
    value: mu,
    onInput: (value) => setQ(value, sigma),
  });
  const sigmaSlider = slider(frame, {
    label: "σ",
    min: Math.log(SIGMA_RANGE[0]),
    max: Math.log(SIGMA_RANGE[1]),
    step: 0.01,
    value: Math.log(sigma),
    format: (value) => Math.exp(value).toFixed(3),
    onInput: (value) => setQ(mu, Math.exp(value)),
  });
  function setQ(to_mu, to_sigma) {
    [mu, sigma] = [clamp(to_mu, ...MU_RANGE), clamp(to_sigma, ...SIGMA_RANGE)];
    point.set({ x: mu });
    muSlider.set(mu);
    sigmaSlider.set(Math.log(sigma));
    frame.request();
  }
  choice(frame, {
    label: "Image",
    options: state.names.map((name, i) => [i, name]),
    value: 0,
    onChange: (value) => {
      shown = Number(value);
      setQ(...state.q[shown]);
    },
  });
  frame.controls.append(picture.figure);
  button(frame, { label: "The encoder's q", onClick: () => setQ(...state.q[shown]) });
  button(frame, {
    label: "The best Gaussian",
    onClick: () => {
      const best = evidences[shown].bestGaussian();
      setQ(best.mu, best.sigma);
    },
  });

  frame.draw(() => {
    const { posterior, terms } = evidences[shown];
    const values = terms(mu, sigma);
    image.show(images[shown]);
    truth.set(grid.map((z, i) => [z, posterior[i]]).filter(([z]) => Math.abs(z) <= 4));
    const around = linspace(mu - 5 * sigma, mu + 5 * sigma, 101);
    moved.set(around.map((z) => [z, Math.exp(logNormal(z, mu, sigma))]));
    point.place({ x: mu });
    bars.set(values);
    const { log_px, elbo, kl_posterior, reconstruction, kl_prior } = values;
    const residual = log_px - (elbo + kl_posterior);
    frame.tell(
      `log p(x) ${nats(log_px, 3)} = ELBO ${nats(elbo, 3)} + KL(q ‖ posterior) ${nats(kl_posterior, 3)} nats: three ` +
        `integrals, each over points of its own, that disagree by ${magnitude(residual)}. ` +
        `ELBO = E log p(x|z) ${nats(reconstruction, 3)} − KL(q ‖ prior) ${nats(kl_prior, 3)}.`,
      { mu, sigma, image: shown, residual, ...values },
    );
  });
});
