// How a figure stands in its card: what is touched, and beside it what that changes.

import { button } from "./controls.js";
import { element } from "./frame.js";

// The plot with a column beside it, which is returned. On a phone the column is below, and the plot
// stays in view while it is scrolled.
export function split(frame, plotbox) {
  const side = element("div", { class: "vae-live-side" });
  const main = element("div", { class: "vae-live-main" }, plotbox);
  const both = element("div", { class: "vae-live-split" }, main, side);
  frame.stage.append(element("div", { class: "vae-live-split-box" }, both));
  return side;
}

// Where what is moved most stands: below plot and column, or where there is one column only, between
// them. The frame's own controls follow below all, while the plot stays in view.
export function controlsBetween(frame, side) {
  const between = element("div", { class: "vae-live-controls between" });
  frame.controls.classList.add("after");
  side.parentNode.append(between, frame.controls);
  return between;
}

// Both in the column, where nothing else stands in it.
export function controlsBeside(frame, side) {
  const between = element("div", { class: "vae-live-controls" });
  side.append(between, frame.controls);
  return between;
}

// The frame's controls under the plot, beside the column.
export function controlsUnder(frame, side) {
  frame.controls.classList.add("under");
  side.parentNode.append(frame.controls);
}

export const pictureRow = (pictures) =>
  element("div", { class: "vae-live-three" }, ...pictures.map(({ figure }) => figure));

// A sum, term by term, above its curves: [[text, kind, sign], ...], each term underlined as its curve
// is drawn, the sign before it. set([value, ...]) writes the numbers over the texts. Without a sign
// it is the key to a plot. Screen readers have the sentence below.
export function sumOf(terms) {
  const numbers = terms.map(() => element("span", { class: "number" }));
  const row = element("div", { class: "vae-live-sum", "aria-hidden": "true" });
  terms.forEach(([text, kind, sign], i) => {
    if (sign) row.append(element("span", {}, sign));
    row.append(element("span", { class: `term ${kind}` }, numbers[i], element("span", {}, text)));
  });
  const set = (values) => values.forEach((value, i) => (numbers[i].textContent = value));
  return { row, set };
}

// Parts of which one is shown, [[name, element], ...], below a row of buttons to choose it by; returns the row.
// The others keep their room, so that nothing below moves.
export function oneOf(frame, parent, parts, onChange) {
  const row = element("div", { class: "vae-live-modes", role: "group", "aria-label": "What to do" });
  parent.append(row, element("div", { class: "vae-live-stack" }, ...parts.map(([, part]) => part)));
  const choose = (chosen) =>
    parts.forEach(([, part], i) => {
      part.classList.toggle("away", i !== chosen);
      buttons[i].setAttribute("aria-pressed", String(i === chosen));
    });
  const onClick = (i) => () => {
    choose(i);
    onChange(i);
  };
  const buttons = parts.map(([label], i) => button(frame, { label, pressed: false, parent: row, onClick: onClick(i) }));
  choose(0);
  return row;
}
