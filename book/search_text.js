// On the page of search results, formulas in the snippets read as text, not as TeX, and what the
// question names comes first: a chapter whose title has all its words, then the glossary's entry.

"use strict";

{
  const GREEK = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", eta: "η", theta: "θ",
    lambda: "λ", mu: "μ", nu: "ν", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", varphi: "φ",
    psi: "ψ", omega: "ω", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
  };
  const SIGNS = {
    mid: " | ", sim: " ~ ", approx: " ≈ ", le: " ≤ ", leq: " ≤ ", ge: " ≥ ", geq: " ≥ ", ne: " ≠ ", neq: " ≠ ",
    times: " × ", cdot: " · ", pm: " ± ", to: " → ", infty: "∞", partial: "∂", nabla: "∇", int: "∫", sum: "Σ",
    prod: "∏", in: " ∈ ", ell: "ℓ", odot: " ⊙ ", propto: " ∝ ", dots: "…", ldots: "…", cdots: "…", quad: " ",
    qquad: " ", log: "log ", exp: "exp ", max: "max ", min: "min ", lVert: "‖", rVert: "‖", Vert: "‖", top: "ᵀ",
  };

  // A formula in one line of text, as it would be typed: enough to recognise it by.
  const plain = (tex) =>
    tex
      .replace(/\\tag\{([^}]*)\}/g, " ($1)")
      .replace(/\\(?:begin|end)\{[^}]*\}|&|\\\\/g, " ")
      .replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, "($1)/($2)")
      .replace(/\\[dt]?frac\s*(\w)\s*(\w)/g, "$1/$2")
      .replace(/\\sqrt\{([^{}]*)\}/g, "√($1)")
      .replace(/\\hat\s*\{?(\w)\}?/g, "$1̂")
      .replace(/\\(?:mathcal|mathbb|mathbf|mathrm|operatorname\*?|text|boldsymbol)\s*\{?(\w+)\}?/g, "$1")
      .replace(/\\([A-Za-z]+)\s*/g, (_, name) => GREEK[name] ?? SIGNS[name] ?? "")
      .replace(/\\[,;:! ]/g, " ")
      .replace(/\\([{}|%&#_$])/g, "$1")
      .replace(/\^\{?2\}?/g, "²")
      .replace(/[{}]/g, "")
      .replace(/\s+/g, " ");

  const withoutTex = (text) =>
    text.replace(/\\\(([\s\S]*?)\\\)|\\\[([\s\S]*?)\\\]/g, (_, inline, display) => plain(inline ?? display));

  // Sphinx gives a page the best score that any one of the words has, so that with "conditional VAE"
  // every page with "VAE" in a heading is as good as the chapter of that name.
  const BY_TITLE = 20; // for the title, on top of the 15 that a page has for a word in a heading
  const BY_ENTRY = 30; // at most, for an entry of the glossary, which would have up to 100

  const words = (text) => {
    const stemmer = new Stemmer();
    const all = splitQuery(text.toLowerCase()).filter((word) => !stopwords.includes(word));
    return new Set(all.map((word) => stemmer.stemWord(word)));
  };

  // Results are [page, title, anchor, description, score, file]; only a whole page has no anchor.
  const score = ([page, title, anchor, , found]) => {
    if (page === "book/glossary") return Math.min(found, BY_ENTRY);
    const asked = words(new URLSearchParams(location.search).get("q") ?? "");
    const named = words(title);
    return found + (!anchor && asked.size && [...asked].every((word) => named.has(word)) ? BY_TITLE : 0);
  };

  if (typeof Scorer === "object") Scorer.score = score;

  if (typeof Search === "object" && Search.htmlToText) {
    const asText = Search.htmlToText;
    Search.htmlToText = (...page) => withoutTex(asText(...page)).replace(/<!--[\s\S]*?-->/g, "");
  }
}
