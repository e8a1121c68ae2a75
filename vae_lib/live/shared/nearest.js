// Real images to compare decoded ones with, sent as bytes, in so many steps from paper to ink.

import { unpackRows } from "./network.js";

// From an image to the real one nearest to it: {number, image, distance}.
export function nearestAmong(packed) {
  const images = unpackRows(packed).map((bytes) => Float64Array.from(bytes, (value) => value / packed.steps));
  if (!images.length) throw new Error("the real images are missing from the figure's state");
  return (x) => {
    let [number, least] = [0, Infinity];
    images.forEach((image, i) => {
      let square = 0;
      for (let d = 0; d < image.length && square < least; d++) square += (image[d] - x[d]) ** 2;
      if (square < least) [number, least] = [i, square];
    });
    return { number, image: images[number], distance: Math.sqrt(least) };
  };
}
