// Three rows of bars over an axis in nats: log p(x), ELBO + KL, and the two terms of the ELBO.

import { svg, tickText, ticks } from "../shared/plot.js";

const [WIDTH, HEIGHT, LEFT, RIGHT] = [340, 236, 16, 324];
const ROWS = [16, 82, 148];

export const nats = (value, places) => value.toFixed(places).replace("-", "−");

// { face, set }: the range of the axis follows the values.
export function natsBars() {
  const face = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "vae-live-plot" });
  face.setAttribute("aria-hidden", "true"); // the numbers are in the text below
  const bar = (row, kind) => {
    const made = svg("rect", { y: ROWS[row] + 20, height: 24, class: `bar ${kind}` });
    face.append(made);
    return made;
  };
  const labels = ROWS.map((y) => svg("text", { x: LEFT, y: y + 13, class: "halo" }));
  const evidence = bar(0, "fill-ink");
  const [bound, gap] = [bar(1, "fill-blue"), bar(1, "fill-orange dashed")];
  const [reconstruction, price] = [bar(2, "fill-green"), bar(2, "hollow dashed")];
  const level = svg("path", { class: "line ink dotted" });
  const axis = natsAxis();
  face.append(level, axis.group, ...labels);

  const set = ({ log_px, reconstruction: recon, kl_prior, elbo, kl_posterior }) => {
    labels[0].textContent = `log p(x) ${nats(log_px, 2)}`;
    labels[1].textContent = `= ELBO ${nats(elbo, 2)} + KL(q ‖ posterior) ${nats(kl_posterior, 2)}`;
    labels[2].textContent = `ELBO = E log p(x|z) ${nats(recon, 2)} − KL(q ‖ prior) ${nats(kl_prior, 2)}`;
    const low = 5 * Math.floor((Math.min(elbo, log_px - 8) - 2) / 5);
    const high = 5 * Math.ceil((Math.max(recon, log_px) + 2) / 5);
    const px = (v) => LEFT + ((v - low) / (high - low)) * (RIGHT - LEFT);
    const span = (rect, from, to) => {
      rect.setAttribute("x", px(Math.min(from, to)));
      rect.setAttribute("width", Math.max(0, Math.abs(px(to) - px(from))));
    };
    span(evidence, low, log_px);
    span(bound, low, elbo);
    span(gap, elbo, elbo + kl_posterior);
    span(reconstruction, low, recon);
    span(price, elbo, recon);
    const x = px(log_px); // of the level, which leaves out the words between the first two bars
    level.setAttribute("d", `M${x},${ROWS[0] + 16}V${ROWS[1]}M${x},${ROWS[1] + 16}v32`);
    axis.set(low, high, px);
  };
  return { face, set };
}

// The axis below the bars, drawn again only when its range has changed.
function natsAxis() {
  const group = svg("g", { class: "axes" });
  let shown = "";
  const set = (low, high, px) => {
    if (shown === `${low} ${high}`) return;
    shown = `${low} ${high}`;
    group.replaceChildren(svg("path", { d: `M${LEFT},202H${RIGHT}`, class: "axis" }));
    for (const tick of ticks(low, high, 5)) {
      group.append(svg("path", { d: `M${px(tick)},202v4`, class: "axis" }));
      group.append(svg("text", { x: px(tick), y: 218, class: "tick middle" }, tickText(tick)));
    }
    group.append(svg("text", { x: (LEFT + RIGHT) / 2, y: 234, class: "label middle" }, "nats"));
  };
  return { group, set };
}
