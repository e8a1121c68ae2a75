// The chosen label in the chosen style, large, and a button for each label that shows it small.

import { button } from "../shared/controls.js";
import { element, write } from "../shared/frame.js";
import { captioned, pixels } from "../shared/image.js";
import { pictureRow } from "../shared/layout.js";

// { box, show }: show(digits, real, real_label) paints the digits of all labels, and the real one that
// is nearest to the chosen label's.
export function makeStyles(frame, { image_shape, n_classes }, now) {
  const picture = (label, caption) => {
    const image = pixels(image_shape, { label });
    return { show: image.show, ...captioned(image, caption) };
  };
  const chosen = picture("The mean of p(x|z, y)", "");
  const nearest = picture("The nearest real digit", "");
  const row = element("div", { class: "vae-live-labels", role: "group", "aria-label": "The label y" });
  row.style.setProperty("--strip", n_classes);
  const small = Array.from({ length: n_classes }, (_, label) => {
    const onClick = () => {
      now.label = label;
      frame.request();
    };
    const made = button(frame, { label: String(label), pressed: false, onClick, parent: row });
    const image = pixels(image_shape);
    made.classList.add(`class-${label}`);
    made.prepend(image.canvas);
    return { made, show: image.show };
  });
  const box = element("div", { class: "vae-live-styles" }, pictureRow([chosen, nearest]), row);
  const show = (digits, real, real_label) => {
    small.forEach((one, label) => {
      one.show(digits[label]);
      one.made.setAttribute("aria-pressed", String(label === now.label));
    });
    chosen.show(digits[now.label]);
    nearest.show(real);
    write(chosen.caption, `mean of p(x\u00a0|\u00a0z, y\u00a0=\u00a0${now.label})`);
    write(nearest.caption, `nearest real digit, a\u00a0${real_label}`);
  };
  return { box, show };
}
