// One bar in nats: the rate, and the distortion after it.

import { svg, tickText, ticks } from "../shared/plot.js";

const [WIDE, HIGH, FROM, TO] = [340, 62, 8, 332];

// { face, set }: the axis reaches as far as the largest of the sums.
export function sumBar(totals) {
  const face = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the numbers are in the text below
  const high = 1.04 * Math.max(...totals);
  const px = (nats) => FROM + (nats / high) * (TO - FROM);
  const part = (kind) => svg("rect", { y: 6, height: 22, class: `bar ${kind}` });
  const [rate_part, distortion_part] = [part("fill-blue"), part("fill-orange")];
  const axis = svg("path", { d: `M${FROM},34H${TO}`, class: "axis" });
  face.append(axis, rate_part, distortion_part);
  for (const tick of ticks(0, high, 6)) {
    face.append(svg("path", { d: `M${px(tick)},34v4`, class: "axis" }));
    face.append(svg("text", { x: px(tick), y: 52, class: tick ? "tick middle" : "tick" }, tick ? tickText(tick) : "0 nats"));
  }
  const span = (rect, from, to) => {
    rect.setAttribute("x", px(from));
    rect.setAttribute("width", Math.max(px(to) - px(from), 0));
  };
  const set = ({ rate, total }) => {
    span(rate_part, 0, rate);
    span(distortion_part, rate, total);
  };
  return { face, set };
}
