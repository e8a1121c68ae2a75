"""How the live figures' scripts are written and joined, and what Python sends them."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from shared_modules import PAGE, SHARED
from torch import nn

import vae_lib.live
from vae_lib.live import LiveFigure, source
from vae_lib.live.figure import pack, pack_network

SCRIPTS = sorted(source.FOLDER.rglob("*.js"))
each_figure = pytest.mark.parametrize("name", source.figures())
each_script = pytest.mark.parametrize(
    "path", SCRIPTS, ids=lambda path: path.relative_to(source.FOLDER).with_suffix("").as_posix()
)


def test_every_script_belongs_to_a_figure_or_to_all():
    """A folder of pieces is named for its figure, and each piece is in the joined script."""
    for path in set(SCRIPTS) - set(SHARED):
        name = path.parent.name if path.parent != source.FOLDER else path.stem
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "const " in line]
        body = re.sub(r"^export (?:default )?", "", lines[0])
        assert body in source.module(name), path


# How a script is written


def code(path):
    """A script without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"(?<![:\"'])//.*", "", text)


def top_level_names(text):
    names = []
    for line in text.splitlines():
        found = re.match(r"(?:export (?:default )?)?(?:async )?(?:function\*?|class) (\w+)", line)
        if found:
            names.append(found[1])
        found = re.match(r"(?:export )?(?:const|let|var) (\w+|[\[{][^=]*[\]}]) =", line)
        if found:
            names += re.findall(r"\w+", re.sub(r"\w+:", "", found[1]))
    return names


def test_top_level_names_are_found_however_they_are_declared():
    text = "const a = 1;\nexport const [b, c] = f();\nlet { d, e: g } = {};\n  const inner = 1;\n"
    text += "export function h() {}\nasync function i() {}\nclass J {}\nexport const k = () => 1;"
    assert top_level_names(text) == ["a", "b", "c", "d", "g", "h", "i", "J", "k"]


@each_figure
def test_no_name_stands_for_two_things_in_the_joined_script(name):
    names = top_level_names(source.module(name))
    assert len(names) > 10
    twice = {n for n in names if names.count(n) > 1} | {"figure"} & set(names)
    assert not twice


@each_figure
def test_module_and_plain_script_hold_the_same(name):
    module, script = source.module(name), source.script(name)
    plain, n_defaults = re.subn(r"^export default ", "const figure = ", module, flags=re.MULTILINE)
    assert n_defaults == 1
    assert plain in script
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)


@each_figure
def test_a_figure_has_a_function_in_python(name):
    text = (source.FOLDER / f"{name}.py").read_text(encoding="utf-8")
    public = set(re.findall(r"^def ([a-z]\w*)", text, re.MULTILINE)) & set(vae_lib.live.__all__)
    assert public, f"{name}.py defines nothing that vae_lib.live offers"
    assert re.search(rf'LiveFigure\(\s*"{name}"', text)


# A string becomes markup, code, style or a request only by one of these.
FORBIDDEN = {
    "markup from a string": r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser",
    "code from a string": r"\beval\(|new Function|setTimeout\(\s*[\"'`]|javascript:",
    "an inline handler": r"\.on[a-z]+\s*=[^=]|[\"']on[a-z]+[\"']\s*[,:]|[{,]\s*on[a-z]+:\s",
    "a style in markup": r"setAttribute\(\s*[\"']style|[{,]\s*[\"']?style[\"']?\s*:|cssText",
    "a request": r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\(",
    "something kept": r"localStorage|sessionStorage|document\.cookie|indexedDB",
    "an element by id": r"getElementById|querySelector(?:All)?\(\s*[\"'`]#",
    "another address": r"https?://(?!www\.w3\.org/2000/svg)",
}


@each_script
def test_a_script_does_without(path):
    for what, pattern in FORBIDDEN.items():
        found = re.search(pattern, code(path))
        assert not found, f"{path.name}: {what}, {found.group()}"


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("markup from a string", "el.innerHTML = text;"),
        ("code from a string", "eval(text)"),
        ("an inline handler", "el.onclick = f;"),
        ("an inline handler", 'element("div", { onclick: "f()" })'),
        ("a style in markup", 'el.setAttribute("style", s)'),
        ("a style in markup", 'element("div", { style: "color: red" })'),
        ("a request", "await fetch(url)"),
        ("another address", 'const url = "https://example.org";'),
    ],
)
def test_what_is_forbidden_would_be_found(what, line):
    assert re.search(FORBIDDEN[what], line)


