// Chapter 9: the reductions of a loss, and the β and the σ that they imply.

import { ratioAxis } from "./loss_calculator/axis.js";
import { LETTERS, TERMS, coefficients, faultIn, inCode, inLetters, inWords } from "./loss_calculator/loss.js";
import { button, choice, field } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { split } from "./shared/layout.js";

const REDUCTIONS = [["sum", "sum"], ["mean", "mean"]];
const OWN = "own";

export default live((frame, state) => {
  if (!state.losses?.length) throw new Error("the losses to choose from are missing in its state");
  const place = element("div", { class: "vae-live-form" });
  const code = element("pre", { class: "vae-live-code" });
  const axis = ratioAxis();
  const readout = frame.root.querySelector(".vae-live-readout");
  const side = split(frame, element("div", { class: "vae-live-answer" }, axis.face));
  side.append(place, frame.controls);
  const title = element("p", { class: "vae-live-title" }, "The loss, in code");
  side.after(element("div", { class: "vae-live-below" }, readout, title, code));
  const form = makeForm(frame, place, state.losses);
  makeButtons(frame, form);

  form.fill(state.losses[0]);
  frame.draw(() => {
    const loss = form.chosen();
    const fault = form.check(loss);
    if (fault) {
      code.textContent = "";
      axis.face.replaceChildren();
      frame.tell(fault, { ...loss, preset: form.preset(), ratio: null });
      return;
    }
    const { a, b } = coefficients(loss);
    const [ratio, isBce] = [b / a, loss.term === "BCE"];
    code.textContent = inCode(loss);
    axis.set({ ratio, perNll: TERMS[loss.term].perNll, isBce, sizes: loss.sizes });
    frame.tell(inWords(loss, ratio), {
      ...loss,
      preset: form.preset(),
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

// The form: what is chosen in it, and ways to fill it in.
function makeForm(frame, place, losses) {
  const changed = () => {
    preset.value = OWN;
    frame.request();
  };
  const preset = choice(frame, {
    label: "A loss",
    options: [...losses.map(({ name }, i) => [String(i), name]), [OWN, "one of your own"]],
    value: "0",
    parent: place,
    onChange: (value) => {
      if (value !== OWN) fill(losses[Number(value)]);
      frame.request();
    },
  }).select;
  const { term, claimed, over, weight, kl_over, sizes } = makeInputs(frame, place, changed);
  const reduce = (axes, kl_axes, w) => {
    for (const [inputs, averaged] of [[over, axes], [kl_over, kl_axes]]) {
      for (const [axis, input] of Object.entries(inputs)) input.value = averaged.includes(axis) ? "mean" : "sum";
    }
    weight.value = w;
  };
  const fill = (loss) => {
    term.value = loss.term;
    reduce(loss.over, loss.kl_over, loss.weight);
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
  // Marks the number that is wrong, and says what is wrong with it.
  const check = (loss) => {
    claimed.disabled = loss.term === "BCE";
    const [wrong, fault] = faultIn(loss);
    for (const [name, input] of Object.entries({ weight, claimed, ...sizes })) {
      input.setAttribute("aria-invalid", String(name === wrong));
    }
    return fault;
  };
  return { weight, preset: () => preset.value, reduce, fill, chosen, check, changed };
}

// The fields, in three groups.
function makeInputs(frame, place, onChange) {
  const group = (title) => {
    const made = element("fieldset", {}, element("legend", {}, title));
    place.append(made);
    return made;
  };
  const select = (parent, label, options = REDUCTIONS) =>
    choice(frame, { label, options, value: options[0][0], parent, onChange }).select;
  const number = (parent, label, limits = { min: 0, step: "any" }) =>
    field(frame, { label, ...limits, value: 1, parent, onInput: onChange }).input;

  const reconstruction = group("Reconstruction");
  const term = select(reconstruction, "term", Object.entries(TERMS).map(([key, { text }]) => [key, text]));
  const claimed = number(reconstruction, "σ claimed");
  const over = {
    pixels: select(reconstruction, "over pixels"),
    batch: select(reconstruction, "over the batch"),
  };
  const divergence = group("KL");
  const weight = number(divergence, "weight w");
  const kl_over = {
    latents: select(divergence, "over latents"),
    batch: select(divergence, "over the batch"),
    pixels: select(divergence, "and then", [["sum", "as it is"], ["mean", "divided by D"]]),
  };
  const measures = group("Sizes");
  const names = Object.entries(LETTERS).map(([axis, letter]) => [axis, `${axis} ${letter}`]);
  const sizes = Object.fromEntries(names.map(([axis, label]) => [axis, number(measures, label, { min: 1, step: 1 })]));
  return { term, claimed, over, weight, kl_over, sizes };
}

function makeButtons(frame, form) {
  button(frame, {
    label: "Sum both, average over the batch",
    onClick: () => {
      form.reduce(["batch"], ["batch"], 1);
      form.changed();
    },
  });
  button(frame, {
    label: "Choose w so that β = 1",
    onClick: () => {
      const loss = { ...form.chosen(), weight: 1 };
      if (faultIn(loss).length) return;
      const { a, b } = coefficients(loss);
      form.weight.value = Number(((loss.claimed ** 2 * a) / b).toPrecision(9));
      form.changed();
    },
  });
}
