// The places of each layer, and the units of an MLP, shaded by how much they notice of a change.

import { element, write } from "../shared/frame.js";
import { captioned, pixels } from "../shared/image.js";

const LEAST = 0.12; // of the full shade, for what has changed at all

// [[name, [height, width]], ...]; set(i, changes, unit) shades a map, with a frame round its unit, if any.
export function changeMaps(sizes) {
  const made = sizes.map(([name, size]) => {
    const image = pixels(size, { label: `What changes in ${name}` });
    const unit = element("span", { class: "vae-live-unit" });
    const { figure, caption } = captioned(image, "");
    const count = element("div");
    caption.append(element("div", {}, name), count);
    figure.prepend(element("div", { class: "vae-live-map" }, image.canvas, unit));
    return { ...image, figure, count, unit, size };
  });
  const row = element("div", { class: "vae-live-maps" }, ...made.map(({ figure }) => figure));
  const set = (i, changes, at) => {
    const { show, count, unit, size } = made[i];
    const top = Math.max(...changes) || 1;
    show(Array.from(changes, (value) => (value === 0 ? 0 : LEAST + ((1 - LEAST) * value) / top)));
    const n = changes.filter((value) => value !== 0).length;
    write(count, `${n} of ${changes.length}`);
    unit.style.display = at ? "" : "none";
    if (!at) return n;
    const share = (value, of) => `${(100 * value) / of}%`;
    [unit.style.top, unit.style.left] = [share(at[0], size[0]), share(at[1], size[1])];
    [unit.style.height, unit.style.width] = [share(1, size[0]), share(1, size[1])];
    return n;
  };
  return { row, set };
}
