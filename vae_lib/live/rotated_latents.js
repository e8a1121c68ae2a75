// Chapter 15: turn a latent plane against its axes. What a single dimension knows of a factor
// changes; the ELBO is computed anew from the turned parts, and does not.

import { information, ranked } from "./rotated_latents/information.js";
import { turnedModel } from "./rotated_latents/turned.js";
import { picture } from "./shared/colour.js";
import { button, choice, slider } from "./shared/controls.js";
import { element, live, write } from "./shared/frame.js";
import { controlsBetween, split, sumOf } from "./shared/layout.js";
import { unpack, unpackRows } from "./shared/network.js";
import { ellipse, handle, line, plot, svg } from "./shared/plot.js";

const ARM = 0.85; // of the way to the edge, where the old axis is held
const SUBSCRIPTS = ["₁", "₂"];
const degrees = (angle) => `${Math.round(angle)}°`.replace("-", "−");
const inTurn = (angle) => ((((angle + 180) % 360) + 360) % 360) - 180; // from −180, below 180

export default live((frame, state) => {
  const codes = unpackRows(state.codes);
  const values = unpack(state.factors);
  const factors = state.names.map((_, f) => codes.map((_, i) => values[state.names.length * i + f]));
  const know = information(factors, state.n_bins);
  const model = turnedModel(state);
  const now = { angle: inTurn(state.angle), colour: 0 };
  const plane = codesPlane(state, codes, factors);
  const parts = makeParts(frame, plane.axes, state);
  const at = (angle) => {
    const [c, s] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    const shares = know(codes.map(([a, b]) => [c * a - s * b, s * a + c * b]));
    const gaps = shares.map(ranked);
    return { c, s, shares, gaps, mig: (gaps[0] + gaps[1]) / 2 };
  };
  const most = (sign) => {
    const found = Array.from({ length: 90 }, (_, angle) => [sign * at(angle).mig, angle]);
    return found.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
  };
  const point = makeControls(frame, plane.axes, state, now, { between: parts.between, most });

  frame.draw(() => {
    const { c, s, shares, gaps, mig } = at(now.angle);
    const score = model.score(c, s);
    const end = { x: ARM * state.reach * c, y: ARM * state.reach * s };
    // First the images, which ask for the theme's ink: after a change to the page that would cost.
    const images = parts.show(shares, { mig, elbo: score.elbo }, (z) => model.decode(z, c, s));
    plane.show(now.colour, score.posterior, { angle: now.angle, end });
    point.place(end);
    const told = { angle: now.angle, colour: state.names[now.colour], shares, gaps, mig, ...score, images };
    frame.tell(saying(now.angle, mig, score, shares, state.names), told);
  });
});

// The codes, coloured by a factor; show(colour, q, { angle, end }) turns them and one image's q(z|x).
function codesPlane({ reach }, codes, factors) {
  const ends = [-reach, reach];
  const axes = plot({ x: ends, y: ends, equal: true, xlabel: "z₁′", ylabel: "z₂′", label: "The latent plane, turned" });
  const group = svg("g", { class: "dots", "aria-hidden": "true" });
  const dots = codes.map(([x, y]) => svg("circle", { cx: axes.px(x).toFixed(1), cy: axes.py(y).toFixed(1), r: 1.9 }));
  group.append(...dots);
  const cross = svg("path", { class: "axis", d: `M${axes.px(-reach)},${axes.py(0)}H${axes.px(reach)}M${axes.px(0)},${axes.py(-reach)}V${axes.py(reach)}` });
  axes.marks.append(cross, group);
  const ring = ellipse(axes, { class: "ellipse ink" });
  const arm = line(axes, [], { class: "line red dashed" });
  const name = svg("text", { class: "halo red middle", "aria-hidden": "true" }, "old z₁");
  axes.marks.append(name);
  let coloured = -1;
  const show = (colour, { mu, stddev }, { angle, end }) => {
    // Of equal axes the whole group turns, which is one step for the browser.
    group.setAttribute("transform", `rotate(${-angle} ${axes.px(0)} ${axes.py(0)})`);
    if (colour !== coloured) dots.forEach((dot, i) => dot.setAttribute("class", `class-${factors[colour][i] % 10}`));
    coloured = colour;
    ring.set({ x: mu[0], y: mu[1], r: 2 * stddev[0], s: 2 * stddev[1] });
    arm.set([[0, 0], [end.x, end.y]]);
    name.setAttribute("x", axes.px(0.6 * end.x));
    name.setAttribute("y", axes.py(0.6 * end.y) - 6);
    ring.ellipse.setAttribute("transform", `rotate(${-angle} ${axes.px(mu[0])} ${axes.py(mu[1])})`);
  };
  return { axes, show };
}

