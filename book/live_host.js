// Runs the live figures of a page: the same scripts that a notebook runs, without a kernel.
//
// A page has one script of type widget-state, with the state of all its widgets, and a script of
// type widget-view where each is shown, followed by what stands there until it runs. The figures'
// own scripts, loaded before this one, have put themselves into window.vaeLive.

"use strict";

{
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  const asBytes = (text) => {
    const binary = atob(text); // throws where that is no base64
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return new DataView(bytes.buffer);
  };

  const inside = (part, key) => {
    if (!part || !Object.hasOwn(part, key)) throw new Error(`its state has no place for the bytes of ${key}`);
    return part[key];
  };

  // The state that Python sent, with its bytes back in their places.
  const restored = ({ state, buffers = [] }) => {
    for (const { path, data } of buffers) {
      const parent = path.slice(0, -1).reduce(inside, state);
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

  // The values of a view's widget, or undefined if that is no live figure.
  const valuesOf = (view, states) => {
    if (!states) throw new Error("the page's state of its figures cannot be read");
    const { model_id } = JSON.parse(view.textContent);
    const widget = Object.hasOwn(states, model_id) ? states[model_id] : undefined;
    return widget?.state?.figure === undefined ? undefined : restored(widget);
  };

  const scriptOf = (name) => {
    const scripts = window.vaeLive ?? {};
    if (!Object.hasOwn(scripts, name)) throw new Error(`its script, ${name}, is not on this page`);
    return scripts[name];
  };

  // Each figure stands for itself: where one cannot be shown, its picture stays, and a sentence
  // says why; the others do not notice.
  const show = (view, states) => {
    const el = document.createElement("div");
    const placeholder = view.parentElement.querySelector(".vae-live-placeholder");
    const stand = () => placeholder && (placeholder.hidden = false);
    el.addEventListener("vae-live-fault", stand);
    try {
      const values = valuesOf(view, states);
      if (!values) return; // a widget of another kind
      const figure = scriptOf(values.figure);
      view.after(el);
      if (placeholder) placeholder.hidden = true; // until it is printed
      figure.render({ model: makeModel(values), el });
    } catch (error) {
      console.warn(error);
      const fault = document.createElement("p");
      fault.className = "vae-live-fault";
      fault.setAttribute("role", "alert");
      fault.textContent = `This figure cannot be shown: ${error.message}.`;
      el.replaceChildren(fault);
      view.after(el);
      stand();
    }
  };

  const statesOf = (source) => {
    try {
      return JSON.parse(source.textContent).state;
    } catch (error) {
      console.warn(error);
      return undefined;
    }
  };

  const start = () => {
    const source = document.querySelector(STATE);
    if (!source) return; // the pictures stay
    const states = statesOf(source);
    for (const view of document.querySelectorAll(VIEW)) show(view, states);
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
}
