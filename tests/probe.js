// What the tests of the built site ask of a page; loaded before the page's own scripts.

{
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const probe = {
    firstFrame: null, // when a live figure drew for the first time, in ms
    refused: [], // by a content security policy

    // When formulas are set, fonts are there and pictures are decoded.
    settled: async () => {
      await window.MathJax?.startup?.promise;
      await document.fonts.ready;
      await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    },

    // The live figures' states that the page carries.
    states: () => {
      const source = document.querySelector(STATE);
      const states = source ? Object.values(JSON.parse(source.textContent).state) : [];
      return states.filter(({ state }) => state.figure);
    },
    promised: () => probe.states().map(({ state }) => state.figure),
    shown: () => document.querySelectorAll("section.vae-live").length,
    faults: () => [...document.querySelectorAll(".vae-live-fault")].map((fault) => fault.textContent),
    unset: () =>
      [...document.querySelectorAll(".math")]
        .filter((part) => !part.querySelector("mjx-container") || part.querySelector("mjx-merror"))
        .map((part) => part.textContent),
    brokenImages: () => [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src),

    // Show a figure once more, in an element of its own, without a part of its state if one is named.
    show: (which, gone) => {
      const { state: values, buffers = [] } = probe.states()[which];
      for (const { path, data } of buffers) {
        const parent = path.slice(0, -1).reduce((part, key) => part[key], values);
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        parent[path.at(-1)] = new DataView(bytes.buffer);
      }
      delete values.state[gone];
      const el = document.createElement("div");
      document.querySelector("article, main").prepend(el);
      const end = window.vaeLive[values.figure].render({ model: { get: (name) => values[name] }, el });
      Object.assign(probe, { el, end });
    },
    // For each part of a figure's state: what the figure says without it.
    withoutOnePart: (which) =>
      Object.keys(probe.states()[which].state.state).map((gone) => {
        probe.show(which, gone);
        const said = probe.el.querySelector("[role=alert], .vae-live-readout");
        const found = { gone, fault: said.role === "alert", said: said.textContent };
        probe.end();
        probe.el.remove();
        return found;
      }),

    // Formulas emptied or code without its colours, and all back: axe takes most of its time for
    // their many small pieces, which MathJax and Pygments make alike on every page.
    thinned: [],
    thin: (selector) => {
      for (const part of document.querySelectorAll(selector)) {
        probe.thinned.push([part, [...part.childNodes]]);
        part.replaceChildren(selector === "mjx-container" ? "" : part.textContent);
      }
    },
    restore: () => {
      for (const [part, nodes] of probe.thinned.splice(0)) part.replaceChildren(...nodes);
    },

    // Mark two of all pieces of text that stand alike and have the same colours and size, and none
    // whose key is known: axe takes milliseconds for the contrast of each. Gives the page's keys.
    markUnlike: (known) => {
      const judged = new Set(known);
      const places = new Map([[null, ""]]);
      const one = (node) => `${node.localName}.${node.className}{${node.getAttribute("style") ?? ""}}`;
      const place = (node) => {
        if (!places.has(node)) places.set(node, `${place(node.parentElement)} ${one(node)}`);
        return places.get(node);
      };
      const seen = new Map();
      const hasText = (node) => [...node.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
      for (const node of document.querySelectorAll("body, body *")) {
        if (!hasText(node)) continue;
        const { color, fontSize, fontWeight, opacity } = getComputedStyle(node);
        const key = [place(node), color, fontSize, fontWeight, opacity].join();
        seen.set(key, (seen.get(key) ?? 0) + 1);
        node.toggleAttribute("data-unlike", !judged.has(key) && seen.get(key) <= 2);
      }
      return [...seen.keys()];
    },

    // The numbers in tables that are broken into several lines.
    brokenNumbers: () =>
      [...document.querySelectorAll("article td")]
        .filter((cell) => /^\s*[−\d.,]+\s*$/.test(cell.textContent))
        .filter((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell.querySelector("p") ?? cell);
          return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
        })
        .map((cell) => cell.textContent.trim()),

    // Open what can be opened in the article, and shut it again.
    openAll: () => {
      probe.opened = [...document.querySelectorAll("article details:not([open])")];
      for (const details of probe.opened) details.open = true;
    },
    shutAll: () => {
      for (const details of probe.opened) details.open = false;
    },

    // The code, formulas, tables and pictures of the article that are wider than what they stand in,
    // or scroll in it, live figures left out; and the ways on below it.
    tooWide: () => {
      const found = [];
      const tell = (part, by) => found.push(`${Math.round(by)}: ${part.localName} ${part.textContent.slice(0, 60)}`);
      const block = "p, li, dt, dd, td, th, h1, h2, h3, h4, summary, figcaption, div, section, article";
      const parts = "pre, div.math, mjx-math, table, .pst-scrollable-table-container, img, svg.hero, dt.sig";
      const all = `${parts.replace(/^|, /g, "$&article ")}, .prev-next-area a, .prev-next-title`;
      for (const part of document.querySelectorAll(all)) {
        const box = part.getBoundingClientRect();
        if (!box.width || part.closest("section.vae-live, mjx-assistive-mml")) continue;
        // Of what was printed, a table that would be too small to read scrolls on a phone.
        const scrolls = part.matches(innerWidth < 600 ? "pre:not([style]), div" : "pre, div");
        const hidden = scrolls ? part.scrollWidth - part.clientWidth : 0;
        const around = part.parentElement.closest(block).getBoundingClientRect();
        const by = Math.max(hidden, box.right - around.right, around.left - box.left);
        if (by > 1.5) tell(part, by);
      }
      return found;
    },

    // WCAG 2's contrast of each such node's ink with the paper below it, from 1 to 21.
    contrasts: (selector) => {
      const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
      const luminance = (colour) => {
        const linear = (part) => (part <= 10.31475 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
        const [red, green, blue] = numbers(colour).slice(0, 3).map(linear);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const papers = new Map();
      const paperBelow = (node) => {
        const colour = getComputedStyle(node).backgroundColor;
        return (numbers(colour)[3] ?? 1) === 1 || !node.parentElement ? colour : paperOf(node.parentElement);
      };
      const paperOf = (node) => {
        if (!papers.has(node)) papers.set(node, paperBelow(node));
        return papers.get(node);
      };
      return [...document.querySelectorAll(selector)].map((node) => {
        const [ink, paper] = [getComputedStyle(node).color, paperOf(node)];
        const [low, high] = [luminance(ink), luminance(paper)].sort((a, b) => a - b);
        return { contrast: (high + 0.05) / (low + 0.05), text: `${node.className}: ${ink} on ${paper}` };
      });
    },

    // The pieces of code and of signatures whose contrast is under 4.5.
    faintCode: () => {
      const code = [".highlight pre", "dt.sig"].map((part) => `${part}, ${part} :not(.headerlink)`).join();
      const faint = probe.contrasts(code).filter(({ contrast }) => contrast < 4.5);
      return [...new Set(faint.map(({ text }) => text))];
    },

    framesAtRest: async () => {
      let n = 0;
      const count = () => {
        n += 1;
      };
      addEventListener("vae-live-frame", count, true);
      await new Promise((done) => setTimeout(done, 300));
      removeEventListener("vae-live-frame", count, true);
      return n;
    },
  };
  addEventListener("vae-live-frame", () => (probe.firstFrame ??= performance.now()), true);
  document.addEventListener("securitypolicyviolation", (event) =>
    probe.refused.push([event.effectiveDirective, event.blockedURI, event.sample]),
  );
  window.probe = probe;
}