// Plane and column in their places; show(...) fills the column and returns the decoded images.
function makeParts(frame, axes, { names, along, image_shape }) {
  const side = split(frame, axes.box);
  const sum = sumOf([["MIG", "orange"], ["ELBO, nats", "blue"]]);
  const bars = shareBars(names);
  const rows = SUBSCRIPTS.map((n, axis) => {
    const canvases = along.map((at) => picture(image_shape, { label: `Decoded at z${n}′ = ${at}`.replace("-", "−") }));
    const title = element("p", { class: "vae-live-title" }, `decoded along z${n}′`);
    const row = element("div", { class: "vae-live-three five" }, ...canvases.map(({ canvas }) => canvas));
    side.append(title, row);
    return { axis, canvases };
  });
  side.prepend(sum.row, bars.face);
  const between = controlsBetween(frame, side);
  const show = (shares, { mig, elbo }, decode) => {
    const images = rows.map(({ axis, canvases }) =>
      along.map((at, i) => {
        const image = decode(axis === 0 ? [at, 0] : [0, at]);
        canvases[i].show(image);
        return Array.from(image);
      }),
    );
    sum.set([mig.toFixed(2), signed(elbo, 2)]);
    bars.set(shares);
    return images;
  };
  return { between, show };
}

// For each factor a bar a dimension: the share of the factor's entropy that it knows.
function shareBars(names) {
  const [width, height] = [340, 30 * names.length * 2 + 8];
  const face = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "vae-live-plot", "aria-hidden": "true" });
  const made = names.map((name, f) =>
    SUBSCRIPTS.map((n, l) => {
      const y = 60 * f + 28 * l + 4;
      const bar = svg("rect", { x: 120, y, height: 20, class: `bar fill-${l ? "blue" : "orange"}` });
      const text = svg("text", { y: y + 15, class: "tick" });
      face.append(svg("text", { x: 114, y: y + 15, class: "tick end" }, `z${n}′ on ${name}`), bar, text);
      return { bar, text };
    }),
  );
  const set = (shares) =>
    shares.forEach((of, f) =>
      of.forEach((share, l) => {
        const { bar, text } = made[f][l];
        bar.setAttribute("width", (170 * share).toFixed(1));
        text.setAttribute("x", (124 + 170 * share).toFixed(1));
        write(text, share.toFixed(2));
      }),
    );
  return { face, set };
}

function makeControls(frame, axes, state, now, { between, most }) {
  const setAngle = (angle) => {
    now.angle = inTurn(angle);
    turning.set(now.angle);
    frame.request();
  };
  const point = handle(frame, axes, {
    x: ARM * state.reach,
    y: 0,
    label: "The end of the old axis z₁",
    step: 0.05 * state.reach,
    plane: true,
    text: () => degrees(now.angle),
    onMove: ({ x, y }) => setAngle((180 / Math.PI) * Math.atan2(y, x)),
  });
  // By keys it turns like the slider, rather than being pushed about on its circle.
  const turns = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
  const byKey = (event) => {
    const turn = turns[event.key];
    if (!turn) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    setAngle(now.angle + (event.shiftKey ? 10 : 1) * turn);
  };
  frame.listen(point.mark, "keydown", byKey, { capture: true });
  const turning = slider(frame, {
    label: "angle",
    min: -180,
    max: 180,
    step: 1,
    value: now.angle,
    format: degrees,
    // Not in turn: at 180° the slider would jump to its other end.
    onInput: (angle) => {
      now.angle = angle;
      frame.request();
    },
    parent: between,
  });
  choice(frame, {
    label: "Colour by",
    options: state.names.map((name, i) => [String(i), name]),
    value: "0",
    onChange: (value) => {
      now.colour = Number(value);
      frame.request();
    },
  });
  button(frame, { label: "As trained", onClick: () => setAngle(0), parent: between });
  button(frame, { label: "Largest MIG", onClick: () => setAngle(most(1)), parent: between });
  button(frame, { label: "Smallest MIG", onClick: () => setAngle(most(-1)), parent: between });
  return point;
}

const signed = (value, digits) => (Number(value.toFixed(digits)) + 0).toFixed(digits).replace("-", "−");

function saying(angle, mig, { elbo, reconstruction, kl, correlation }, shares, names) {
  const known = names.map((name, f) => `${shares[f].map((share) => share.toFixed(2)).join(" and ")} of ${name}`);
  return (
    `Turned by ${degrees(angle)}: z₁′ and z₂′ know ${known.join(", ")}, so MIG is ${mig.toFixed(2)}. ` +
    `ELBO ${signed(elbo, 3)} = E log p(x|z) ${signed(reconstruction, 3)} − KL ${signed(kl, 3)} nats. In the q(z′|x) that is ` +
    `drawn as an ellipse the two have correlation ${signed(correlation, 2)}.`
  );
}
