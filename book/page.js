// What every page does beside showing itself: it opens at the reader's place, and prints whole.

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

  // A formula that is hardly wider than its column is set a little smaller; a wider one scrolls.
  const SMALLEST = 0.85;
  const fitFormulas = async () => {
    await window.MathJax?.startup?.promise;
    for (const box of document.querySelectorAll("article div.math")) {
      const formula = box.querySelector("mjx-container");
      const share = box.clientWidth / Math.max(box.scrollWidth, formula?.scrollWidth ?? 0);
      if (!formula || share >= 1 || share < SMALLEST) continue;
      const now = parseFloat(getComputedStyle(formula).fontSize);
      formula.style.fontSize = `${(now * share * 0.99).toFixed(2)}px`;
    }
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

  window.addEventListener("load", settleSidebar);
  window.addEventListener("load", fitFormulas);
  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
}
