// The straight line from one digit's code to another's.

import { button, choice, slider } from "../shared/controls.js";

const WALK_MS = 4000; // from one digit to the other
const TICK_MS = 33;
const PLAY = "Play the walk";

// The walk from one digit to another: by its slider, or by itself until something else is moved.
export function makeWalk(frame, at) {
  let cancel = null; // its next step
  let [position, play] = [null, null];
  const walkTo = (t) => {
    at.source = "walk";
    at.t = t;
    position.set(t);
    frame.request();
  };
  const halt = () => {
    if (cancel) cancel();
    cancel = null;
    play.textContent = PLAY;
  };
  const leaveFor = (source) => {
    halt();
    at.source = source;
    frame.request();
  };
  const onwards = (began) => {
    const t = Math.min((performance.now() - began) / WALK_MS, 1);
    walkTo(t);
    if (t < 1) cancel = frame.later(() => onwards(began), TICK_MS);
    else halt();
  };
  const playOrStop = () => {
    if (cancel) return halt();
    if (frame.reducedMotion()) return walkTo(1);
    const t = at.source === "walk" && at.t < 1 ? at.t : 0;
    play.textContent = "Stop";
    return onwards(performance.now() - t * WALK_MS);
  };
  const haltAndWalkTo = (t) => {
    halt();
    walkTo(t);
  };
  const addControls = (parent, options) => {
    for (const [end, label] of [["from", "walk from a"], ["to", "to a"]]) {
      const onChange = (value) => {
        at[end] = Number(value);
        haltAndWalkTo(at.t);
      };
      choice(frame, { label, options, value: String(at[end]), onChange, parent });
    }
    position = slider(frame, { label: "t", min: 0, max: 1, step: 0.01, value: 0, onInput: haltAndWalkTo, parent });
    play = button(frame, { label: PLAY, onClick: playOrStop, parent });
    play.classList.add("vae-live-play");
  };
  return { leaveFor, addControls };
}
