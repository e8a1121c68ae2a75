// The frame that every live figure stands in: a card, its texts, redrawing, and a clean end.
//
//   export default live((frame, state) => { ...; frame.draw(() => { ... }); });
//
// `state` is what Python sent. Everything that listens or waits does so through the frame, so that
// nothing is left of it when the figure goes.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// A text is written only where it changes: each writing has the browser work out styles anew.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const NO_NUMBER = /\b(?:NaN|undefined|Infinity)\b/;
const BY_FINGER = "(hover: none) and (pointer: coarse)";
const QUIET_MS = 400; // without a change, before a screen reader is told

// Unique on the page, which other figures with their own copy of this code share.
export function freshId() {
  window.vaeLiveIds = (window.vaeLiveIds ?? 0) + 1;
  return `vae-live-${window.vaeLiveIds}`;
}

// The widget's module: build(frame, state) makes the figure, and may throw with what is wrong.
export function live(build) {
  return {
    render({ model, el }) {
      const frame = makeFrame(el, model.get("name"), model.get("description"));
      frame.guard(() => build(frame, complete(model.get("state") ?? {})));
      return () => frame.close();
    },
  };
}

// The state, but for a part that is not there, or that is no number where it should be one: it is
// asked for in vain once, and not computed with.
const complete = (state) =>
  new Proxy(state, {
    get: (parts, name) => {
      if (!Object.hasOwn(parts, name)) throw new Error(`${String(name)} is missing from the figure's state`);
      if ([parts[name]].flat(3).some(Number.isNaN)) throw new Error(`${String(name)} is not a number in the figure's state`);
      return parts[name];
    },
  });

function makeFrame(el, name, description) {
  const parts = layOut(el, name, description);
  const { root, stage, controls } = parts;
  const endings = []; // what is to be done when nothing may go on
  const frame = {
    root,
    stage,
    controls,
    reducedMotion: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
    stop: () => endings.forEach((end) => end()),
    close: () => {
      frame.stop();
      root.remove();
    },
  };
  frame.guard = guarding(frame);
  frame.listen = listening(frame, endings);
  frame.later = waiting(frame, endings);
  Object.assign(frame, drawing(frame, endings));
  frame.tell = telling(frame, parts);
  watchTheme(frame, endings);
  nudging(frame, endings);
  return frame;
}

// A card: a badge, what can be done, the figure with what moves it, and what it says.
function layOut(el, name, description) {
  const stage = element("div", { class: "vae-live-stage" });
  const controls = element("div", { class: "vae-live-controls" });
  const readout = element("p", { class: "vae-live-readout" });
  const status = element("p", { class: "vae-live-status", role: "status" });
  const words = matchMedia(BY_FINGER).matches ? forFingers(description) : description;
  const hint = element("p", { class: "vae-live-hint", id: freshId() }, words);
  const badge = element("p", { class: "vae-live-badge", "aria-hidden": "true" }, "Live: try it");
  const attributes = {
    class: "vae-live",
    "aria-label": name,
    "aria-describedby": hint.id,
    "data-lm-suppress-shortcuts": "true", // JupyterLab's would take the arrow keys away
  };
  const root = element("section", attributes, badge, hint, stage, controls, readout, status);
  el.replaceChildren(root);
  return { root, stage, controls, readout, status };
}

// What a description says of mouse and keys, for somebody who has neither.
const forFingers = (text) =>
  text
    .replace(/, or move it with the arrow keys| or the Enter key/, "")
    .replace(/ \(with the point selected[^)]*\)/, "")
    .replace(/with mouse, finger or keys/, "with your finger")
    .replace(/\b(D|d)rag (the \w+(?: z)?)/, (_, d, what) => `${d === "D" ? "M" : "m"}ove ${what} with your finger`);

