// Pictures made of pixels: ink of the theme's text colour on the page's own paper.

import { element } from "./frame.js";

// The text colour, [red, green, blue], that the theme gives an element.
export function inkOf(node) {
  const numbers = getComputedStyle(node).color.match(/[\d.]+/g);
  return numbers ? numbers.slice(0, 3).map(Number) : [0, 0, 0];
}

// A canvas for images of [height, width] pixels; .show(values, [low, high]) paints one, low as
// paper and high as ink. A photograph is given as [high, low], and is bright where it was bright in
// either theme. `label` says what it shows; without one it is left out for screen readers.
export function pixels([height, width], { label, size } = {}) {
  const canvas = element("canvas", { width, height, class: "vae-live-image" });
  if (label) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  } else canvas.setAttribute("aria-hidden", "true");
  if (size) canvas.style.width = `${size}px`;
  const context = canvas.getContext("2d");
  const sheet = context.createImageData(width, height);
  const { data } = sheet;
  const show = (values, [low, high] = [0, 1]) => {
    const [red, green, blue] = inkOf(canvas);
    for (let i = 0, k = 0; i < width * height; i++, k += 4) {
      const ink = Math.min(Math.max((values[i] - low) / (high - low), 0), 1);
      const light = 255 * (1 - ink);
      const is_photograph = low > high;
      data[k] = is_photograph ? light : red;
      data[k + 1] = is_photograph ? light : green;
      data[k + 2] = is_photograph ? light : blue;
      data[k + 3] = is_photograph ? 255 : 255 * ink;
    }
    context.putImageData(sheet, 0, 0);
  };
  return { canvas, show };
}

// A pixel picture with a caption under it.
export function captioned(image, caption) {
  // Not figure and figcaption, which themes give margins and colours of their own.
  const text = element("div", { class: "vae-live-caption" }, caption);
  const figure = element("div", { class: "vae-live-figure" }, image.canvas, text);
  return { figure, caption: text };
}
