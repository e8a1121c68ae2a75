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
    const around = formula.closest("td, th")?.closest("table"); // a cell is as wide as its formula
    const room = (around ?? formula.closest("p, li, dd, div")).clientWidth - 12; // and a full stop
    shrink(formula, room / formula.getBoundingClientRect().width, smallest);
  };
  const fitAll = (within) => {
    const smallest = NARROW.matches ? 0.45 : 0.85;
    for (const box of within.querySelectorAll("div.math")) fit(box, smallest);
    for (const box of within.querySelectorAll(".pst-scrollable-table-container")) fit(box, smallest);
    for (const formula of within.querySelectorAll("span.math mjx-math")) fitInline(formula, smallest);
  };
  const fitArticle = async () => {
    await window.MathJax?.startup?.promise;
    const articles = [...document.querySelectorAll("article")].filter((article) => article.clientWidth);
    await document.fonts.ready; // which the line above has asked for: signs are as wide as in their font
    articles.forEach(fitAll);
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
  // and a long one for each of its relations, as a rule but the first. This runs before MathJax.
  const SIGN = /\\(?:left|right|q?quad|approx|le|ge|propto)\b|\\\W|[{}=]/g;
  const [LONG, LONGER] = [80, 120]; // letters of TeX
  const NEW_LINE = "\\\\[0.4em]";
  const BETWEEN = /(\\\\\[0\.4em\]\s*(?:\\text\{[^}]*\}|\\[Ll]ong(?:left)?rightarrow)\s*)\\\\\[0\.4em\]/g;
  const replaceOutside = (tex, put) => {
    let depth = 0; // of brackets, within which no line may end
    return tex.replace(SIGN, (sign) => {
      depth += ["{", "\\left"].includes(sign) - ["}", "\\right"].includes(sign);
      return depth || /^(?:\\\W|\}|\\right)$/.test(sign) ? sign : put(sign);
    });
  };
  const inLines = (tex) => {
    const apart = replaceOutside(tex, (sign) => (sign.endsWith("quad") ? NEW_LINE : sign));
    const parts = apart.replaceAll(BETWEEN, "$1\\;").split(NEW_LINE);
    const broken = parts.map((part) => {
      let isFirst = true;
      return replaceOutside(part, (sign) => {
        const isLong = part.length > (isFirst ? LONGER : LONG);
        isFirst = false;
        return isLong ? `${NEW_LINE}{}${sign}` : sign;
      });
    });
    return broken.join(NEW_LINE);
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
