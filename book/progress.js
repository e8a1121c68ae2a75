// Remembers, in this browser alone, which chapters have been read, and shows it by quiet ticks.
//
// A first reading ends with the key points, a chapter with its last paragraph. Where nothing may be
// stored, nothing is remembered, and the page is as it would be without this script.

"use strict";

{
  const KEY = "vae-book-read";
  const STAY = 1500; // ms that an end has to be in view: whoever scrolls past has not read
  const CHAPTER = /chapters\/([\w-]+)(?:\.html)?(?:[?#].*)?$/;
  const SAID = { first: "first reading done", all: "read to the end" };

  const chapterOf = (address) => CHAPTER.exec(address)?.[1];

  const recall = () => {
    try {
      const kept = JSON.parse(window.localStorage.getItem(KEY) ?? "{}");
      const known = Object.entries(kept ?? {}).filter(([, how]) => Object.hasOwn(SAID, how));
      return Object.fromEntries(known);
    } catch {
      return {}; // forbidden, or not ours
    }
  };

  const keep = (read) => {
    try {
      Object.keys(read).length
        ? window.localStorage.setItem(KEY, JSON.stringify(read))
        : window.localStorage.removeItem(KEY);
      return true;
    } catch {
      return false;
    }
  };

  const make = (name, attributes, ...content) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...content);
    return node;
  };

  const tick = (how) => {
    const mark = make("span", { "aria-hidden": "true" }, how === "all" ? "✓" : "◐");
    const words = make("span", { class: "visually-hidden" }, ` (${SAID[how]})`);
    return make("span", { class: "read-tick", title: SAID[how] }, mark, words);
  };

  // Every link to a chapter that lists it, in the sidebar and on the cards.
  const listed = () => [...document.querySelectorAll(".bd-sidebar-primary nav a[href], .chapter-card-title a[href]")];

  const forget = () => {
    keep({});
    show();
  };

  // Below the list, a way to forget; only where there is something.
  const offerToForget = (read) => {
    const places = document.querySelectorAll(".bd-sidebar-primary .bd-docs-nav, ul.chapter-cards");
    for (const place of Object.keys(read).length ? places : []) {
      const button = make("button", { type: "button", class: "read-forget" }, "Forget what I have read");
      button.addEventListener("click", forget);
      place.after(button);
    }
  };

  // On the landing page, where to go on: at the first chapter that has not been read.
  const offerToGoOn = (read) => {
    const start = document.querySelector(".start");
    const links = [...document.querySelectorAll(".chapter-card-title a")];
    const next = links.find((link) => !read[chapterOf(link.href)]);
    if (!start || !next || !Object.keys(read).length) return;
    const link = make("a", { class: "read-go-on", href: next.getAttribute("href") }, `Go on: ${next.textContent}`);
    start.append(link);
  };

  const show = () => {
    const read = recall();
    for (const old of document.querySelectorAll(".read-tick, .read-forget, .read-go-on")) old.remove();
    for (const link of listed()) {
      const how = read[chapterOf(link.href)];
      if (how) link.append(tick(how));
    }
    offerToForget(read);
    offerToGoOn(read);
  };

  const note = (chapter, how) => {
    const read = recall();
    if (read[chapter] === "all" || read[chapter] === how) return;
    if (keep({ ...read, [chapter]: how })) show();
  };

  // Call back once an element has been in view for a while.
  const whenSeen = (element, done) => {
    let timer;
    const observer = new IntersectionObserver((entries) => {
      clearTimeout(timer);
      if (!entries.at(-1).isIntersecting) return;
      timer = setTimeout(() => {
        observer.disconnect();
        done();
      }, STAY);
    });
    observer.observe(element);
  };

  const watch = () => {
    const chapter = chapterOf(window.location.pathname);
    const points = document.querySelector("section#key-points li:last-child");
    let end = document.querySelector("article.bd-article section");
    while (end?.matches("section") && end.lastElementChild) end = end.lastElementChild;
    if (!chapter || !window.IntersectionObserver) return;
    if (points) whenSeen(points, () => note(chapter, "first"));
    if (end) whenSeen(end, () => note(chapter, "all"));
  };

  const start = () => {
    show();
    watch();
    // Another page of the book, open beside this one, may have been read meanwhile.
    window.addEventListener("storage", show);
    window.addEventListener("pageshow", show);
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
}
