"""Questions on a page: by keys, mouse and finger, read out, and without JavaScript."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import next_frame, press, readout, scrolls_sideways, section, touch_drag, values
from figures import QUESTIONS
from live_page import THEME
from playwright.sync_api import expect

from vae_lib.exercises import quiz
from vae_lib.live import quiz_figure, source

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [str(int(path.name[:2])) for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))]


@pytest.fixture
def figure():
    return quiz_figure(QUESTIONS)


def group(page, number):
    return page.get_by_role("group").nth(number - 1)


def verdict(page, number):
    next_frame(page)
    return group(page, number).get_by_role("status")


def test_the_keyboard_alone_answers_every_question_wrong_and_right(page_of):
    figure = quiz("6")
    page = page_of(figure)
    page.keyboard.press("Tab")
    for number, question in enumerate(figure.state["questions"], 1):
        options = question["options"]
        page.keyboard.press("Space")  # the first
        for k, option in enumerate(options):
            page.keyboard.press("Enter")
            said = verdict(page, number).inner_text()
            finding = "is right." if option["right"] else "is not right."
            assert said == f"{'ABCD'[k]} {finding} {option['reason'].replace('`', '')}"
            if k + 1 < len(options):
                page.keyboard.press("ArrowDown")
        done = values(page)["questions"][number - 1]
        assert done["checked"] == list(range(len(options))) and done["solved"]
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Check"
        page.keyboard.press("Tab")
    n = len(figure.state["questions"])
    assert readout(page) == f"{n} of {n} answered rightly: that is all of them."


def test_the_button_checks_what_is_chosen(page_of, figure):
    page = page_of(figure)
    assert readout(page) == "0 of 2 answered rightly."
    check = group(page, 2).get_by_role("button", name="Check")
    press(check, "Space")
    assert verdict(page, 2).inner_text() == "Choose an answer first."
    group(page, 2).get_by_role("radio").nth(1).check()
    assert values(page)["questions"][1] == {"chosen": 1, "checked": [], "solved": False}
    assert readout(page) == "0 of 2 answered rightly."
    check.click()
    assert verdict(page, 2).inner_text() == "B is not right. That holds for probabilities."
    group(page, 2).get_by_role("radio").nth(0).check()
    check.click()
    assert verdict(page, 2).inner_text() == "A is right. A density may exceed 1."
    assert verdict(page, 1).inner_text() == ""
    assert readout(page) == "1 of 2 answered rightly."


def test_what_has_been_tried_is_marked_in_words(page_of, figure):
    page = page_of(figure)
    for k in (0, 1):
        press(group(page, 1).get_by_role("radio").nth(k), "Space", "Enter")
    names = group(page, 1).locator("label").all_inner_texts()
    assert [
        name.endswith(end) for name, end in zip(names, ("✗ not right", "✓ right"), strict=False)
    ]
    assert "right" not in names[2]
    assert section(page).locator(".vae-live-option[data-verdict=right]").count() == 1


def test_a_right_answer_stays_answered_while_others_are_read(page_of, figure):
    page = page_of(figure)
    for k in (0, 1):
        press(group(page, 2).get_by_role("radio").nth(k), "Space", "Enter")
    assert verdict(page, 2).inner_text().startswith("B is not right.")
    assert values(page)["questions"][1] == {"chosen": 1, "checked": [0, 1], "solved": True}
    assert readout(page) == "1 of 2 answered rightly."


def test_a_finger_answers_on_a_phone(page_of, figure):
    page = page_of(figure, touch=True, width=390, theme="dark")
    label = group(page, 2).locator("label").nth(1)
    assert label.bounding_box()["height"] >= 44 and label.bounding_box()["width"] > 300
    touch_drag(label)
    touch_drag(group(page, 2).get_by_role("button"))
    assert verdict(page, 2).inner_text() == "B is not right. That holds for probabilities."
    assert not scrolls_sideways(page)


def test_each_chapters_quiz_fits_a_phone(page_of):
    page = page_of(*map(quiz, CHAPTERS), width=390)
    for i in range(len(CHAPTERS)):
        section(page, i).get_by_role("radio").last.check()
        section(page, i).get_by_role("button").last.click()
    assert not scrolls_sideways(page)
    beyond = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    assert page.locator("label").evaluate_all(beyond) == 0


def test_each_question_is_a_named_group_and_its_verdict_a_status(page_of, figure):
    page = page_of(figure)
    expect(page.get_by_role("group", name=re.compile("1. What does"))).to_be_visible()
    expect(page.get_by_role("radio", name="B. Itself, & σ²")).to_be_visible()
    assert page.get_by_role("status").count() == 3  # one each, and the figure's own
    names = page.get_by_role("radio").evaluate_all("(all) => all.map((radio) => radio.name)")
    assert len(set(names[:3])) == len(set(names[3:])) == 1 and names[0] != names[3]


def test_text_is_text_and_backticks_are_code(page_of, figure):
    page = page_of(figure)
    assert page.locator("legend code").all_inner_texts() == ["a < b & c"]
    assert group(page, 1).locator("b").count() == 0
    assert "<b>bold</b>" in group(page, 1).locator("label").nth(0).inner_text()
    press(group(page, 1).get_by_role("radio").nth(0), "Space", "Enter")
    assert verdict(page, 1).locator("code").all_inner_texts() == ["<b>"]


def test_a_focused_radio_is_seen(page_of, figure):
    page = page_of(figure)
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate("document.activeElement.type") == "radio"
    assert page.evaluate(outline) == "solid"


def test_two_quizzes_on_a_page_do_not_share_their_answers(page_of, figure):
    page = page_of(figure, quiz("1"))
    press(section(page, 0).get_by_role("radio").nth(0), "Space")
    press(section(page, 1).get_by_role("radio").nth(1), "Space")
    chosen = [[q["chosen"] for q in values(page, which)["questions"]] for which in (0, 1)]
    assert chosen == [[0, None], [1, None, None]]


def test_nothing_is_left_after_removal(page_of, figure):
    page = page_of(figure)
    left = page.evaluate(
        """(state) => {
          const el = document.createElement("div");
          document.body.append(el);
          const values = { name: "A quiz", description: "Again", state };
          const model = { get: (name) => values[name] };
          const end = window.vaeLive.quiz.render({ model, el });
          const [radio, button] = [el.querySelector("input"), el.querySelector("button")];
          radio.click();
          button.click();
          const status = el.querySelector("[role=status]");
          const before = status.textContent;
          end();
          const html = el.innerHTML;
          el.append(radio, button, status);
          status.textContent = "";
          radio.click();
          button.click();
          return [before, html, status.textContent];
        }""",
        figure.state,
    )
    assert left == ["A is not right. No tag is one: <b> is text.", "", ""]
    assert not re.search(r"Storage|cookie|indexedDB", source.script("quiz"))


# Where there is no JavaScript, and in a notebook


def stand_in(figure):
    data, _ = figure._repr_mimebundle_()
    return data["text/html"]


def test_a_notebook_gets_the_widget_and_its_stand_in(figure):
    data, _ = figure._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.model_id
    assert data["text/plain"].startswith(figure.name)
    assert "image/png" not in data
    assert len(json.dumps(figure.state)) < 20_000


@pytest.mark.parametrize(("theme", "width"), [("light", 800), ("dark", 390)])
def test_without_javascript_each_option_opens_to_its_reason(open_page, theme, width):
    figure = quiz("7")
    page = open_page(scripts=False, theme=theme, width=width)
    page.set_content(
        f'<!doctype html><html lang="en" data-theme="{theme}"><title>A quiz</title>'
        f"<style>{THEME}{source.STYLE}</style><main>{stand_in(figure)}</main>"
    )
    options = [option for q in figure.state["questions"] for option in q["options"]]
    folded = page.locator("details").all()
    assert len(folded) == len(options)
    for fold, option in zip(folded, options, strict=True):
        assert fold.locator("summary").inner_text()[3:] == option["text"].replace("`", "")
        assert not fold.locator("p").is_visible()
        fold.locator("summary").focus()
        page.keyboard.press("Enter")
        said = fold.locator("p").inner_text()
        finding = "Right." if option["right"] else "Not right."
        assert said == f"{finding} {option['reason'].replace('`', '')}"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_stand_in_escapes_its_texts_and_has_no_script_nor_style(figure):
    parser = Tags()
    parser.feed(stand_in(figure))
    wanted = {"div", "p", "strong", "code", "details", "summary"}
    assert {tag for tag, _ in parser.seen} == wanted
    assert {name for _, names in parser.seen for name in names} == {"class"}
    assert "A. <b>bold</b>" in parser.text and "a < b & c" in parser.text


def changed(question=0, **changes):
    made = json.loads(json.dumps(QUESTIONS))
    for path, value in changes.items():
        made[question]["options"][0 if path in ("text", "reason") else 1][path] = value
    return made


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ([], "one question or more, but got none"),
        (changed(right=False), "Question 1 needs one right option, but 0 are right"),
        (changed(1, right=True), "Question 2 needs one right option, but 2 are right"),
        (changed(text="Nothing"), "Question 1 needs from 2 to 6 options, all of them different"),
        ([{"text": "Why?", "options": QUESTIONS[0]["options"][1:2]}], "from 2 to 6 options"),
        (changed(reason=" "), "Question 1 has an empty text"),
        (changed(reason="`z"), "a backtick too few: '`z'"),
    ],
)
def test_bad_input_is_named(questions, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        quiz_figure(questions)


def test_paper_asks_nobody_to_open_an_answer(open_page, figure):
    page = open_page()
    style = (ROOT / "book/assets/print.css").read_text(encoding="utf-8")
    page.set_content(f'<style>{style}</style><div class="bd-article">{stand_in(figure)}</div>')
    to_do = page.get_by_text("Open an answer to see")
    assert to_do.is_visible()
    page.emulate_media(media="print")
    assert not to_do.is_visible()
