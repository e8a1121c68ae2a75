// Chapter 9: the reductions of a loss, and the β and the σ that they imply.

import { button, choice, element, field, live, panel } from "./shared/frame.js";
import { svg } from "./shared/plot.js";

// perNll: how many times a negative log-likelihood, with σ = 1, the term is.
const TERMS = {
  SSE: { text: "squared error", perNll: 2, code: "error = (x - x_mean).square()", name: "error" },
  "half SSE": {
    text: "half the squared error",
    perNll: 1,
    code: "error = (x - x_mean).square() / 2",
    name: "error",
  },
  BCE: {
    text: "binary cross-entropy",
    perNll: 1,
    code: 'bce = F.binary_cross_entropy(\n    x_mean, x, reduction="none")',
    name: "bce",
  },
};
const LETTERS = { pixels: "D", latents: "L", batch: "B" };
const REDUCTIONS = [["sum", "sum"], ["mean", "mean"]];
const OWN = "own";

const productOf = (axes, sizes) => axes.reduce((total, axis) => total * sizes[axis], 1);

// a and b of a · (negative log-likelihood with σ = 1) + b · KL, both summed over their dimensions.
function coefficients({ term, over, kl_over, weight, sizes }) {
  return { a: TERMS[term].perNll / productOf(over, sizes), b: weight / productOf(kl_over, sizes) };
}

// b / a in letters, less what is in both: "w · D / (2 · L)".
function inLetters({ term, over, kl_over }) {
  const left = (axes, others) => axes.filter((axis) => !others.includes(axis)).map((axis) => LETTERS[axis]);
  const above = ["w", ...left(over, kl_over)];
  const below = left(kl_over, over);
  if (TERMS[term].perNll === 2) below.unshift("2");
  const divisor = below.length > 1 ? `(${below.join(" · ")})` : below[0];
  return above.join(" · ") + (below.length ? ` / ${divisor}` : "");
}

// The loss as it would stand in a training script; kl has a value for each example and latent.
function inCode({ term, over, kl_over, weight, sizes }) {
  const reduced = (name, dimensions, axes) => {
    const [inner, outer] = [axes.includes(dimensions), axes.includes("batch")];
    if (inner === outer) return inner ? `${name}.mean()` : `${name}.sum()`;
    return inner ? `${name}.mean(-1).sum()` : `${name}.sum(-1).mean()`;
  };
  const kl = reduced("kl", "latents", kl_over) + (kl_over.includes("pixels") ? ` / ${sizes.pixels}` : "");
  const { code, name } = TERMS[term];
  const scale = weight === 1 ? "" : `${weight} * `;
  return `${code}\nloss = (\n    ${reduced(name, "pixels", over)}\n    + ${scale}${kl}\n)`;
}

