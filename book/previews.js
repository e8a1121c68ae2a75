// A card beside a link with what it leads to: the figure and its caption, the formula, the task, the
// definition. For the mouse and the keyboard; a finger's tap just follows the link. What a page's
// targets look like in small stands in a script of its own (previews.py), which is asked for once a
// link to that page is pointed at.

"use strict";
{
  const LINKS = "article a.reference.internal[href]";
  const BEFORE_SHOWN = 200; // ms: a pointer on its way elsewhere opens nothing
  const BEFORE_GONE = 300; // ms: enough to reach the card
  const GAP = 6; // pixels between link and card, and at least 8 beside it
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const asked = {};
  window.bookPreviews = {}; // filled by the pages' scripts

  let card = null; // made when it is first needed
  let shown = null; // the link beside which it stands, or is about to
  let timer = 0;

  function script(path) {
    asked[path] ??= new Promise((done) => {
      const element = document.createElement("script");
      element.src = new URL(path, root);
      element.onload = element.onerror = done;
      document.head.append(element);
    });
    return asked[path];
  }

  async function mathjax() {
    if (document.readyState !== "complete") {
      await new Promise((done) => addEventListener("load", done, { once: true }));
    }
    if (!window.MathJax) {
      // This page has no formula of its own.
      window.MathJax = { startup: { typeset: false } };
      await script("_static/mathjax/tex-chtml.js");
    }
    await window.MathJax.startup?.promise;
    return window.MathJax;
  }

  async function previewOf(link) {
    const [address, anchor = ""] = link.href.split("#");
    const path = decodeURI(address.split("?")[0]);
    const start = decodeURI(root.href);
    if (!path.startsWith(start) || !path.endsWith(".html")) return undefined;
    const page = path.slice(start.length, -".html".length);
    await script(`_static/previews/${page}.js`);
    return window.bookPreviews[page]?.[decodeURIComponent(anchor)];
  }

  async function fill(preview) {
    window.MathJax?.typesetClear?.([card]);
    const content = document.createElement("div");
    content.innerHTML = preview.html;
    card.replaceChildren(content);
    if (preview.image) {
      const picture = document.createElement("img");
      picture.alt = "";
      const isDark = preview.dark && document.documentElement.dataset.theme === "dark";
      if (isDark) picture.className = "only-dark"; // drawn for it, and so not inverted
      picture.src = new URL(`_images/${isDark ? preview.dark : preview.image}`, root);
      content.prepend(picture);
      await picture.decode().catch(() => picture.remove());
    }
    const formulas = content.querySelectorAll(".math");
    if (formulas.length === 0) return;
    await (await mathjax()).typesetPromise?.([card]);
    for (const formula of formulas) {
      const share = content.clientWidth / formula.scrollWidth;
      if (share < 1) formula.style.fontSize = `${Math.floor(95 * share)}%`;
    }
  }

  function place(link, x) {
    const lines = [...link.getClientRects()]; // a link may go on in the next line
    const line = lines.find((one) => one.left <= x && x <= one.right) ?? lines[0];
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(line.left, width - card.offsetWidth - 8));
    const isAbove = line.bottom + GAP + card.offsetHeight > innerHeight && line.top > innerHeight / 2;
    const top = isAbove ? line.top - GAP - card.offsetHeight : line.bottom + GAP;
    card.style.left = `${left + scrollX}px`;
    card.style.top = `${top + scrollY}px`;
  }

  function makeCard() {
    card = document.createElement("div");
    card.id = "book-preview";
    card.className = "book-preview";
    card.setAttribute("role", "tooltip");
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", hideSoon);
    document.body.append(card);
  }

  async function show(link, x) {
    hide();
    shown = link;
    const preview = await previewOf(link);
    if (!preview || shown !== link) return;
    if (!card) makeCard();
    card.classList.remove("is-shown");
    await fill(preview);
    if (shown !== link) return;
    place(link, x);
    card.classList.add("is-shown");
    link.setAttribute("aria-describedby", card.id);
  }

  function hide() {
    clearTimeout(timer);
    card?.classList.remove("is-shown");
    if (shown?.getAttribute("aria-describedby") === "book-preview") {
      shown.removeAttribute("aria-describedby");
    }
    shown = null;
  }

  function hideSoon() {
    clearTimeout(timer);
    timer = setTimeout(hide, BEFORE_GONE);
  }

  document.addEventListener("pointerover", (event) => {
    const link = event.target.closest?.(LINKS);
    if (!link || event.pointerType === "touch") return;
    clearTimeout(timer);
    if (link !== shown) timer = setTimeout(() => show(link, event.clientX), BEFORE_SHOWN);
  });
  document.addEventListener("pointerout", (event) => {
    const link = event.target.closest?.(LINKS);
    if (link && !link.contains(event.relatedTarget)) hideSoon();
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.(LINKS);
    if (link?.matches(":focus-visible") && link !== shown) show(link, 0);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === shown) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
}
