// Chapter 14: a defect in a set of real images, how much of it there is, and which scores notice.

import { button, slider } from "./shared/controls.js";
import { element, live } from "./shared/frame.js";
import { captioned, pixels } from "./shared/image.js";
import { split } from "./shared/layout.js";
import { unpack } from "./shared/network.js";
import { plot, svg, tickText } from "./shared/plot.js";

const MOST = 200; // standard deviations, at the ends of the dial
const TICKS = [-100, -20, -4, 0, 4, 20, 100];
const SHEET = 230; // CSS pixels across
const COLUMNS = 4;
const GAP = 1; // pixels between two images

export default live((frame, state) => {
  const { defects, scores, rings_at, start } = state;
  const [n_defects, n_amounts, n_scores] = state.deviations?.shape ?? [];
  const deviations = unpack(state.deviations);
  if (n_defects !== defects?.length || n_scores !== scores?.length) throw new Error("there are not as many needles as scores");
  const now = { defect: start, step: n_amounts - 1 };
  const dial = makeDial(scores, rings_at);
  const sheet = makeSheet(state);
  const side = split(frame, dial.box);
  const row = element("div", { class: "vae-live-controls", role: "group", "aria-label": "The defect" });
  sheet.figure.style.marginTop = "0.75rem";
  side.append(row, sheet.figure, frame.controls);
  const buttons = makeControls(frame, row, defects, n_amounts, now);

  frame.draw(() => {
    const from = (now.defect * n_amounts + now.step) * n_scores;
    const readings = Array.from(deviations.subarray(from, from + n_scores));
    const share = now.step / (n_amounts - 1);
    const rings = scores.filter((_, i) => Math.abs(readings[i]) > rings_at);
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === now.defect)));
    dial.set(readings);
    sheet.show(now);
    const told = { defect: defects[now.defect], share, deviations: readings, rings };
    frame.tell(saying(told), told);
  });
});

// One line a score, from its floor to its reading; set(readings) moves them.
function makeDial(scores, rings_at) {
  const axes = plot({
    x: [-Math.asinh(MOST), Math.asinh(MOST)],
    y: [scores.length, 0],
    height: 46 * scores.length + 50,
    xticks: TICKS.map((value) => [Math.asinh(value), tickText(value)]),
    yticks: false,
    xlabel: "standard deviations of the floor",
    label: "The scores",
  });
  const { top, bottom } = axes.area;
  const [left, right] = [-rings_at, rings_at].map((value) => axes.px(Math.asinh(value)));
  axes.marks.append(svg("rect", { x: left, y: top, width: right - left, height: bottom - top, class: "fill-grey", opacity: 0.2 }));
  const middle = axes.px(0);
  const needles = scores.map((name, i) => {
    const y = axes.py(i + 0.68);
    const needle = svg("path", { class: "line" });
    const tip = svg("circle", { cy: y, r: 5 });
    const text = svg("text", { x: middle, y: axes.py(i + 0.36), class: "middle halo" }, name);
    axes.marks.append(needle, tip, text);
    return { needle, tip, text, y, name };
  });
  const set = (readings) =>
    needles.forEach(({ needle, tip, text, y, name }, i) => {
      const [value, rings] = [Math.min(Math.max(readings[i], -MOST), MOST), Math.abs(readings[i]) > rings_at];
      const x = axes.px(Math.asinh(value));
      needle.setAttribute("d", `M${middle.toFixed(2)},${y}H${x.toFixed(2)}`);
      needle.setAttribute("class", `line ${rings ? "red thick" : "blue"}`);
      tip.setAttribute("cx", x);
      tip.setAttribute("class", rings ? "fill-red" : "fill-blue");
      text.textContent = rings ? `${name}: ${signed(readings[i])}, rings` : `${name}: ${signed(readings[i])}`;
    });
  return { box: axes.box, set };
}

// Some images of the set, side by side on one canvas.
function makeSheet({ pictures, image_shape: [height, width] }) {
  const bytes = unpack(pictures);
  const [, n_amounts, n_shown, n_pixels] = pictures.shape;
  const rows = Math.ceil(n_shown / COLUMNS);
  const size = [rows * (height + GAP) + GAP, COLUMNS * (width + GAP) + GAP];
  const image = pixels(size, { label: "Images of the set", size: SHEET });
  const { figure } = captioned(image, "some of the set");
  const values = new Float64Array(size[0] * size[1]);
  const show = ({ defect, step }) => {
    const from = (defect * n_amounts + step) * n_shown * n_pixels;
    for (let i = 0; i < n_shown; i++) {
      const top = GAP + Math.floor(i / COLUMNS) * (height + GAP);
      const left = GAP + (i % COLUMNS) * (width + GAP);
      for (let p = 0; p < n_pixels; p++) {
        const place = (top + Math.floor(p / width)) * size[1] + left + (p % width);
        values[place] = bytes[from + i * n_pixels + p] / 255;
      }
    }
    image.show(values);
  };
  return { figure, show };
}

// Returns the buttons.
function makeControls(frame, row, defects, n_amounts, now) {
  const onClick = (i) => () => {
    now.defect = i;
    frame.request();
  };
  const buttons = defects.map((label, i) => button(frame, { label, pressed: i === now.defect, parent: row, onClick: onClick(i) }));
  slider(frame, {
    label: "how much",
    min: 0,
    max: n_amounts - 1,
    step: 1,
    value: now.step,
    format: (step) => `${Math.round((100 * step) / (n_amounts - 1))}%`,
    onInput: (step) => {
      now.step = step;
      frame.request();
    },
  });
  return buttons;
}

const signed = (value) => {
  const rounded = Math.round(Math.abs(value) < 10 ? 10 * value : 10 * Math.round(value)) / 10 + 0;
  return (rounded > 0 ? `+${rounded}` : String(rounded)).replace("-", "−");
};

function saying({ defect, share, rings, deviations }) {
  const head = `${defect}, ${Math.round(100 * share)}%: `;
  if (!rings.length) return `${head}none of the ${deviations.length} scores rings.`;
  const silent = deviations.length - rings.length;
  return `${head}${rings.join(", ")} ring${rings.length === 1 ? "s" : ""}; ${silent} of ${deviations.length} scores are silent.`;
}