const powerOfTen = (power) =>
  `10${[...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;

// Three digits, with a power of ten where there would be many noughts.
function threeDigits(value) {
  if (value === 0 || (value >= 0.001 && value < 1e6)) {
    return value.toLocaleString("en", { maximumSignificantDigits: Math.max(3, Math.ceil(Math.log10(value + 1))) });
  }
  const [mantissa, power] = value.toExponential(2).split("e");
  return Number(mantissa) === 1 ? powerOfTen(power) : `${Number(mantissa)} · ${powerOfTen(power)}`;
}

// b / a on a logarithmic axis, with the places where a loss of this kind ends up, at weight 1, if
// one of its terms is averaged over D, L or B and the other isn't.
function ratioAxis() {
  const [width, left, right, base] = [340, 14, 326, 150];
  const face = svg("svg", { viewBox: `0 0 ${width} 232`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the words below say it
  const set = ({ ratio, perNll, isBce, sizes: { pixels, latents, batch } }) => {
    const far = ratio > 0 ? Math.abs(Math.log10(ratio)) : 0;
    const reach = Math.ceil(Math.max(Math.log10(Math.max(pixels, latents, batch, 100)), far) + 1);
    const px = (value) => left + ((Math.log10(value) + reach) / (2 * reach)) * (right - left);
    const parts = [];
    const text = (x, y, words, kind) => parts.push(svg("text", { x, y, class: kind }, words));
    const upright = (value, from, to, kind) =>
      parts.push(svg("path", { d: `M${px(value)},${from}V${to}`, class: kind }));
    const axis = (y, decades, place, name) => {
      parts.push(svg("path", { d: `M${left},${y}H${right}`, class: "axis" }));
      const step = Math.ceil(decades / 4);
      for (let power = -step * Math.floor(decades / step); power <= decades; power += step) {
        upright(place(10 ** power), y, y + 4, "axis");
        const value = Math.abs(power) > 2 ? powerOfTen(power) : threeDigits(10 ** power);
        text(px(place(10 ** power)), y + 17, value, "tick middle");
      }
      text((left + right) / 2, y + 34, name, "label middle");
    };

    if (!isBce) {
      const [x, to] = [px(0.05 ** 2), px(0.3 ** 2)];
      parts.push(svg("rect", { x, y: 30, width: to - x, height: base - 30, class: "band" }));
      text(to - 2, base - 6, "σ 0.05 to 0.3", "tick end halo");
      axis(base + 42, Math.floor(reach / 2), (sigma) => sigma ** 2, "σ");
    }
    axis(base, reach, (value) => value, isBce ? "b/a = β" : "b/a = σ²");
    const both = 1 / perNll;
    upright(both, 30, base, "line grey");
    text(px(both) + 4, base - 6, "both alike", "tick halo");
    const named = (above, below) => {
      const divisor = (perNll === 2 ? "2" : "") + below;
      return divisor ? `${above || "1"}/${divisor}` : above;
    };
    [[pixels, "D", ""], [latents, "L", ""], [batch, "B", ""], [pixels / latents, "D", "L"]].forEach(
      ([value, above, below], row) => {
        const y = 48 + 22 * row;
        const mark = (at, words, toTheRight) => {
          upright(at, y - 10, y + 3, "line blue");
          text(px(at) + (toTheRight ? 4 : -4), y, words, toTheRight ? "tick halo" : "tick end halo");
        };
        mark(both * value, named(above, below), value >= 1);
        mark(both / value, named(below, above), value < 1);
      },
    );
    if (ratio > 0) {
      upright(ratio, 22, base, "line red");
      parts.push(svg("path", { d: `M${px(ratio)},28l-6,-10h12z`, class: "fill-red" }));
      const at = Math.min(Math.max(px(ratio), 40), width - 40);
      text(at, 13, isBce ? `β = ${threeDigits(ratio)}` : `σ² = ${threeDigits(ratio)}`, "middle");
    }
    face.replaceChildren(...parts);
  };
  return { face, set };
}

// What is wrong with the numbers, as [field, sentence], or nothing.
function faultIn({ weight, sizes, claimed }) {
  const wrong = Object.keys(LETTERS).find((axis) => !(sizes[axis] >= 1 && Number.isInteger(sizes[axis])));
  if (wrong) return [wrong, `The number ${LETTERS[wrong]} (${wrong}) must be a whole number, 1 or more.`];
  if (!(weight >= 0 && weight < Infinity)) return ["weight", "The weight w must be a number, 0 or more."];
  return claimed > 0 ? [] : ["claimed", "The claimed σ must be a number above 0."];
}

function inWords(loss, ratio) {
  const value = `b/a = ${inLetters(loss)} = ${threeDigits(ratio)}. `;
  if (ratio === 0) return `${value}Without its KL this is an autoencoder's loss, and no ELBO.`;
  if (loss.term === "BCE") {
    const plain = Math.abs(ratio - 1) < 1e-6;
    return (
      `${value}Up to a factor, this is minus ${plain ? "the ELBO" : `the objective of a β-VAE with β = ${threeDigits(ratio)}`}: ` +
      `a nat of KL must buy ${threeDigits(ratio)} ${plain ? "nat" : "nats"} of log p(x|z).`
    );
  }
  const { pixels } = loss.sizes;
  const never =
    ratio >= pixels / 4
      ? ` That never pays, for any data in [0, 1], unless σ² is below D/4 = ${threeDigits(pixels / 4)}: the best KL is 0.`
      : "";
  return (
    `${value}Up to a factor and a constant, this is minus the ELBO with σ = ${threeDigits(Math.sqrt(ratio))} on data ` +
    `in [0, 1]; or, for a claimed σ of ${threeDigits(loss.claimed)}, with β = ${threeDigits(ratio / loss.claimed ** 2)}. ` +
    `A nat of KL must save ${threeDigits(2 * ratio)} of squared error, and an image with white for black in all its ` +
    `pixels has ${threeDigits(pixels)}.${never}`
  );
}

