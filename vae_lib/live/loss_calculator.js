// Chapter 9: the beta and the sigma that a pair of reductions implies.

import { button, choice, element, field, live, panel } from "./shared/frame.js";
import { clamp } from "./shared/maths.js";
import { svg } from "./shared/plot.js";

const TERMS = [
  ["SSE", "squared error"],
  ["half SSE", "half the squared error"],
  ["BCE", "binary cross-entropy"],
];
const OVERS = [
  ["", "summed over everything"],
  ["batch", "mean over the batch, sum over pixels"],
  ["pixels", "sum over the batch, mean over pixels"],
  ["batch pixels", "mean over everything"],
];
const KL_OVERS = [
  ["", "summed over everything"],
  ["batch", "mean over the batch, sum over latents"],
  ["latents", "sum over the batch, mean over latents"],
  ["batch latents", "mean over everything"],
  ["batch pixels", "sum, divided by batch and pixels"],
];
const COEFFICIENT = { SSE: 2, "half SSE": 1, BCE: 1 }; // of half a squared error, or of a nat

// b / a of a loss a · reconstruction + b · KL: its beta if the term is a negative log-likelihood,
// its sigma² if it is a squared error.
function impliedRatio({ term, over, kl_over, weight, pixels, latents, batch }) {
  const size = { pixels, latents, batch };
  const divisor = (axes) => axes.split(" ").reduce((n, axis) => n * (size[axis] ?? 1), 1);
  return (weight / divisor(kl_over)) / (COEFFICIENT[term] / divisor(over));
}

// A number as text with three digits, without an exponent where that can be.
function short(value) {
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power < -4 || power > 6) {
    const mantissa = (value / 10 ** power).toPrecision(3);
    return `${mantissa} × 10^${power}`.replaceAll("-", "−");
  }
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

