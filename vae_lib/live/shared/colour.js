// Pictures in colour, rows of [3, height, width] numbers, bright where they were bright in any theme.

import { pixels } from "./image.js";
import { clamp } from "./maths.js";

// Red, green, blue and opacity, from 0 to 255, of each pixel; one channel gives greys.
export function coloursOf(values, [channels, height, width], [white, black] = [1, 0]) {
  const [low, high] = [Math.min(white, black), Math.max(white, black)];
  const size = height * width;
  return Uint8ClampedArray.from({ length: 4 * size }, (_, i) => {
    const channel = Math.min(i % 4, channels - 1);
    if (i % 4 === 3) return 255;
    return 255 * clamp((values[channel * size + Math.floor(i / 4)] - low) / (high - low), 0, 1);
  });
}

// As `pixels`, for (H, W) and for (3, H, W).
export function picture(shape, { label, size } = {}) {
  if (shape.length === 2) return pixels(shape, { label, size });
  const [height, width] = shape.slice(1);
  const { canvas } = pixels([height, width], { label, size });
  const context = canvas.getContext("2d");
  const show = (values, range) => context.putImageData(new ImageData(coloursOf(values, shape, range), width, height), 0, 0);
  return { canvas, show };
}
