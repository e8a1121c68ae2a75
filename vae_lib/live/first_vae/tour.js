// A pen that writes digit after digit by itself, until a reader touches the figure.

import { button } from "../shared/controls.js";
import { DIGITS, duration, strokesOf, written } from "./pen.js";

const TICK_MS = 33;
const AWAY_MS = 400; // between two looks whether the figure has come into view
const REST = 1.4; // seconds for which a finished digit stays
const SETTLE = 0.7; // of which the cloud may still glide
const AFTER = 3; // and 3 more with every digit: 7, 0, 3, ... in an order that visits all ten
const FIRST = 7;
const [WRITE, STOP] = ["Write one", "Stop pen"];

// onPaper(strokes, passed) is told what is on the paper, and how many seconds have passed since it
// was last told; `passed` is null where it is a whole digit at once.
export function makeTour(frame, onPaper) {
  const tour = { running: false };
  let [digit, strokes, clock, last, callOff] = [FIRST, strokesOf(FIRST), 0, 0, () => {}];
  const show = (passed) => onPaper(written(strokes, passed === null ? Infinity : clock), passed);
  const next = () => {
    digit = (digit + AFTER) % DIGITS;
    strokes = strokesOf(digit);
    clock = 0;
  };
  const tick = () => {
    const now = performance.now();
    if (!inView(frame.root)) {
      last = now;
      callOff = frame.later(tick, AWAY_MS);
      return;
    }
    const passed = Math.min((now - last) / 1000, 0.1); // a tab that slept goes on where it was
    last = now;
    clock += passed;
    if (clock > duration(strokes) + REST) next();
    if (clock < duration(strokes) + SETTLE) show(passed);
    callOff = frame.later(tick, TICK_MS);
  };
  const run = (running) => {
    tour.running = running;
    tour.button.textContent = running ? STOP : WRITE;
  };
  tour.stop = () => {
    callOff();
    run(false);
    frame.request();
  };
  const start = () => {
    run(true);
    last = performance.now();
    tick();
  };
  const onClick = () => {
    if (tour.running) return tour.stop();
    next();
    return frame.reducedMotion() ? show(null) : start();
  };
  // It begins with a digit that is written already.
  tour.begin = () => {
    clock = duration(strokes) + SETTLE;
    show(null);
    if (!frame.reducedMotion()) start();
  };
  tour.addButton = (parent) => {
    tour.button = button(frame, { label: WRITE, onClick, parent });
  };
  const halt = ({ target, key }) => {
    if (tour.running && key !== "Tab" && key !== "Shift" && !tour.button.contains(target)) tour.stop();
  };
  for (const touch of ["pointerdown", "keydown"]) frame.listen(frame.root, touch, halt, { capture: true });
  return tour;
}

function inView(node) {
  const { top, bottom } = node.getBoundingClientRect();
  return !document.hidden && bottom > 0 && top < window.innerHeight;
}
