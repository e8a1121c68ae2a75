// A loss by its reductions: its two coefficients, in letters, in code and in words.

// perNll: how many times a negative log-likelihood, with σ = 1, the term is.
export const TERMS = {
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
export const LETTERS = { pixels: "D", latents: "L", batch: "B" };

const productOf = (axes, sizes) => axes.reduce((total, axis) => total * sizes[axis], 1);

// a and b of a · (negative log-likelihood with σ = 1) + b · KL, both summed over their dimensions.
export function coefficients({ term, over, kl_over, weight, sizes }) {
  return { a: TERMS[term].perNll / productOf(over, sizes), b: weight / productOf(kl_over, sizes) };
}

// b / a in letters, less what is in both: "w · D / (2 · L)".
export function inLetters({ term, over, kl_over }) {
  const left = (axes, others) => axes.filter((axis) => !others.includes(axis)).map((axis) => LETTERS[axis]);
  const above = ["w", ...left(over, kl_over)];
  const below = left(kl_over, over);
  if (TERMS[term].perNll === 2) below.unshift("2");
  const divisor = below.length > 1 ? `(${below.join(" · ")})` : below[0];
  return above.join(" · ") + (below.length ? ` / ${divisor}` : "");
}

// The loss as it would stand in a training script; kl has a value for each example and latent.
export function inCode({ term, over, kl_over, weight, sizes }) {
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

export const powerOfTen = (power) =>
  `10${[...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;

// Three digits, with a power of ten where there would be many noughts.
export function threeDigits(value) {
  if (value === 0 || (value >= 0.001 && value < 1e6)) {
    return value.toLocaleString("en", { maximumSignificantDigits: Math.max(3, Math.ceil(Math.log10(value + 1))) });
  }
  const [mantissa, power] = value.toExponential(2).split("e");
  return Number(mantissa) === 1 ? powerOfTen(power) : `${Number(mantissa)} · ${powerOfTen(power)}`;
}

// What is wrong with the numbers, as [field, sentence], or nothing.
export function faultIn({ weight, sizes, claimed }) {
  const wrong = Object.keys(LETTERS).find((axis) => !(sizes[axis] >= 1 && Number.isInteger(sizes[axis])));
  if (wrong) return [wrong, `The number ${LETTERS[wrong]} (${wrong}) must be a whole number, 1 or more.`];
  if (!(weight >= 0 && weight < Infinity)) return ["weight", "The weight w must be a number, 0 or more."];
  return claimed > 0 ? [] : ["claimed", "The claimed σ must be a number above 0."];
}

export function inWords(loss, ratio) {
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
