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
  window.addEventListener("beforeprint", open);
  window.addEventListener("afterprint", close);
}