// The first time that a reader sees the figure, what can be taken hold of pulses, until it is.
function nudging(frame, endings) {
  if (frame.reducedMotion()) return;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    frame.root.classList.add("vae-live-nudge");
  }, { threshold: 0.4 });
  endings.push(() => seen.disconnect());
  const taken = () => {
    seen.disconnect();
    frame.root.classList.remove("vae-live-nudge");
  };
  for (const touch of ["pointerdown", "keydown"]) frame.listen(frame.root, touch, taken, { capture: true });
  seen.observe(frame.root);
}

// Run something that may throw; a fault becomes a message in place of the figure, and an event.
function guarding(frame) {
  return (handler) => {
    try {
      return handler();
    } catch (error) {
      console.warn(error);
      const message = `This figure cannot be shown: ${error.message}.`;
      frame.root.replaceChildren(element("p", { class: "vae-live-fault", role: "alert" }, message));
      frame.root.dispatchEvent(new CustomEvent("vae-live-fault", { bubbles: true })); // a page may have a picture
      frame.stop();
      return undefined;
    }
  };
}

function listening(frame, endings) {
  const ending = new AbortController();
  endings.push(() => ending.abort());
  return (target, type, handler, options = {}) =>
    target.addEventListener(type, (event) => frame.guard(() => handler(event)), {
      ...options,
      signal: ending.signal,
    });
}

// later(handler, ms) puts something off, and returns what calls it off. A figure that has been taken
// away puts nothing off.
function waiting(frame, endings) {
  const timers = new Set();
  let ended = false;
  endings.push(() => {
    ended = true;
    timers.forEach(clearTimeout);
  });
  return (handler, ms) => {
    if (ended) return () => {};
    const timer = setTimeout(() => {
      timers.delete(timer);
      frame.guard(handler);
    }, ms);
    timers.add(timer);
    return () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
  };
}

// What is drawn once now, and again after every request(), at most once a screen frame.
function drawing(frame, endings) {
  let draw = () => {};
  let pending = 0;
  endings.push(() => {
    cancelAnimationFrame(pending);
    draw = () => {};
  });
  const redraw = () => {
    cancelAnimationFrame(pending);
    pending = 0;
    const start = performance.now();
    frame.guard(draw);
    frame.root.dispatchEvent(
      new CustomEvent("vae-live-frame", { detail: performance.now() - start, bubbles: true }),
    );
  };
  return {
    redraw,
    request: () => {
      pending ||= requestAnimationFrame(redraw);
    },
    draw: (handler) => {
      draw = handler;
      redraw();
    },
  };
}

// What the figure shows, in words: on the page at once, to a screen reader when it rests.
function telling(frame, { root, readout, status }) {
  let callOff = () => {};
  return (text, values = {}) => {
    if (NO_NUMBER.test(text)) throw new Error("what it computes from its state is no number");
    readout.textContent = text;
    root.dataset.values = JSON.stringify(values);
    callOff();
    callOff = frame.later(() => {
      if (status.textContent !== text) status.textContent = text;
    }, QUIET_MS);
  };
}

// Colours drawn on a canvas are read from the theme, and the theme can change.
// A theme is what its colours are: other classes come and go on a page (that it was scrolled, say).
function watchTheme(frame, endings) {
  const colours = () => {
    const style = getComputedStyle(frame.root);
    return [style.color, ...["--live-ink", "--live-paper"].map((name) => style.getPropertyValue(name))].join();
  };
  let drawn = colours();
  const redraw = () => {
    const now = colours();
    if (now === drawn) return;
    drawn = now;
    frame.request();
  };
  const observer = new MutationObserver(redraw);
  endings.push(() => observer.disconnect());
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributeFilter: ["data-theme", "data-jp-theme-light", "class"] });
  }
  frame.listen(matchMedia("(prefers-color-scheme: dark)"), "change", redraw);
}

// A part of the stage with a heading of its own.
export function panel(frame, title, ...children) {
  const made = element("div", { class: "vae-live-panel" });
  if (title) made.append(element("p", { class: "vae-live-title" }, title));
  made.append(...children);
  frame.stage.append(made);
  return made;
}
