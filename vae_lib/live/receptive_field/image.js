// The image, the frame round what a unit can see, and dots for what it does see.

import { coloursOf } from "../shared/colour.js";
import { clamp } from "../shared/maths.js";
import { nameAt } from "../shared/names.js";
import { handle, plot, svg, underlay } from "../shared/plot.js";

const MARGIN = 2; // pixels of padding in view round the image

export function imagePlot([channels, height, width], value_range) {
  const [x, y] = [[-MARGIN, width + MARGIN], [-MARGIN, height + MARGIN]];
  const axes = plot({ x, y, equal: true, left: 10, xticks: [], yticks: [], label: "The image" });
  axes.svg.querySelector(".axes").remove();
  const sheet = underlay(axes, width + 2 * MARGIN, height + 2 * MARGIN);
  sheet.style.imageRendering = "pixelated";
  const context = sheet.getContext("2d");
  const dots = dotsOver(axes, height, width);
  const frames = ["frame-rim", "line orange"].map((kind) => svg("rect", { class: kind }));
  axes.marks.append(...frames);
  const name = nameAt(axes, "", "orange");
  const set = ({ x: pixels, weights, box }) => {
    const colours = coloursOf(pixels, [channels, height, width], value_range);
    context.putImageData(new ImageData(colours, width, height), MARGIN, MARGIN);
    dots(weights);
    const [top, left, bottom, right] = box;
    const corner = { x: axes.px(left), y: axes.py(height - top) };
    const size = { width: axes.px(right + 1) - corner.x, height: axes.py(height - bottom - 1) - corner.y };
    for (const frame of frames) {
      for (const [key, value] of Object.entries({ ...corner, ...size })) frame.setAttribute(key, value.toFixed(2));
    }
    name.name.textContent = `${bottom - top + 1} × ${right - left + 1} pixels`;
    name.set((left + right + 1) / 2, height - top, { side: 0 });
  };
  return { axes, set };
}

// A dot on each pixel, as large as the weight there.
function dotsOver(axes, height, width) {
  const group = svg("g", { "aria-hidden": "true" });
  const made = Array.from({ length: height * width }, (_, k) => {
    const place = { cx: axes.px((k % width) + 0.5), cy: axes.py(height - Math.floor(k / width) - 0.5) };
    return svg("circle", { ...place, r: 0, class: "seen" });
  });
  group.append(...made);
  axes.marks.append(group);
  const most = 0.46 * (axes.px(1) - axes.px(0));
  return (weights) => {
    const top = Math.max(...weights) || 1;
    made.forEach((dot, k) => {
      const r = most * Math.sqrt(weights[k] / top);
      dot.setAttribute("r", r < 0.4 ? 0 : r.toFixed(2));
    });
  };
}

// A handle that goes from pixel to pixel; onMove([row, column]) is told.
export function pixelHandle(frame, axes, [, height, width], [row, column], onMove) {
  const pixelAt = ({ x, y }) => [
    clamp(height - 1 - Math.floor(y), 0, height - 1),
    clamp(Math.floor(x), 0, width - 1),
  ];
  const point = handle(frame, axes, {
    x: column + 0.5,
    y: height - row - 0.5,
    label: "The pixel",
    step: 1,
    plane: true,
    text: (to) => `row ${pixelAt(to)[0]}, column ${pixelAt(to)[1]}`,
    onMove: (to) => {
      const pixel = pixelAt(to);
      point.set({ x: pixel[1] + 0.5, y: height - pixel[0] - 0.5 });
      onMove(pixel);
    },
  });
  return point;
}