export default live((frame, state) => {
  if (!state.losses?.length) throw new Error("the losses to choose from are missing in its state");
  const form = element("div", { class: "vae-live-form" });
  panel(frame, "", form).classList.add("wide");
  const code = element("pre", { class: "vae-live-code" });
  const axis = ratioAxis();
  panel(frame, "The loss, in code", code, axis.face).classList.add("wide");

  const changed = () => {
    preset.value = OWN;
    frame.request();
  };
  const group = (title) => {
    const made = element("fieldset", {}, element("legend", {}, title));
    form.append(made);
    return made;
  };
  const select = (parent, label, options) =>
    choice(frame, { label, options, value: options[0][0], parent, onChange: changed }).select;
  const number = (parent, label, whole) => {
    const limits = whole ? { min: 1, step: 1 } : { min: 0, step: "any" };
    return field(frame, { label, ...limits, value: 1, parent, onInput: changed }).input;
  };

  const preset = choice(frame, {
    label: "A loss",
    options: [...state.losses.map(({ name }, i) => [String(i), name]), [OWN, "one of your own"]],
    value: "0",
    parent: form,
    onChange: (value) => {
      if (value !== OWN) fill(state.losses[Number(value)]);
      frame.request();
    },
  }).select;
  const reconstruction = group("Reconstruction");
  const term = select(reconstruction, "term", Object.entries(TERMS).map(([key, { text }]) => [key, text]));
  const claimed = number(reconstruction, "σ claimed");
  const over = {
    pixels: select(reconstruction, "over pixels", REDUCTIONS),
    batch: select(reconstruction, "over the batch", REDUCTIONS),
  };
  const divergence = group("KL");
  const weight = number(divergence, "weight w");
  const kl_over = {
    latents: select(divergence, "over latents", REDUCTIONS),
    batch: select(divergence, "over the batch", REDUCTIONS),
    pixels: select(divergence, "and then", [["sum", "as it is"], ["mean", "divided by D"]]),
  };
  const measures = group("Sizes");
  const sizes = {
    pixels: number(measures, "pixels D", true),
    latents: number(measures, "latents L", true),
    batch: number(measures, "batch B", true),
  };
  const numbers = { weight, claimed, ...sizes };

  const reduce = (inputs, axes) => {
    for (const [axis, input] of Object.entries(inputs)) input.value = axes.includes(axis) ? "mean" : "sum";
  };
  const fill = (loss) => {
    term.value = loss.term;
    reduce(over, loss.over);
    reduce(kl_over, loss.kl_over);
    weight.value = loss.weight;
    for (const [axis, input] of Object.entries(sizes)) input.value = loss.sizes[axis];
  };
  const averaged = (inputs) => Object.keys(inputs).filter((axis) => inputs[axis].value === "mean");
  const chosen = () => ({
    term: term.value,
    over: averaged(over),
    kl_over: averaged(kl_over),
    weight: weight.valueAsNumber,
    sizes: Object.fromEntries(Object.entries(sizes).map(([axis, input]) => [axis, input.valueAsNumber])),
    claimed: term.value === "BCE" ? 1 : claimed.valueAsNumber,
  });
  button(frame, {
    label: "Sum both terms, average over the batch",
    onClick: () => {
      reduce(over, ["batch"]);
      reduce(kl_over, ["batch"]);
      weight.value = 1;
      changed();
    },
  });
  button(frame, {
    label: "Choose w so that β = 1",
    onClick: () => {
      const loss = { ...chosen(), weight: 1 };
      if (faultIn(loss).length) return;
      const { a, b } = coefficients(loss);
      weight.value = Number(((loss.claimed ** 2 * a) / b).toPrecision(9));
      changed();
    },
  });

  fill(state.losses[0]);
  frame.draw(() => {
    const loss = chosen();
    claimed.disabled = loss.term === "BCE";
    const [wrong, fault] = faultIn(loss);
    for (const [name, input] of Object.entries(numbers)) input.setAttribute("aria-invalid", String(name === wrong));
    if (fault) {
      code.textContent = "";
      axis.face.replaceChildren();
      frame.tell(fault, { ...loss, preset: preset.value, ratio: null });
      return;
    }
    const { a, b } = coefficients(loss);
    const [ratio, isBce] = [b / a, loss.term === "BCE"];
    code.textContent = inCode(loss);
    axis.set({ ratio, perNll: TERMS[loss.term].perNll, isBce, sizes: loss.sizes });
    frame.tell(inWords(loss, ratio), {
      ...loss,
      preset: preset.value,
      a,
      b,
      ratio,
      beta: ratio / loss.claimed ** 2,
      sigma: isBce ? null : Math.sqrt(ratio),
      letters: inLetters(loss),
      code: code.textContent,
    });
  });
});
