// The axis of b / a, on which losses can be told apart.

import { clamp } from "../shared/maths.js";
import { halfWidth } from "../shared/names.js";
import { svg } from "../shared/plot.js";
import { powerOfTen, threeDigits } from "./loss.js";

// b / a on a logarithmic axis, with the places where a loss of this kind ends up, at weight 1, if
// one of its terms is averaged over D, L or B and the other isn't.
export function ratioAxis() {
  const [width, left, right, base] = [300, 14, 286, 150];
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
      const words = isBce
        ? `β = ${threeDigits(ratio)}`
        : `σ² = ${threeDigits(ratio)}, σ = ${threeDigits(Math.sqrt(ratio))}`;
      const half = halfWidth(words) + 3;
      text(clamp(px(ratio), half, width - half), 13, words, "name middle in-ink");
      parts.unshift(svg("path", { d: `M${px(ratio)},22V${base}`, class: "line red" })); // below the words
      parts.push(svg("path", { d: `M${px(ratio)},28l-6,-10h12z`, class: "fill-red" }));
    }
    face.replaceChildren(...parts);
  };
  return { face, set };
}
