// What a reader moves: ranges, buttons, lists and numbers, below the figure or in a part of it.

import { element, freshId } from "./frame.js";

const twoPlaces = (value) => value.toFixed(2).replace("-", "−");

// A labelled range with its value; onInput gets the number. Set it with .set(value).
export function slider(frame, options) {
  const { label, min, max, step, value, format = twoPlaces, onInput, parent = frame.controls } = options;
  const id = freshId();
  const input = element("input", { type: "range", id, min, max, step, value });
  const output = element("output", { for: id, "aria-live": "off" }); // the range says it already
  const show = () => {
    output.textContent = format(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  frame.listen(input, "input", () => {
    show();
    onInput(input.valueAsNumber);
  });
  const set = (number) => {
    input.value = number;
    show();
  };
  show();
  const row = element("div", { class: "vae-live-slider" });
  row.append(element("label", { for: id }, label), input, output);
  parent.append(row);
  return { input, set, row };
}

export function button(frame, { label, onClick, pressed, parent = frame.controls }) {
  const made = element("button", { type: "button", class: "vae-live-button" }, label);
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  frame.listen(made, "click", () => onClick(made));
  parent.append(made);
  return made;
}

// One of several: a labelled select. options: [[value, text], ...].
export function choice(frame, { label, options, value, onChange, parent = frame.controls }) {
  const id = freshId();
  const select = element("select", { id });
  for (const [key, text] of options) select.append(element("option", { value: key }, text));
  select.value = value;
  frame.listen(select, "change", () => onChange(select.value));
  const row = element("div", { class: "vae-live-choice" });
  row.append(element("label", { for: id }, label), select);
  parent.append(row);
  return { select, row };
}

// A labelled number; onInput gets it, NaN where there is none.
export function field(frame, { label, min, step, value, onInput, parent = frame.controls }) {
  const id = freshId();
  const input = element("input", { type: "number", id, min, step, value, inputmode: "decimal" });
  frame.listen(input, "input", () => onInput(input.valueAsNumber));
  const row = element("div", { class: "vae-live-field" });
  row.append(element("label", { for: id }, label), input);
  parent.append(row);
  return { input, row };
}
