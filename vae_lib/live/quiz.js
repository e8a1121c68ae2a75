// Questions with one right answer each: choose, check, and read what makes it right or wrong.

import { button } from "./shared/controls.js";
import { element, freshId, live } from "./shared/frame.js";

const LETTERS = "ABCDEF";

export default live((frame, state) => {
  if (!state.questions?.length) throw new Error("the questions are missing");
  frame.root.classList.add("vae-live-quiz");
  const progress = state.questions.map((question, i) => ask(frame, question, i + 1));
  frame.draw(() => {
    const n = progress.filter(({ solved }) => solved).length;
    const all = n === progress.length ? ": that is all of them" : "";
    frame.tell(`${n} of ${progress.length} answered rightly${all}.`, { questions: progress });
  });
});

// One question on the stage; returns what the reader has done with it so far.
function ask(frame, { text, options }, number) {
  const progress = { chosen: null, checked: [], solved: false };
  const group = freshId();
  const verdict = element("p", { class: "vae-live-verdict", role: "status" });
  const rows = options.map((option, k) => {
    const input = element("input", { type: "radio", name: group });
    const mark = element("span", { class: "vae-live-mark" });
    frame.listen(input, "change", () => {
      progress.chosen = k;
      frame.request();
    });
    const said = element("span", {}, `${LETTERS[k]}. `, ...withCode(option.text), mark);
    return { row: element("label", { class: "vae-live-option" }, input, said), mark };
  });

  const check = () => {
    if (progress.chosen === null) {
      verdict.textContent = "Choose an answer first.";
      return;
    }
    const k = progress.chosen;
    const { right, reason } = options[k];
    rows[k].row.dataset.verdict = verdict.dataset.verdict = right ? "right" : "wrong";
    rows[k].mark.textContent = right ? " ✓ right" : " ✗ not right";
    const finding = `${LETTERS[k]} is ${right ? "right" : "not right"}.`;
    verdict.replaceChildren(element("strong", {}, finding), " ", ...withCode(reason));
    progress.checked.push(k);
    progress.solved ||= right;
    frame.request();
  };

  const question = element("legend", {}, `${number}. `, ...withCode(text));
  const fieldset = element("fieldset", {}, question, ...rows.map(({ row }) => row));
  button(frame, { label: "Check", onClick: check, parent: fieldset });
  fieldset.append(verdict);
  frame.listen(fieldset, "keydown", (event) => {
    if (event.key !== "Enter" || event.target.type !== "radio") return;
    event.preventDefault();
    check();
  });
  frame.stage.append(fieldset);
  return progress;
}

// Text in which `backticks` stand for code.
function withCode(text) {
  return text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
}