// Beta, or sigma², on a logarithmic axis, with what it would be for other habits.
function scale() {
  const [width, left, right, low, high] = [340, 14, 326, -6, 6];
  const px = (value) => left + ((clamp(Math.log10(value), low, high) - low) / (high - low)) * (right - left);
  const face = svg("svg", { viewBox: `0 0 ${width} 118`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the words below say it
  const [band, landmarks] = [svg("g"), svg("g")];
  const pointer = svg("path", { class: "fill-red", d: "M0,44l-7,-14h14z" });
  const label = svg("text", { class: "middle", y: 22 });
  const name = svg("text", { class: "label middle", x: width / 2, y: 114 });
  face.append(band, svg("path", { d: `M${left},46H${right}`, class: "axis" }));
  for (let power = low; power <= high; power++) {
    const x = px(10 ** power);
    face.append(svg("path", { d: `M${x},46v${power % 3 ? 3 : 6}`, class: "axis" }));
    const text = { "-6": "10⁻⁶", "-3": "0.001", 0: "1", 3: "1000", 6: "10⁶" }[power];
    if (text) face.append(svg("text", { x, y: 64, class: "tick middle" }, text));
  }
  face.append(landmarks, pointer, label, name);
  const set = (ratio, isError, { pixels, latents }) => {
    const x = px(ratio);
    pointer.setAttribute("transform", `translate(${x},0)`);
    label.setAttribute("x", clamp(x, 40, width - 40));
    label.textContent = isError ? `σ² = ${short(ratio)}` : `β = ${short(ratio)}`;
    name.textContent = isError ? "implied σ²; the bracket: errors of 0.05 to 0.3" : "implied β";
    band.replaceChildren();
    if (isError) {
      // Errors of 0.05 to 0.3 a pixel, as trained models make them on data in [0, 1].
      const [from, to] = [px(0.05 ** 2), px(0.3 ** 2)];
      for (const at of [from, to]) band.append(svg("path", { d: `M${at},34V46`, class: "line green" }));
      band.append(svg("path", { d: `M${from},46H${to}`, class: "line green thick" }));
    }
    const marks = isError
      ? [["D/2", pixels / 2], ["1/2", 1 / 2]]
      : [["1/D", 1 / pixels], ["1", 1], ["D", pixels]];
    if (latents > 1) marks.push(isError ? ["D/2L", pixels / 2 / latents] : ["D/L", pixels / latents]);
    marks.sort((one, other) => one[1] - other[1]);
    let last = -Infinity;
    landmarks.replaceChildren();
    for (const [text, value] of marks) {
      const at = px(value);
      const lower = at - last < 26;
      last = at;
      landmarks.append(svg("path", { d: `M${at},68V${lower ? 84 : 73}`, class: "line grey dotted" }));
      landmarks.append(svg("text", { x: at, y: lower ? 97 : 86, class: "tick middle" }, text));
    }
  };
  return { face, set };
}

const words = (setting, ratio) => {
  const { term, pixels } = setting;
  if (term === "BCE") {
    const law =
      Math.abs(ratio - 1) < 1e-9
        ? "This is minus the ELBO, up to a factor."
        : "This is minus the ELBO with its KL term weighed by β, up to a factor.";
    return `${law} β = ${short(ratio)}: a nat of KL has to buy ${short(ratio)} nats of log-likelihood.`;
  }
  const sigma = Math.sqrt(ratio);
  const size = sigma > 0.5 ? " That is more than half of the way from black to white." : "";
  const total = short(2 * ratio);
  return (
    `This is minus the ELBO of a Gaussian decoder with σ = ${short(sigma)} (σ² = ${short(ratio)}) on data in ` +
    `[0, 1], up to a factor and a constant.${size} A nat of KL has to save a squared error of ${total}, ` +
    `summed over the ${pixels.toLocaleString("en")} pixels. Had the code a σ of 0.1 in mind, this would be β = ${short(ratio / 0.01)}.`
  );
};

export default live((frame, state) => {
  const presets = state.presets;
  if (!presets?.length) throw new Error("there are no losses to begin with in the figure's state");
  const setting = { ...presets[0] };
  const inputs = [];
  const column = element("div", { class: "vae-live-form" });
  const bind = (input, key) => inputs.push({ key, input });
  const update = (key, value) => {
    setting[key] = value;
    frame.request();
  };
  const list = (key, label, options) => {
    const onChange = (value) => update(key, value);
    bind(choice(frame, { label, options, value: setting[key], onChange, parent: column }).select, key);
  };
  const number = (key, label, whole) => {
    const limits = whole ? { min: 1, step: 1 } : { min: 0, step: "any" };
    const onInput = (value) => update(key, value);
    bind(field(frame, { label, ...limits, value: setting[key], onInput, parent: column }).input, key);
  };
  const load = (i) => {
    Object.assign(setting, presets[i]);
    for (const { key, input } of inputs) input.value = setting[key];
    frame.request();
  };
  const options = presets.map(({ name }, i) => [i, name]);
  choice(frame, { label: "A loss from the table", options, value: 0, onChange: load, parent: column });
  list("term", "Reconstruction", TERMS);
  list("over", "It is", OVERS);
  list("kl_over", "The KL is", KL_OVERS);
  number("weight", "KL weight", false);
  number("pixels", "Pixels D", true);
  number("latents", "Latents L", true);
  number("batch", "Batch B", true);
  const axis = scale();
  panel(frame, "", column).classList.add("wide");
  const right = panel(frame, "", axis.face);
  right.classList.add("wide");
  button(frame, {
    label: "Sum both terms, average over the batch",
    onClick: () => {
      Object.assign(setting, { over: "batch", kl_over: "batch", weight: 1 });
      for (const { key, input } of inputs) input.value = setting[key];
      frame.request();
    },
  });

  frame.draw(() => {
    const bad = ["weight", "pixels", "latents", "batch"].find((key) => !(setting[key] > 0));
    if (bad) {
      frame.tell(`The ${bad} must be a number above 0.`, { ...setting, ratio: null });
      return;
    }
    const ratio = impliedRatio(setting);
    axis.set(ratio, setting.term !== "BCE", setting);
    frame.tell(words(setting, ratio), { ...setting, ratio });
  });
});
