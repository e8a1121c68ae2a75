// Runs the live figures of a page: the same scripts that a notebook runs, without a kernel.
//
// A page has one script of type widget-state, with the state of all its widgets, and a script of
// type widget-view where each is shown, followed by what stands there until it runs. The figures'
// own scripts, loaded before this one, have put themselves into window.vaeLive.

(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const asBytes = (text) => {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return new DataView(bytes.buffer);
  };

  // The state that Python sent, with its bytes back in their places.
  const restored = ({ state, buffers = [] }) => {
    for (const { path, data } of buffers) {
      const parent = path.slice(0, -1).reduce((part, key) => part[key], state);
      parent[path.at(-1)] = asBytes(data);
    }
    return state;
  };

  // What a figure knows of its widget: values that it can read, change and be told of.
  const makeModel = (values) => {
    const events = new EventTarget();
    const handlers = new Map();
    return {
      get: (name) => values[name],
      set: (name, value) => {
        values[name] = value;
        events.dispatchEvent(new Event(`change:${name}`));
      },
      on: (name, handler) => {
        handlers.set(handler, () => handler());
        events.addEventListener(name, handlers.get(handler));
      },
      off: (name, handler) => events.removeEventListener(name, handlers.get(handler)),
      save_changes: () => {},
    };
  };

  const show = (view, states) => {
    const values = states[JSON.parse(view.textContent).model_id];
    const figure = window.vaeLive?.[values?.state?.figure];
    if (!figure) return; // the picture beside it stays
    const el = document.createElement("div");
    const placeholder = view.parentElement.querySelector(".vae-live-placeholder");
    placeholder ? placeholder.replaceWith(el) : view.after(el);
    figure.render({ model: makeModel(restored(values)), el });
  };

  const start = () => {
    const source = document.querySelector(STATE);
    if (!source) return;
    const states = JSON.parse(source.textContent).state;
    for (const view of document.querySelectorAll(VIEW)) show(view, states);
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
