// The plane of two latent dimensions, and a code z to be moved over it.

import { handle, plot } from "./plot.js";

export const latentPlane = (x, y) =>
  plot({ x, y, equal: true, xlabel: "z₁", ylabel: "z₂", label: "The latent plane" });

// A handle that is z, at first [z₁, z₂]; onMove({x, y}) is told.
export const codeHandle = (frame, axes, [z_1, z_2], onMove) =>
  handle(frame, axes, {
    x: z_1,
    y: z_2,
    label: "The code z",
    step: 0.05,
    plane: true,
    text: ({ x, y }) => `z₁ ${x.toFixed(2)}, z₂ ${y.toFixed(2)}`,
    onMove,
  });