@each_script
def test_a_script_listens_and_waits_only_through_the_frame(path):
    if path.name == "frame.js":
        return
    asked = (
        r"addEventListener|setTimeout|setInterval|requestAnimationFrame|IdleCallback|\w+Observer"
    )
    assert not re.search(asked, code(path))


# What Python sends


def picture():
    return plt.figure(figsize=(1, 1))


def test_a_figure_carries_its_picture_and_its_words():
    figure = LiveFigure(
        "latent_map", name="A map", description="Drag.", state={}, picture=picture()
    )
    data, _ = figure._repr_mimebundle_()
    assert data["text/plain"] == "A map: Drag."
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert not plt.get_fignums()


def test_what_stands_out_of_a_picture_is_not_cut():
    drawn = picture()
    drawn.add_axes((0, 0, 1, 1)).set_title("above")
    figure = LiveFigure("latent_map", name="", description="", state={}, picture=drawn)
    data, _ = figure._repr_mimebundle_()
    pixels = plt.imread(io.BytesIO(base64.b64decode(data["image/png"])))[..., :3]
    edges = (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])
    assert pixels.min() == 0
    assert all(edge.min() == 1 for edge in edges)


def test_an_unknown_figure_is_refused():
    with pytest.raises(ValueError, match=r"no live figure 'latent_mop'; there are .*latent_map"):
        LiveFigure("latent_mop", name="", description="", state={}, picture=picture())
    plt.close("all")


def test_an_array_is_packed_row_after_row():
    packed = pack(torch.arange(6).reshape(2, 3).T)
    assert (packed["dtype"], packed["shape"]) == ("float32", [3, 2])
    assert np.frombuffer(packed["data"], "<f4").tolist() == [0, 3, 1, 4, 2, 5]
    assert np.frombuffer(pack(torch.tensor([0.0, 255.0]), "uint8")["data"], "u1").tolist() == [
        0,
        255,
    ]


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        (torch.tensor([1.0, float("nan")]), "float32", "NaN or infinity"),
        (torch.tensor([float("inf")]), "float32", "NaN or infinity"),
        (torch.zeros(2), "float64", "dtype must be"),
        (torch.tensor([0.5]), "uint8", "whole numbers from 0 to 255"),
        (torch.tensor([-1.0]), "uint8", "whole numbers from 0 to 255"),
        (torch.tensor([256.0]), "uint8", "whole numbers from 0 to 255"),
    ],
)
def test_what_cannot_be_packed_is_refused(array, dtype, message):
    with pytest.raises(ValueError, match=message):
        pack(array, dtype)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Linear(2, 3), nn.Dropout()), "found Dropout"),
        (nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU()), "found LeakyReLU"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 3)), "found ReLU"),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Tanh()), "found Tanh"),
        (nn.Conv2d(1, 1, 3), "needs the shape of one input"),
        (nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), "found BatchNorm1d"),
        (nn.Sequential(), "found none"),
    ],
)
def test_a_network_that_cannot_run_in_a_page_is_refused(net, message):
    with pytest.raises(ValueError, match=message):
        pack_network(net)


# In a page


@each_figure
def test_both_forms_of_a_script_run_and_a_missing_state_is_told(open_page, name):
    page = open_page()
    page.set_content(PAGE)
    page.add_script_tag(content=source.script(name))
    said = page.evaluate(
        """async ([name, text]) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          const forms = [window.vaeLive[name], (await import(url)).default];
          const states = [undefined, null, {}, { decoder: 3, questions: 3, image_shape: "x" }];
          return forms.flatMap((form) => states.map((state) => {
            const el = document.createElement("div");
            document.querySelector("main").append(el);
            const get = (key) => ({ name, description: "What it is", state })[key];
            const end = form.render({ model: { get }, el });
            const alerts = [...el.querySelectorAll("[role=alert]")].map((a) => a.innerText);
            end();
            return [alerts, el.childNodes.length];
          }));
        }""",
        [name, source.module(name)],
    )
    assert len(said) == 8
    for alerts, left in said:
        assert len(alerts) == 1, "no message"
        assert re.fullmatch(r"This figure cannot be shown: .{10,}\.", alerts[0])
        assert left == 0


def test_figures_on_one_page_do_not_share_ids(page_of):
    def make():
        return vae_lib.live.latent_map(
            nn.Linear(2, 4), torch.randn(5, 2), torch.rand(3, 3),
            image_shape=(2, 2), low=(-2, -2), high=(2, 2), usual=1.0,
        )  # fmt: skip

    page = page_of(make(), make())
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) >= 4
    assert len(set(ids)) == len(ids)
