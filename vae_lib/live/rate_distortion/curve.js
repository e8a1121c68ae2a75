// Distortion over rate: the models as dots, and the two lines through the one that is chosen.

import { write } from "../shared/frame.js";
import { linspace } from "../shared/maths.js";
import { halfWidth } from "../shared/names.js";
import { line, plot, svg } from "../shared/plot.js";

const TOUCH = 15; // dots nearer to one another than this, in pixels, share a name
const KNOB = 9; // half of its width
const PLACES = 101; // along a line; beside each fourth of them its name might stand

export const hundredths = (value) => (Math.round(100 * value) / 100 + 0).toFixed(2).replace("-", "−");
export const betaText = (beta) => String(Number(beta.toPrecision(3)));

export function curvePlot({ betas, rates, distortions, x_range, y_range, totals: levels }, { totals }) {
  const axes = plot({
    x: x_range,
    y: y_range,
    equal: true,
    xlabel: "rate R (nats)",
    ylabel: "distortion D (nats)",
    label: "Distortion over rate, a dot for each model",
  });
  const through = ([x, y], slope) => x_range.map((to) => [to, y + slope * (to - x)]);
  for (const level of levels) line(axes, through([0, level], -1), { class: "axis faint" });
  const dots = rates.map((rate, i) => [rate, distortions[i]]);
  line(axes, dots, { class: "line blue dotted" });
  const tangent = line(axes, [], { class: "line green" });
  const equal = line(axes, [], { class: "line ink dashed" });
  const circles = dots.map(([x, y]) => svg("circle", { cx: axes.px(x), cy: axes.py(y), r: 4, class: "fill-blue" }));
  axes.marks.append(...circles);
  const taken = [...nameDots(axes, betas, dots), ...densely(axes, dots)];
  const names = ["green", "ink"].map((colour) => {
    const name = svg("text", { class: `name halo middle in-${colour}`, "aria-hidden": "true" });
    axes.marks.append(name);
    return name;
  });
  const settled = []; // where the names stand for each model
  const settle = (at, slopes, words) => {
    const places = slopes.map((slope) => straight(axes, dots[at], slope));
    const knob = wordAt([axes.px(dots[at][0]), axes.py(dots[at][1])], KNOB);
    const others = [...taken, ...places.flat(), ...knob];
    return words.map((word, i) => {
      const place = roomiest(axes, places[i], halfWidth(word), others);
      others.push(...wordAt(place, halfWidth(word)));
      return place;
    });
  };
  const set = (at) => {
    const slopes = [-betas[at], -1];
    [tangent, equal].forEach((one, i) => one.set(through(dots[at], slopes[i])));
    const words = [`slope −${betaText(betas[at])}`, `ELBO ${hundredths(-totals[at])}`];
    settled[at] ??= settle(at, slopes, words);
    names.forEach((name, i) => {
      write(name, words[i]);
      name.setAttribute("x", settled[at][i][0].toFixed(1));
      name.setAttribute("y", (settled[at][i][1] + 4).toFixed(1));
    });
  };
  return { axes, set };
}

// The β of each dot, to its upper right, where a falling curve is not; gives the room that they take.
function nameDots(axes, betas, dots) {
  const groups = [];
  dots.map(([x, y]) => [axes.px(x), axes.py(y)]).forEach((place, i) => {
    const group = groups.at(-1);
    const near = group && Math.hypot(group.place[0] - place[0], group.place[1] - place[1]) < TOUCH;
    if (near) group.names.push(betaText(betas[i]));
    else groups.push({ place, names: [betaText(betas[i])] });
  });
  return groups.flatMap(({ place: [u, v], names }, i) => {
    const words = (i ? "" : "β = ") + names.join(", ");
    const half = halfWidth(words);
    const x = Math.min(u + 7, axes.area.right - 2 * half);
    const y = x < u + 7 ? v - 13 : v - 8; // over the point, where it stands on the dot
    axes.marks.append(svg("text", { x, y, class: "tick halo", "aria-hidden": "true" }, words));
    return wordAt([x + half, y - 4], half);
  });
}

// In pixels: points all along the dots' line, and along a straight one inside the plot.
function densely(axes, dots) {
  const places = dots.map(([x, y]) => [axes.px(x), axes.py(y)]);
  const between = ([a, b], [c, d]) => linspace(0, 1, 16).map((t) => [a + t * (c - a), b + t * (d - b)]);
  return places.slice(1).flatMap((place, i) => between(places[i], place));
}

function straight(axes, [x, y], slope) {
  const by_x = Math.abs(slope) <= 1;
  const all = by_x
    ? linspace(...axes.x, PLACES).map((to) => [to, y + slope * (to - x)])
    : linspace(...axes.y, PLACES).map((to) => [x + (to - y) / slope, to]);
  const inside = ([a, b]) => a >= axes.x[0] && a <= axes.x[1] && b >= axes.y[0] && b <= axes.y[1];
  return all.filter(inside).map(([a, b]) => [axes.px(a), axes.py(b)]);
}

// The room of a word, in pixels.
const wordAt = ([u, v], half) => [-5, 0, 5].flatMap((dv) => linspace(-half, half, 6).map((du) => [u + du, v + dv]));

// Beside which of the places a word stands farthest from all others.
function roomiest(axes, places, half, others) {
  const { left, right, top, bottom } = axes.area;
  let [best, most] = [[(left + right) / 2, top + 12], -1];
  for (const [u, v] of places.filter((_, i) => i % 4 === 0)) {
    for (const [du, dv] of [[half + 13, 0], [-half - 13, 0], [0, -15], [0, 15]]) {
      const [x, y] = [u + du, v + dv];
      if (x - half < left + 3 || x + half > right - 3 || y < top + 9 || y > bottom - 9) continue;
      const room = roomOf(wordAt([x, y], half), others, most);
      if (room > most) [best, most] = [[x, y], room];
    }
  }
  return best;
}

// The square of the least distance from a word to others; less than `enough` is not looked at closely.
function roomOf(word, others, enough) {
  let least = Infinity;
  for (const [a, b] of word) {
    for (const [c, d] of others) {
      const square = (a - c) ** 2 + (b - d) ** 2;
      if (square < least) least = square;
    }
    if (least <= enough) return least;
  }
  return least;
}
