// The image, the frame round what a unit can see, and dots for what it does see.

import { coloursOf } from "../shared/colour.js";
import { element } from "../shared/frame.js";
import { clamp } from "../shared/maths.js";
import { nameAt } from "../shared/names.js";
import { handle, plot, svg, underlay } from "../shared/plot.js";

const WIDEST = 7; // pixels of padding in view round the image

export function imagePlot([channels, height, width], value_range, overhang) {
  const margin = clamp(overhang, 1, WIDEST) + 0.5;
  const [x, y] = [[-margin, width + margin], [-margin, height + margin]];
  const axes = plot({ x, y, equal: true, bare: true, label: "The image" });
  const sheet = underlay(axes, 2 * (width + 2 * margin), 2 * (height + 2 * margin));
  sheet.style.imageRendering = "pixelated";
  const context = sheet.getContext("2d");
  const small = element("canvas", { width, height }); // two of the sheet's pixels are one of the image's
  context.imageSmoothingEnabled = false;
  const edge = { x: axes.px(0), y: axes.py(height), width: axes.px(width) - axes.px(0), height: axes.py(0) - axes.py(height) };
  axes.marks.append(svg("rect", { ...edge, class: "axis" }));
  const dots = dotsOver(axes, height, width);
  const frames = ["frame-rim", "line orange"].map((kind) => svg("rect", { class: kind }));
  axes.marks.append(...frames);
  const name = nameAt(axes, "", "orange");
  const set = ({ x: pixels, weights, box, inside }) => {
    const colours = coloursOf(pixels, [channels, height, width], value_range);
    small.getContext("2d").putImageData(new ImageData(colours, width, height), 0, 0);
    context.drawImage(small, 2 * margin, 2 * margin, 2 * width, 2 * height);
    dots(weights);
    const [top, left, bottom, right] = box;
    const corner = { x: axes.px(left), y: axes.py(height - top) };
    const size = { width: axes.px(right + 1) - corner.x, height: axes.py(height - bottom - 1) - corner.y };
    for (const frame of frames) {
      for (const [key, value] of Object.entries({ ...corner, ...size })) frame.setAttribute(key, value.toFixed(2));
    }
    const padding = (bottom - top + 1) * (right - left + 1) - inside[0] * inside[1];
    name.name.textContent = `${bottom - top + 1} × ${right - left + 1} pixels${padding ? `, ${padding} padding` : ""}`;
    // Above the frame, and the image if that is near; where the plot ends, in the padding below.
    const over = axes.py(height - (top > 2 ? top : Math.min(top, 0)));
    name.set((left + right + 1) / 2, axes.y[1], { side: 0, up: axes.area.top - (over < 24 ? over + 17 : over - 6) });
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
  const most = 0.4 * (axes.px(1) - axes.px(0));
  const drawn = made.map(() => "0");
  return (weights) => {
    const top = Math.max(...weights) || 1;
    made.forEach((dot, k) => {
      const r = most * Math.sqrt(weights[k] / top);
      const text = r < 0.4 ? "0" : r.toFixed(1);
      if (text !== drawn[k]) dot.setAttribute("r", text);
      drawn[k] = text;
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
