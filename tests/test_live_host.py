"""The host of the built pages: each figure stands for itself, whatever has become of another."""

import base64
import copy
import json
import random

import pytest
from figures import FIGURES, like, made
from ipywidgets.embed import dependency_state
from live_page import HOST

from vae_lib.live import source

# The names that every object of JavaScript has, and what no page holds.
NO_FIGURES = ("constructor", "toString", "__proto__", "hasOwnProperty", "latent_mop", None, 7, "")
NO_NUMBERS = (None, "NaN", "three", {}, [], -1e308, 1e308, True)
SEEDS = range(8)  # damaged states of each figure


def widget(figure):
    """A figure's state as it stands in a page."""
    state = dependency_state([figure], drop_defaults=False)[figure.model_id]
    del state["state"]["_esm"], state["state"]["_css"]
    return state


@pytest.fixture(scope="module")
def widgets():
    return {asked.name: widget(made(asked)[0]) for asked in FIGURES}


def leaves(part, path=()):
    """The paths of all numbers, texts and lists in a state."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list) and len(path) < 4:
            yield from leaves(value, (*path, key))


def put(part, path, value):
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value


def damage_buffer(made, dice):
    buffer = dice.choice(made["buffers"])
    data = bytearray(base64.b64decode(buffer["data"]))
    kind = dice.randrange(7)
    if kind == 0:
        buffer["data"] = "no base64!"
    elif kind == 1:
        buffer["data"] = base64.b64encode(data[: dice.randrange(len(data))]).decode()
    elif kind == 2:
        data[-4:] = b"\x00\x00\xc0\x7f"  # NaN
        buffer["data"] = base64.b64encode(data).decode()
    elif kind == 3:
        buffer["path"] = ["state", "nowhere", "data"]
    elif kind == 4:
        buffer["path"] = ["__proto__", "polluted"]
    elif kind == 5:
        buffer["path"] = dice.choice([[], None, 7, ["state", "__proto__", "toString"]])
    else:
        made["buffers"].remove(buffer)


def damage_state(made, dice):
    path = dice.choice(list(leaves(made["state"]["state"], ("state", "state"))))
    put(made, path, dice.choice(NO_NUMBERS))


def damage_widget(made, dice):
    kind = dice.randrange(4)
    if kind == 0:
        made["state"]["figure"] = dice.choice([name for name in NO_FIGURES if name is not None])
    elif kind == 1:
        made["state"]["state"] = dice.choice([None, [], "", 3, {}])
    elif kind == 2:
        made["buffers"] = dice.choice([7, "none", [None], [{}], [{"path": ["state"]}]])
    else:
        del made["state"]["state"]


def damaged(made, seed):
    dice = random.Random(seed)
    made = copy.deepcopy(made)
    ways = [damage_state, damage_widget, *([damage_buffer] if made.get("buffers") else [])]
    ways[seed % len(ways)](made, dice)
    return made


PAGE = """<!doctype html><html lang="en"><title>Figures</title><main></main>"""
# Shows each case, a damaged figure between two sound ones, and tells what became of the three.
SHOW = """([cases, host]) => {
  const errors = [];
  addEventListener("error", (event) => errors.push(event.message));
  const script = (type, text) => {
    const made = document.createElement("script");
    made.type = type;
    made.textContent = text;
    return made;
  };
  const found = cases.map(([widgets, text]) => {
    const main = document.createElement("main");
    document.querySelector("main").replaceWith(main);
    const blocks = widgets.map((_, i) => {
      const block = document.createElement("div");
      const still = document.createElement("div");
      still.className = "vae-live-placeholder";
      const view = JSON.stringify({ model_id: `m${i}` });
      block.append(script("application/vnd.jupyter.widget-view+json", view), still);
      return block;
    });
    const state = Object.fromEntries(widgets.map((widget, i) => [`m${i}`, widget]));
    const source = text ?? JSON.stringify({ state });
    main.append(...blocks, script("application/vnd.jupyter.widget-state+json", source));
    main.append(script("text/javascript", host));
    return blocks.map((block) => ({
      still: block.querySelectorAll(".vae-live-placeholder:not([hidden])").length,
      alerts: [...block.querySelectorAll("[role=alert]")].map((alert) => alert.textContent),
      told: block.querySelector("section.vae-live")?.dataset.values ?? null,
      words: block.querySelector(".vae-live-readout")?.textContent ?? "",
    }));
  });
  return { found, errors, polluted: {}.polluted ?? null };
}"""


@pytest.fixture
def shown(borrow_page):
    """A function that shows cases, lists of three widgets each, and tells what became of them."""

    def show(cases):
        page = borrow_page()
        page.set_content(PAGE)
        for name in source.figures():
            page.add_script_tag(content=source.script(name))
        result = page.evaluate(SHOW, [cases, HOST])
        # What a damaged figure draws before it stops may be no place for a mark.
        page.complaints[:] = [c for c in page.complaints if not c.startswith("console: Error: <")]
        return result

    return show


def assert_alive(one):
    assert (one["still"], one["alerts"]) == (0, [])
    assert json.loads(one["told"])


def assert_replaced_by_its_picture(one):
    assert one["still"] == 1
    (sentence,) = one["alerts"]
    assert sentence.startswith("This figure cannot be shown: ") and len(sentence) > 40, sentence


@pytest.mark.parametrize("name", source.figures())
def test_a_damaged_figure_fails_alone_and_keeps_its_picture(shown, widgets, name):
    sound = [widgets["one_pixel"], widgets["quiz"]]
    cases = [[[sound[0], damaged(widgets[name], seed), sound[1]], None] for seed in SEEDS]
    result = shown(cases)
    assert result["errors"] == [] and result["polluted"] is None
    n_failed = 0
    for before, middle, after in result["found"]:
        assert_alive(before)
        assert_alive(after)
        if middle["alerts"]:
            assert_replaced_by_its_picture(middle)
            n_failed += 1
        else:  # it does without, and says nothing wrong
            assert middle["still"] == 0 and len(middle["words"]) > 10
            assert not any(word in middle["words"] for word in ("NaN", "undefined", "Infinity"))
    assert n_failed >= len(SEEDS) // 2, "hardly anything was damaged"


def test_a_name_that_is_no_figures_is_said(shown, widgets):
    def named(name):
        made = copy.deepcopy(widgets["quiz"])
        made["state"]["figure"] = name
        return made

    cases = [[[widgets["quiz"], named(name), widgets["one_pixel"]], None] for name in NO_FIGURES]
    result = shown(cases)
    assert result["errors"] == []
    for before, middle, after in result["found"]:
        assert_alive(before)
        assert_replaced_by_its_picture(middle)
        assert_alive(after)


def test_a_page_whose_states_cannot_be_read_keeps_all_pictures(shown, widgets):
    three = [widgets["quiz"]] * 3
    result = shown([[three, "{"], [three, "[]"], [three, '{"state": null}']])
    assert result["errors"] == []
    for found in result["found"]:
        for one in found:
            assert_replaced_by_its_picture(one)


def test_a_widget_of_another_kind_is_left_alone(shown, widgets):
    bar = {"model_name": "FloatProgressModel", "state": {"value": 3}}
    result = shown([[[widgets["quiz"], bar, widgets["quiz"]], None]])
    ((before, middle, after),) = result["found"]
    assert_alive(before)
    assert (middle["still"], middle["alerts"]) == (1, [])
    assert_alive(after)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_python_refuses_a_state_that_json_cannot_hold(value):
    figure, _ = made(FIGURES[0])
    with pytest.raises(ValueError, match="finite numbers, but in its state, usual there is"):
        like(figure, {**figure.state, "usual": value})
