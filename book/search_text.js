// On the page of search results, formulas in the snippets read as text, not as TeX.

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

  if (typeof Search === "object" && Search.htmlToText) {
    const asText = Search.htmlToText;
    Search.htmlToText = (...page) => withoutTex(asText(...page)).replace(/<!--[\s\S]*?-->/g, "");
  }
}
