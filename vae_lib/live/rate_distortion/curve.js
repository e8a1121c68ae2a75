// Distortion over rate: the models as dots, and the two lines through the one that is chosen.

import { write } from "../shared/frame.js";
import { linspace } from "../shared/maths.js";
import { halfWidth } from "../shared/names.js";
import { line, plot, svg } from "../shared/plot.js";

const TOUCH = 15; // dots nearer to one another than this, in pixels, share a name
const KNOB = 9; // half of its width
const CLEAR = 8; // of a line and of other names, in pixels
const PLACES = 61; // along a line; beside each third of them its name might stand

export const hundredths = (value) => (Math.round(100 * value) / 100 + 0).toFixed(2).replace("-", "−");
export const betaText = (beta) => String(Number(beta.toPrecision(3)));

const put = (name, x, y) => {
  name.setAttribute("x", x.toFixed(1));
  name.setAttribute("y", y.toFixed(1));
};

export function curvePlot({ betas, rates, distortions, x_range, y_range, totals: levels }, { totals }) {
  const axes = plot({
    x: x_range,
    y: y_range,
    equal: true,
    left: 53,
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
  const labels = nameDots(axes, betas, dots);
  const curve = densely(axes, dots);
  const names = ["green", "ink"].map((colour) => svg("text", { class: `name halo middle in-${colour}`, "aria-hidden": "true" }));
  axes.marks.append(...names);
  const settled = []; // for each model the lines, their words, and where these and the β stand
  const settle = (at) => {
    const slopes = [-betas[at], -1];
    const words = [`slope −${betaText(betas[at])}`, `ELBO ${hundredths(-totals[at])}`];
    const places = slopes.map((slope) => straight(axes, dots[at], slope));
    const knob = wordAt([axes.px(dots[at][0]), axes.py(dots[at][1])], KNOB);
    const others = places.flat();
    const beside = labels.map(({ half, choices }) => {
      const choice = clearest(choices, half, others);
      others.push(...wordAt(choice.middle, half));
      return choice;
    });
    others.push(...curve, ...knob);
    const lined = words.map((text, i) => {
      const half = halfWidth(text);
      const place = roomiest(axes, places[i], half, others);
      others.push(...wordAt(place, half));
      return { text, place, line: through(dots[at], slopes[i]) };
    });
    return { beside, lined };
  };
  const prepare = (at) => (settled[at] ??= settle(at));
  const set = (at) => {
    const { beside, lined } = prepare(at);
    lined.forEach(({ text, place: [x, y], line: ends }, i) => {
      [tangent, equal][i].set(ends);
      write(names[i], text);
      put(names[i], x, y + 4);
    });
    beside.forEach(({ x, y, side }, i) => {
      labels[i].name.setAttribute("class", `tick halo${side}`);
      put(labels[i].name, x, y);
    });
  };
  return { axes, prepare, set };
}

// The β of each dot, to its upper right, where a falling curve is not, or on its other side if a line
// runs there; gives for each the places that it may take.
function nameDots(axes, betas, dots) {
  const groups = [];
  dots.map(([x, y]) => [axes.px(x), axes.py(y)]).forEach((place, i) => {
    const group = groups.at(-1);
    const near = group && Math.hypot(group.place[0] - place[0], group.place[1] - place[1]) < TOUCH;
    if (near) group.names.push(betaText(betas[i]));
    else groups.push({ place, names: [betaText(betas[i])] });
  });
  return groups.map(({ place: [u, v], names }, i) => {
    const words = (i ? "" : "β = ") + names.join(", ");
    const half = halfOfNumber(words);
    const x = Math.min(u + 7, axes.area.right - 2 * half);
    const y = x < u + 7 ? v - 13 : v - 8; // over the point, where it stands on the dot
    const choices = [{ x, y, side: "", middle: [x + half, y - 4] }];
    for (const [du, dv] of [[-7, 15], [-9, 4], [half - 3, 20]]) {
      const isRoom = u + du - 2 * half > axes.area.left && v + dv + 5 < axes.area.bottom;
      if (isRoom) choices.push({ x: u + du, y: v + dv, side: " end", middle: [u + du - half, v + dv - 4] });
    }
    if (x === u + 7) choices.push({ x: u + 4, y: v - 2, side: "", middle: [u + 4 + half, v - 6] });
    const name = svg("text", { x, y, class: "tick halo", "aria-hidden": "true" }, words);
    axes.marks.append(name);
    return { name, half, choices };
  });
}

// The first of the places where a word is clear of the others, or else the one farthest from them.
function clearest(choices, half, others) {
  const rooms = choices.map(({ middle }) => Math.min(roomOf(wordAt(middle, half), others, 0), CLEAR ** 2));
  return choices[rooms.indexOf(Math.max(...rooms))];
}

const halfOfNumber = (text) => (7.7 * text.length - 3.8 * (text.match(/[. ]/g) ?? []).length) / 2;

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
  const [wide, high] = [half + 13, 15];
  const offsets = [[wide, 0], [-wide, 0], [0, -high], [0, high], [wide, -high], [-wide, high], [wide, high], [-wide, -high]];
  let [best, most] = [[(left + right) / 2, top + 12], -1];
  for (const [u, v] of places.filter((_, i) => i % 3 === 0)) {
    for (const [du, dv] of offsets) {
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
