// The ten digits as a pen writes them, for a figure that draws by itself until somebody else does.

// Points "x,y" in hundredths of the pad's side, y downwards, a stroke from one bar to the next.
const WRITTEN = {
  0: "50,18 41,20 33,28 30,40 30,56 32,68 38,78 47,82 56,81 64,74 69,62 70,48 68,34 62,23 50,18",
  1: "38,32 46,26 53,18 52,40 51,60 50,83",
  2: "31,34 34,24 42,18 52,17 62,21 67,29 66,40 58,52 46,65 31,82 46,82 58,82 71,81",
  3: "32,25 41,18 53,18 62,23 64,32 60,41 52,46 44,47 54,49 64,54 68,64 65,74 56,82 44,83 32,77",
  4: "54,17 46,34 38,48 29,61 44,61 58,61 75,60|60,40 59,56 58,70 57,84",
  5: "69,18 54,18 38,18 37,32 35,46 46,43 57,44 66,51 69,62 65,74 55,82 43,83 32,77",
  6: "60,16 50,24 40,38 34,54 34,68 41,80 52,83 63,77 67,66 61,56 51,53 41,58 35,67",
  7: "29,20 42,20 56,20 70,19 63,36 56,54 50,70 46,84",
  8: "64,25 55,18 44,20 37,29 42,40 54,48 65,58 67,70 60,80 48,83 37,77 34,66 41,55 54,46 64,36 64,25",
  9: "66,31 58,20 46,19 36,28 36,41 45,49 56,46 64,36 66,31 66,46 64,64 61,84",
};
const SPEED = 1.15; // of the pad's side in a second
const LIFT = 0.25; // seconds between two strokes, and before the first

const point = (text) => text.split(",").map((value) => Number(value) / 100);
const stretch = ([x, y], [u, v]) => Math.hypot(u - x, v - y) / SPEED;

export const DIGITS = Object.keys(WRITTEN).length;

export const strokesOf = (digit) => WRITTEN[digit].split("|").map((line) => line.split(" ").map(point));

// How long it takes to write strokes, in seconds.
export function duration(strokes) {
  const of = (line) => line.slice(1).reduce((sum, to, i) => sum + stretch(line[i], to), LIFT);
  return strokes.reduce((sum, line) => sum + of(line), 0);
}

// As much of the strokes as is on the paper after some seconds.
export function written(strokes, seconds) {
  const paper = [];
  let left = seconds;
  for (const line of strokes) {
    left -= LIFT;
    if (left <= 0) return paper;
    const done = [line[0]];
    paper.push(done);
    for (const to of line.slice(1)) {
      const from = done.at(-1);
      const share = left / stretch(from, to);
      if (share >= 1) done.push(to);
      else {
        done.push(from.map((value, i) => value + share * (to[i] - value)));
        return paper;
      }
      left -= stretch(from, to);
    }
  }
  return paper;
}
