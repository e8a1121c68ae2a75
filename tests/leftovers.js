// Counts the listeners, timers, frames asked for and observers that are there from now on, made by
// scripts whose address has `from` in it: window.counted() says how many are left.
(from) => {
  const theirs = () => new Error().stack.includes(from);
  const kinds = { timers: new Set(), frames: new Set() };
  const [listening, observing] = [new Map(), new Set()];
  const replace = (owner, name, make) => {
    owner[name] = make(owner[name]);
  };

  const handlersOf = (target, type, options) => {
    const capture = typeof options === "object" ? !!options?.capture : !!options;
    if (!listening.has(target)) listening.set(target, new Map());
    const own = listening.get(target);
    const name = `${type} ${capture}`;
    if (!own.has(name)) own.set(name, new Set());
    return own.get(name);
  };
  replace(EventTarget.prototype, "addEventListener", (add) => function (type, handler, options) {
    const handlers = handlersOf(this, type, options);
    const { signal } = typeof options === "object" ? options ?? {} : {};
    if (theirs() && !signal?.aborted) handlers.add(handler);
    if (signal) add.call(signal, "abort", () => handlers.delete(handler));
    return add.call(this, type, handler, options);
  });
  replace(EventTarget.prototype, "removeEventListener", (remove) => function (type, handler, options) {
    handlersOf(this, type, options).delete(handler);
    return remove.call(this, type, handler, options);
  });

  const once = (kind, ask, cancel) => {
    replace(window, ask, (original) => (handler, ...rest) => {
      const id = original((...values) => {
        if (ask !== "setInterval") kinds[kind].delete(id);
        handler(...values);
      }, ...rest);
      if (theirs()) kinds[kind].add(id);
      return id;
    });
    replace(window, cancel, (original) => (id) => {
      kinds[kind].delete(id);
      original(id);
    });
  };
  once("timers", "setTimeout", "clearTimeout");
  once("timers", "setInterval", "clearInterval");
  once("frames", "requestAnimationFrame", "cancelAnimationFrame");

  for (const name of ["MutationObserver", "ResizeObserver", "IntersectionObserver"]) {
    replace(window[name].prototype, "observe", (observe) => function (...values) {
      if (theirs()) observing.add(this);
      return observe.apply(this, values);
    });
    replace(window[name].prototype, "disconnect", (disconnect) => function () {
      observing.delete(this);
      return disconnect.call(this);
    });
  }

  window.counted = () => {
    const sets = [...listening.values()].flatMap((own) => [...own.values()]);
    const listeners = sets.reduce((total, handlers) => total + handlers.size, 0);
    const { timers, frames } = kinds;
    return { listeners, timers: timers.size, frames: frames.size, observers: observing.size };
  };
};
