// A real digit to be erased, what is filled in, and how likely each label then is.

import { imageOptions } from "../shared/classes.js";
import { button, choice } from "../shared/controls.js";
import { element } from "../shared/frame.js";
import { captioned, pixels } from "../shared/image.js";
import { unpack, unpackRows } from "../shared/network.js";
import { eraser } from "./eraser.js";
import { labelBars, percent } from "./label_bars.js";

export function makeGaps(frame, state) {
  const { image_shape: [height, width], n_classes } = state;
  const images = unpackRows(state.x).map((image) => Float64Array.from(image, (value) => value / state.x.steps));
  const labels = unpack(state.labels);
  const now = { image: state.erased.image };
  const lower = Uint8Array.from(images[0], (_, d) => Number(d >= state.erased.rows * width));
  const pad = eraser(frame, { shape: [height, width], label: "Erase pixels", erased: lower, onChange: frame.request });
  const filled = pixels([height, width], { label: "The digit with its gaps filled in by their means" });
  const whole = pixels([height, width], { label: "The whole real digit" });
  const bars = labelBars(n_classes);
  const pictures = [captioned(pad, "erase here"), captioned(filled, "filled in"), captioned(whole, "the original")];
  const row = element("div", { class: "vae-live-gaps" }, ...pictures.map(({ figure }) => figure));
  const controls = element("div", { class: "vae-live-controls close" });
  const onChange = (value) => {
    now.image = Number(value);
    frame.request();
  };
  choice(frame, { label: "a real", options: imageOptions(labels), value: String(now.image), onChange, parent: controls });
  button(frame, { label: "Lower half", onClick: () => pad.erase(lower), parent: controls });
  button(frame, { label: "Restore", onClick: () => pad.erase(null), parent: controls });
  return {
    box: element("div", {}, row, bars.face, controls),
    x: () => images[now.image],
    erased: () => pad.erased,
    show: ({ p_y, x_mean }) => {
      pad.show(images[now.image]);
      filled.show(x_mean);
      whole.show(images[now.image]);
      bars.set(p_y);
    },
    told: () => ({ image: now.image, erased: Array.from(pad.erased) }),
    saying: (found) => inWords(found, height * width, labels[now.image]),
  };
}

function inWords({ p_y, n_gaps }, n_pixels, label) {
  const order = Array.from(p_y, (p, y) => [p, y]).sort((a, b) => b[0] - a[0]);
  const likely = order.filter(([p], i) => i === 0 || p >= 0.05).slice(0, 3);
  const named = likely.map(([p, y]) => `${y} with ${percent(p)}`).join(", ");
  const said = n_gaps < n_pixels ? `By what is left, its label is ${named}` : `With nothing left, each label has ${percent(p_y[0])}`;
  const cloud = "The cloud on the plane is its style, as far as that is known.";
  return `${n_gaps} of ${n_pixels} pixels of a real ${label} are erased. ${said}. ${cloud}`;
}
