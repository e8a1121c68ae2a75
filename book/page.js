// What every page does beside showing itself: it opens at the reader's place, fits its formulas into
// their column, and prints whole.

"use strict";

{
  // The theme scrolls the list of chapters until the current one is in the middle. Where the list
  // shows it from its beginning, it stays there, with the book's name and the search in view.
  const settleSidebar = () => {
    const sidebar = document.querySelector(".bd-sidebar-primary");
    const current = sidebar?.querySelector("nav .current.active > a, nav li.active > a");
    if (!sidebar) return;
    sidebar.scrollTop = 0;
    if (!current) return;
    const [box, place] = [sidebar.getBoundingClientRect(), current.getBoundingClientRect()];
    if (place.bottom > box.bottom - 0.15 * box.height) sidebar.scrollTop = place.top - box.top - box.height / 2;
  };

  // A formula that is hardly wider than its column is set a little smaller, on a phone a good deal; a
  // wider one scrolls. So is a table on a phone whose words and numbers are broken nowhere.
  const NARROW = window.matchMedia("(max-width: 599.98px)");
  const shrink = (part, share, smallest) => {
    part.style.fontSize = share < 1 && share >= smallest ? `${Math.floor(99 * share)}%` : "";
  };
  const fit = (box, smallest) => {
    box.style.fontSize = "";
    const parts = [box, ...box.querySelectorAll("mjx-container, table")];
    shrink(box, box.clientWidth / Math.max(...parts.map((part) => part.scrollWidth)), smallest);
  };
  const fitInline = (formula, smallest) => {
    formula.style.fontSize = "";
    const around = formula.closest("p, li, dd, td, div").clientWidth;
    const { width } = (formula.closest(".together") ?? formula).getBoundingClientRect();
    shrink(formula, around / width, smallest);
  };
  const fitAll = (within) => {
    const smallest = NARROW.matches ? 0.45 : 0.85;
    for (const box of within.querySelectorAll("div.math")) fit(box, smallest);
    for (const box of within.querySelectorAll(".pst-scrollable-table-container")) fit(box, smallest);
    for (const formula of within.querySelectorAll("span.math mjx-math")) fitInline(formula, smallest);
  };
  const fitArticle = async () => {
    await window.MathJax?.startup?.promise;
    for (const article of document.querySelectorAll("article")) fitAll(article);
  };
  let width = window.innerWidth;
  const fitAgain = () => {
    if (width !== window.innerWidth) requestAnimationFrame(fitArticle);
    width = window.innerWidth;
  };

  // On paper nothing can be opened: solutions and reasons are printed, folded code is not.
  let opened = [];
  const open = () => {
    opened = [...document.querySelectorAll("details.solution:not([open]), .vae-live-placeholder details:not([open])")];
    for (const details of opened) details.open = true;
  };
  const close = () => {
    for (const details of opened) details.open = false;
    opened = [];
  };

  // On a phone a formula with a number stands at the left: in the middle it would need the number's
  // width at either side. One of several parts, between which it has wide space, has a line for each,
  // and a long one for each of its relations but the first. This runs before MathJax.
  const SIGN = /\\(?:left|right|q?quad|approx|le|ge|propto)\b|\\\W|[{}=]/g;
  const LONG = 80; // letters of TeX
  const inLines = (tex) => {
    let [depth, relations] = [0, 0];
    return tex.replace(SIGN, (sign) => {
      depth += ["{", "\\left"].includes(sign) - ["}", "\\right"].includes(sign);
      if (depth || /^(?:\\\W|\}|\\right)$/.test(sign)) return sign;
      relations = sign.endsWith("quad") ? 0 : relations + 1;
      if (relations === 0) return "\\\\[0.4em]";
      return relations > 1 && tex.length > LONG ? `\\\\[0.4em]{}${sign}` : sign;
    });
  };
  const breakFormulas = () => {
    const WHOLE = /^(\s*\\\[)(?![\s\S]*\\begin)([\s\S]*?)((?:\\tag\{[^}]*\})?\s*\\\]\s*)$/;
    for (const box of document.querySelectorAll("article div.math")) {
      const [, start, tex, end] = WHOLE.exec(box.lastChild.data ?? "") ?? [];
      const lines = inLines(tex ?? "");
      if (lines !== (tex ?? "")) box.lastChild.data = `${start}\\begin{gathered}${lines}\\end{gathered}${end}`;
    }
  };
  if (NARROW.matches && window.MathJax) {
    window.MathJax.chtml = { ...window.MathJax.chtml, displayAlign: "left", displayIndent: "0" };
    breakFormulas();
  }

  window.addEventListener("load", settleSidebar);
  window.addEventListener("load", fitArticle);
  window.addEventListener("resize", fitAgain);
  document.addEventListener("toggle", ({ target }) => fitAll(target), true); // what is shut has no width
  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
}
