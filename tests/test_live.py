"""What every live figure can rely on, and the rules that each of them keeps.

The rules hold for every script in vae_lib/live, so that a new figure is covered by being there. The
shared modules run in a browser as they are, against torch, scipy and plain geometry.
"""

import base64
import re

import numpy as np
import pytest
import torch
from browser import (
    centre,
    drag,
    next_frame,
    press,
    readout,
    scrolls_sideways,
    section,
    touch_drag,
    values,
)
from matplotlib import pyplot as plt
from playwright.sync_api import expect
from scipy import special, stats
from static_server import serving
from test_browser_site import LEFTOVERS
from torch import nn

import vae_lib.live
from vae_lib.conditionals import DiagonalGaussian
from vae_lib.live import LiveFigure, source
from vae_lib.live.figure import pack, pack_network

SHARED = sorted((source.FOLDER / "shared").glob("*.js"))
SCRIPTS = [*SHARED, *(source.FOLDER / f"{name}.js" for name in source.figures())]
each_figure = pytest.mark.parametrize("name", source.figures())
each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)


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
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_script_does_without(path, what):
    found = re.search(FORBIDDEN[what], code(path))
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
        (nn.Conv2d(1, 1, 3), "found Conv2d"),
        (nn.Sequential(), "found none"),
    ],
)
def test_a_network_that_cannot_run_in_a_page_is_refused(net, message):
    with pytest.raises(ValueError, match=message):
        pack_network(net)


# In a browser

IMPORT = """async () => {
  const names = %s;
  const modules = await Promise.all(names.map((name) => import(`/shared/${name}.js`)));
  window.lib = Object.assign({}, ...modules);
  lib.restore = ({ dtype, shape, data }) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return { dtype, shape, data: new DataView(bytes.buffer) };
  };
  lib.show = (build, state = {}, name = "A figure", description = "What it is.") => {
    const values = { name, description, state };
    const el = document.createElement("div");
    document.querySelector("main").append(el);
    return [el, lib.live(build).render({ model: { get: (key) => values[key] }, el })];
  };
}"""
PAGE = f"""<!doctype html><html lang="en"><title>Test</title><style>
html[data-theme=dark] {{ --pst-color-text-base: rgb(220, 223, 227); }}
{source.STYLE}</style><main></main></html>"""


@pytest.fixture(scope="session")
def modules(chromium_path):
    """Where the scripts are served, as the ES modules that they are."""
    with serving(source.FOLDER) as address:
        yield address


@pytest.fixture
def lib(open_page, modules):
    """A function that opens a page with all that the shared modules export in `window.lib`."""

    def open_lib(**options):
        page = open_page(origins=(modules,), **options)
        page.route(f"{modules}/", lambda r: r.fulfill(body=PAGE, content_type="text/html"))
        page.goto(f"{modules}/")
        page.evaluate(IMPORT % [path.stem for path in SHARED])
        return page

    return open_lib


def as_json(packed):
    """What `pack` or `pack_network` made, for a page that is not a widget's."""
    if isinstance(packed, bytes):
        return base64.b64encode(packed).decode()
    if isinstance(packed, dict):
        return {key: as_json(value) for key, value in packed.items()}
    return [as_json(value) for value in packed] if isinstance(packed, list) else packed


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


NETWORKS = {
    "one layer": lambda: nn.Linear(3, 2),
    "nested": lambda: nn.Sequential(
        nn.Sequential(nn.Linear(3, 17), nn.ReLU()),
        nn.Sequential(nn.Sequential(nn.Linear(17, 9), nn.Tanh()), nn.Linear(9, 4)),
    ),
    "without biases": lambda: nn.Sequential(
        nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False), nn.Identity()
    ),
    "as large as MNIST's": lambda: nn.Sequential(nn.Linear(3, 400), nn.ReLU(), nn.Linear(400, 784)),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_computes_what_torch_computes(lib, kind):
    torch.manual_seed(1)
    net = NETWORKS[kind]()
    x = 3 * torch.randn(20, 3)
    found = lib().evaluate(
        """([packed, inputs]) => {
          const layers = packed.layers.map(({ weight, bias, activation }) => (
            { weight: lib.restore(weight), bias: lib.restore(bias), activation }));
          const forward = lib.unpackNetwork({ layers });
          return [forward.n_in, forward.n_out, inputs.map((x) => Array.from(forward(x)))];
        }""",
        [as_json(pack_network(net)), x.tolist()],
    )
    with torch.no_grad():
        in_single, in_double = net(x), net.double()(x.double())
    assert found[:2] == [3, in_double.shape[1]]
    np.testing.assert_allclose(found[2], in_double, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[2], in_single, rtol=1e-5, atol=1e-5)


def fault(page, expression, argument=None):
    return page.evaluate(
        f"(a) => {{ try {{ {expression}; return null; }} catch (e) {{ return e.message; }} }}",
        argument,
    )


def test_arrays_arrive_as_they_were_sent(lib):
    page = lib()
    array = torch.randn(3, 4)
    rows = page.evaluate(
        "(a) => lib.unpackRows(lib.restore(a)).map((row) => [...row])", as_json(pack(array))
    )
    assert rows == array.tolist()
    whole = as_json(pack(torch.tensor([0, 7, 255]), "uint8"))
    assert page.evaluate("(a) => [...lib.unpack(lib.restore(a))]", whole) == [0, 7, 255]
    # A widget's bytes need not begin where the buffer does.
    shifted = """(a) => {
      const { data } = lib.restore(a);
      const buffer = new Uint8Array(data.byteLength + 3);
      buffer.set(new Uint8Array(data.buffer), 3);
      return [...lib.unpack({ ...a, data: new DataView(buffer.buffer, 3) })];
    }"""
    assert page.evaluate(shifted, as_json(pack(array))) == array.flatten().tolist()


def test_what_is_missing_or_cut_short_is_named(lib):
    page = lib()
    packed = as_json(pack(torch.zeros(2, 3)))
    assert fault(page, "lib.unpack(undefined)") == "an array is missing from the figure's state"
    assert fault(page, "lib.unpack({ dtype: 'float32', shape: [2] })")
    wrong = {**packed, "shape": [2, 4]}
    assert fault(page, "lib.unpack(lib.restore(a))", wrong) == "an array of 2 x 4 has 6 values"
    for empty in ("undefined", "{}", "{ layers: [] }"):
        said = fault(page, f"lib.unpackNetwork({empty})")
        assert said == "a network is missing from the figure's state"
    layer = {**as_json(pack_network(nn.Linear(3, 2)))["layers"][0]}
    run = """const { weight, bias, activation } = a;
      lib.unpackNetwork({ layers: [
        { weight: lib.restore(weight), bias: lib.restore(bias), activation }] })([1, 2])"""
    assert fault(page, run, layer) == "the network takes 3 numbers, not 2"


@pytest.mark.parametrize("log_var_range", [(-20.0, 20.0), (-3.0, 2.0)])
def test_an_output_becomes_the_gaussian_that_torch_makes(lib, log_var_range):
    output = torch.tensor([0.3, -1.0, 5.0, 2.0, -1e4, -20.0, 1.5, 1e4], dtype=torch.float64)
    q = DiagonalGaussian(nn.Identity(), log_var_range)(output)
    found = lib().evaluate(
        """([output, range]) => {
          const { mu, sigma } = lib.asGaussian(Float64Array.from(output), range);
          return [[...mu], [...sigma]];
        }""",
        [output.tolist(), list(log_var_range)],
    )
    np.testing.assert_allclose(found[0], q.mean, rtol=1e-12)
    np.testing.assert_allclose(found[1], q.stddev, rtol=1e-12)


# Numbers

REALS = [
    0.0,
    1e-300,
    1e-9,
    0.5,
    -0.5,
    3.0,
    -3.0,
    36.0,
    -36.0,
    709.0,
    -709.0,
    745.0,
    -745.0,
    1e4,
    -1e4,
]


def test_softplus_and_sigmoid_hold_at_extremes(lib):
    page = lib()
    softplus = page.evaluate("(values) => values.map(lib.softplus)", REALS)
    np.testing.assert_allclose(softplus, np.logaddexp(0, REALS), rtol=1e-13)
    sigmoid = page.evaluate("(values) => values.map(lib.sigmoid)", REALS)
    np.testing.assert_allclose(sigmoid, special.expit(REALS), rtol=1e-13, atol=1e-307)


@pytest.mark.parametrize(
    "terms",
    [[0.0], [1.0, 2.0, 3.0], [-1e4, -1e4 + 1], [1e4, 1e4], [-1e300, 0.0], [700.0] * 50],
)
def test_a_sum_of_exponentials_does_not_overflow(lib, terms):
    found = lib().evaluate("(terms) => lib.logSumExp(terms)", terms)
    assert found == pytest.approx(special.logsumexp(terms), rel=1e-14)


def test_a_sum_of_nothing_is_nothing(lib):
    page = lib()
    assert page.evaluate("lib.logSumExp([]) === -Infinity")
    assert page.evaluate("lib.logSumExp([-Infinity, -Infinity]) === -Infinity")
    assert page.evaluate("lib.logSumExp([-Infinity, 2])") == 2
    assert page.evaluate("lib.sum([])") == 0


def test_the_normal_density_is_scipys(lib):
    cases = [(0, 0, 1), (1.5, -2, 0.3), (1e4, 0, 1), (0, 0, 1e-6), (3, 3, 1e6), (-40, 0, 0.1)]
    found = lib().evaluate("(cases) => cases.map((case_) => lib.logNormal(...case_))", cases)
    np.testing.assert_allclose(found, [stats.norm.logpdf(*case) for case in cases], rtol=1e-13)
    assert lib().evaluate("lib.logNormal(0.7)") == pytest.approx(stats.norm.logpdf(0.7), rel=1e-14)


def test_points_and_limits(lib):
    page = lib()
    np.testing.assert_allclose(
        page.evaluate("lib.linspace(-2, 3, 7)"), np.linspace(-2, 3, 7), rtol=1e-14
    )
    assert page.evaluate("[lib.clamp(5, 0, 1), lib.clamp(-5, 0, 1), lib.clamp(0.5, 0, 1)]") == [
        1,
        0,
        0.5,
    ]


def mulberry32(seed, n):
    """The published generator, in Python's integers."""
    mask, found = 2**32 - 1, []
    for _ in range(n):
        seed = (seed + 0x6D2B79F5) & mask
        t = (seed ^ (seed >> 15)) * (seed | 1) & mask
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & mask)) & mask
        found.append((t ^ (t >> 14)) / 2**32)
    return found


DRAWS = (
    "([name, seed, n]) => { const draw = lib[name](seed); return Array.from({ length: n }, draw); }"
)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**32 - 1])
def test_uniform_numbers_are_those_of_the_generator(lib, seed):
    assert lib().evaluate(DRAWS, ["uniforms", seed, 1000]) == mulberry32(seed, 1000)


@pytest.mark.parametrize(
    ("name", "law"), [("uniforms", stats.uniform()), ("normals", stats.norm())]
)
def test_random_numbers_follow_their_law_and_their_seed(lib, name, law):
    page = lib()
    draws = page.evaluate(DRAWS, [name, 7, 20_000])
    assert draws == page.evaluate(DRAWS, [name, 7, 20_000])
    other = page.evaluate(DRAWS, [name, 8, 20_000])
    assert stats.kstest(draws, law.cdf).pvalue > 0.01
    moments = law.stats("mv")
    assert np.mean(draws) == pytest.approx(moments[0], abs=4 * law.std() / 20_000**0.5)
    assert np.var(draws) == pytest.approx(moments[1], rel=0.05)
    for sequence in (draws[1:], other[:-1]):
        assert abs(np.corrcoef(draws[:-1], sequence)[0, 1]) < 4 / 20_000**0.5


# Axes


def test_ticks_are_round_and_cover_the_range(lib):
    rng = np.random.default_rng(0)
    ranges = [(0, 1), (-5, 5), (0, 0.03), (-1e4, 3e4), (2, 2.5)]
    for _ in range(200):
        low, power = rng.normal(), rng.integers(-6, 7)
        ranges.append((low * 10.0**power, (low + rng.uniform(0.1, 5)) * 10.0**power))
    for (low, high), found in zip(
        ranges,
        lib().evaluate("(ranges) => ranges.map(([low, high]) => lib.ticks(low, high))", ranges),
        strict=True,
    ):
        width = high - low
        assert 2 <= len(found) <= 6
        steps = np.diff(found)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
        mantissa = steps[0] / 10.0 ** np.floor(np.log10(steps[0] * 1.0001))
        assert min(abs(mantissa - round_one) for round_one in (1, 2, 2.5, 5, 10)) < 1e-6
        assert low - 1e-6 * width <= found[0] < low + steps[0] + 1e-6 * width
        assert high - steps[0] - 1e-6 * width < found[-1] <= high + 1e-6 * width
        np.testing.assert_allclose(
            np.array(found) / steps[0], np.round(np.array(found) / steps[0]), atol=1e-6
        )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (-2, "−2"), (1e-17, "0"), (2500, "2500"), (-0.025, "−0.025")],
)
def test_ticks_read_well(lib, value, text):
    assert lib().evaluate("(value) => lib.tickText(value)", value) == text


@pytest.mark.parametrize("equal", [False, True])
def test_a_place_in_the_plot_and_its_numbers_agree(lib, equal):
    found = lib().evaluate(
        """(equal) => {
          const axes = lib.plot({ x: [-1, 3], y: [10, 14], xlabel: "x", ylabel: "y", equal });
          document.querySelector("main").append(axes.box);
          const { left, top, right, bottom } = axes.area;
          const bounds = axes.svg.getBoundingClientRect();
          const scale = bounds.width / axes.area.width;
          const event = {
            clientX: bounds.left + scale * axes.px(0.7),
            clientY: bounds.top + scale * axes.py(11.2),
          };
          const [xs, ys] = [[-1, 3].map(axes.px), [10, 14].map(axes.py)];
          const corners = [xs[0] - left, xs[1] - right, ys[0] - bottom, ys[1] - top];
          const unit = [axes.px(1) - axes.px(0), axes.py(10) - axes.py(11)];
          return { at: axes.at(event), corners, unit };
        }""",
        equal,
    )
    assert found["at"] == pytest.approx({"x": 0.7, "y": 11.2}, abs=1e-3)
    assert found["corners"] == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert (found["unit"][0] == pytest.approx(found["unit"][1])) == equal


def test_a_line_and_an_ellipse_stand_where_the_data_are(lib):
    found = lib().evaluate(
        """() => {
          const axes = lib.plot({ x: [0, 10], y: [0, 10] });
          const { path } = lib.line(axes, [[1, 2], [3, 4]]);
          const made = lib.ellipse(axes);
          made.set({ x: 5, y: 6, r: 1, s: 2 });
          const { ellipse } = made;
          const found = ["cx", "cy", "rx", "ry"].map((name) => +ellipse.getAttribute(name));
          const [r, s] = [axes.px(1) - axes.px(0), axes.py(0) - axes.py(2)];
          const d = `M${axes.px(1).toFixed(2)},${axes.py(2).toFixed(2)}` +
            `L${axes.px(3).toFixed(2)},${axes.py(4).toFixed(2)}`;
          return [path.getAttribute("d") === d, found, [axes.px(5), axes.py(6), r, s]];
        }"""
    )
    assert found[0]
    assert found[1] == pytest.approx(found[2])


# Handles and controls

HANDLE = """(options) => {
  window.ended = lib.show((frame) => {
    const axes = lib.plot({ x: [-2, 2], y: [-1, 1], label: "A plane" });
    lib.panel(frame, "", axes.box);
    const told = [];
    const point = lib.handle(frame, axes, {
      x: 0.5, y: 0.2, label: "The point", step: 0.1, ...options,
      onMove: (to) => { told.push(to); frame.request(); },
    });
    frame.draw(() => frame.tell(`at ${point.x}, ${point.y}`, { x: point.x, y: point.y, told }));
    window.axes = axes;
  });
}"""


def place(page):
    now = values(page)
    return pytest.approx((now["x"], now["y"]), abs=1e-9)


def with_handle(page, **options):
    page.evaluate(HANDLE, options)
    return page.get_by_role("slider")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["ArrowRight"], (0.6, 0.2)),
        (["ArrowLeft", "ArrowLeft"], (0.3, 0.2)),
        (["ArrowUp"], (0.5, 0.3)),
        (["ArrowDown"], (0.5, 0.1)),
        (["Shift+ArrowRight"], (1.5, 0.2)),
        (["PageUp"], (0.5, 1.0)),
        (["PageDown"], (0.5, -0.8)),
        (["Shift+ArrowRight"] * 3 + ["ArrowDown"], (2.0, 0.1)),
        (["Shift+ArrowLeft"] * 9, (-2.0, 0.2)),
        (["ArrowUp", "Shift+ArrowLeft", "Home"], (0.5, 0.2)),
        (["a", "Enter"], (0.5, 0.2)),
    ],
)
def test_keys_move_a_handle_and_the_axes_hold_it(lib, keys, expected):
    page = lib()
    press(with_handle(page), *keys)
    assert expected == place(page)


@pytest.mark.parametrize(
    ("free", "keys", "expected"),
    [
        ("x", ["ArrowUp"], (0.6, 0.2)),
        ("x", ["ArrowDown", "ArrowLeft"], (0.3, 0.2)),
        ("x", ["PageUp"], (1.5, 0.2)),
        ("y", ["ArrowRight"], (0.5, 0.3)),
        ("y", ["ArrowLeft", "ArrowDown"], (0.5, 0.0)),
        ("y", ["Home"], (0.5, 0.2)),
    ],
)
def test_a_handle_that_is_free_in_one_direction_takes_all_keys_for_it(lib, free, keys, expected):
    page = lib()
    mark = with_handle(page, free=free)
    press(mark, *keys)
    assert expected == place(page)
    vertical = mark.get_attribute("aria-orientation")
    assert vertical == ("vertical" if free == "y" else None)


def test_a_handle_says_what_it_is(lib):
    page = lib()
    mark = with_handle(page)
    expect(mark).to_have_accessible_name("The point")
    assert mark.get_attribute("aria-valuemin") == "-2"
    assert mark.get_attribute("aria-valuemax") == "2"
    press(mark, "ArrowRight")
    assert float(mark.get_attribute("aria-valuenow")) == pytest.approx(0.6)
    assert mark.get_attribute("aria-valuetext") == "0.60, 0.20"


def per_unit(page):
    """Pixels of the window to a unit of x and of y."""
    return page.evaluate(
        """() => {
          const scale = axes.svg.getBoundingClientRect().width / axes.area.width;
          return [scale * (axes.px(1) - axes.px(0)), scale * (axes.py(0) - axes.py(1))];
        }"""
    )


@pytest.mark.parametrize("move", [drag, touch_drag])
@pytest.mark.parametrize("width", [800, 390])
def test_a_handle_follows_mouse_and_finger(lib, move, width):
    page = lib(touch=True, width=width)
    mark = with_handle(page)
    across, up = per_unit(page)
    move(mark, 0.8 * across, 0.6 * up)
    now = values(page)
    assert (now["x"], now["y"]) == pytest.approx((1.3, -0.4), abs=0.02)
    assert len(now["told"]) >= 5, "it is told on the way, not only at the end"
    move(mark, 50 * across if width > 400 else 100, 0)
    assert values(page)["x"] == pytest.approx(2.0, abs=0.01 if width > 400 else 0.5)
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("tap", [drag, touch_drag])
def test_a_plane_brings_its_handle_to_the_pointer(lib, tap):
    page = lib(touch=True)
    with_handle(page, plane=True)
    tap(page.locator(".sheet"), 0, 0)
    now = values(page)
    assert (now["x"], now["y"]) == pytest.approx((0, 0), abs=0.02)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "The point"


def test_without_a_plane_only_the_handle_is_taken(lib):
    page = lib()
    mark = with_handle(page)
    x, y = centre(page.locator(".vae-live-plot"))
    page.mouse.move(x - 60, y + 40)
    page.mouse.down()
    page.mouse.move(x, y)
    page.mouse.up()
    assert values(page)["told"] == []
    mark.click(button="right")
    assert values(page)["told"] == []
    mark.hover()
    page.mouse.move(10, 10)
    assert values(page)["told"] == [], "a pointer that passes by moves nothing"


CONTROLS = """() => {
  window.ended = lib.show((frame) => {
    const now = { range: 0.5, clicks: 0, chosen: "b", number: 3 };
    const change = (name) => (value) => { now[name] = value; frame.request(); };
    window.range = lib.slider(frame, {
      label: "A range", min: 0, max: 1, step: 0.1, value: 0.5, onInput: change("range"),
      format: (v) => `${Math.round(100 * v)} %`,
    });
    lib.button(frame, { label: "A button", onClick: () => change("clicks")(now.clicks + 1) });
    lib.button(frame, { label: "A toggle", pressed: true, onClick: () => {} });
    const options = [["a", "first"], ["b", "second"], ["c", "third"]];
    lib.choice(frame, { label: "A list", options, value: "b", onChange: change("chosen") });
    lib.field(frame, { label: "A number", min: 0, step: 1, value: 3, onInput: change("number") });
    frame.draw(() => frame.tell(`range ${now.range}, ${now.clicks} clicks`, now));
  });
}"""


@pytest.fixture
def controls(lib):
    page = lib(touch=True)
    page.evaluate(CONTROLS)
    return page


def test_a_slider_has_a_name_and_a_value_in_words(controls):
    slider = controls.get_by_role("slider", name="A range")
    assert slider.get_attribute("aria-valuetext") == "50 %"
    press(slider, "ArrowRight", "ArrowRight")
    assert values(controls)["range"] == pytest.approx(0.7)
    assert controls.locator("output").inner_text() == "70 %"
    slider.click(position={"x": 1, "y": 5})
    assert values(controls)["range"] == 0
    touch_drag(slider)
    assert values(controls)["range"] == pytest.approx(0.5)
    controls.evaluate("range.set(0.9)")
    assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == ("0.9", "90 %")
    assert values(controls)["range"] == pytest.approx(0.5), "setting it tells nobody"


def test_a_button_answers_mouse_finger_and_keys(controls):
    button = controls.get_by_role("button", name="A button")
    button.click()
    touch_drag(button)
    press(button, "Enter", "Space")
    assert values(controls)["clicks"] == 4
    toggle = controls.get_by_role("button", name="A toggle")
    assert toggle.get_attribute("aria-pressed") == "true"
    assert button.get_attribute("aria-pressed") is None


def test_a_list_and_a_number_can_be_chosen(controls):
    chosen = controls.get_by_role("combobox", name="A list")
    assert chosen.input_value() == "b"
    press(chosen, "ArrowDown")
    assert values(controls)["chosen"] == "c"
    chosen.select_option("first")
    assert values(controls)["chosen"] == "a"
    number = controls.get_by_role("spinbutton", name="A number")
    press(number, "ArrowUp")
    assert values(controls)["number"] == 4


def test_what_has_the_focus_is_seen(lib):
    page = lib()
    with_handle(page)
    page.evaluate(CONTROLS)
    seen = """() => {
      const focused = document.activeElement;
      const ring = focused.querySelector(".reach");
      const style = getComputedStyle(ring ?? focused);
      return ring ? style.stroke !== "none" : parseFloat(style.outlineWidth) >= 2;
    }"""
    unfocused = "getComputedStyle(document.querySelector('.reach')).stroke"
    assert page.evaluate(unfocused) == "none"
    labels = []
    for _ in range(6):
        page.keyboard.press("Tab")
        labels.append(page.evaluate("document.activeElement.localName"))
        assert page.evaluate(seen), labels[-1]
    assert labels == ["g", "input", "button", "button", "select", "input"]


# The frame

FRAMES = """() => {
  window.frames_ = [];
  document.addEventListener("vae-live-frame", (event) => frames_.push(event.detail));
}"""


def test_many_changes_are_one_frame(controls):
    controls.evaluate(FRAMES)
    next_frame(controls)
    assert controls.evaluate("frames_.length") == 0, "at rest nothing is drawn"
    controls.evaluate(
        """() => {
          const input = document.querySelector("input[type=range]");
          for (const value of [0.1, 0.2, 0.3]) {
            input.value = value;
            input.dispatchEvent(new Event("input"));
          }
        }"""
    )
    next_frame(controls)
    assert controls.evaluate("frames_.length") == 1
    assert 0 <= controls.evaluate("frames_[0]") < 1000
    assert values(controls)["range"] == pytest.approx(0.3)


def test_a_screen_reader_is_told_once_things_rest(controls):
    status = section(controls).locator("p[role=status]")
    expect(status).to_have_text("range 0.5, 0 clicks")
    told = """() => {
      window.told = [];
      const status = document.querySelector(".vae-live-status");
      const tell = () => told.push(status.textContent);
      new MutationObserver(tell).observe(status, { childList: true });
    }"""
    controls.evaluate(told)
    press(controls.get_by_role("slider"), *["ArrowRight"] * 4)
    assert readout(controls) == "range 0.9, 0 clicks"
    expect(status).to_have_text("range 0.9, 0 clicks")
    assert controls.evaluate("told") == ["range 0.9, 0 clicks"]


def test_a_figure_has_a_name_and_a_description(controls):
    expect(section(controls)).to_have_accessible_name("A figure")
    expect(section(controls)).to_have_accessible_description("What it is.")


@pytest.mark.parametrize("when", ["building", "drawing", "moving", "later"])
def test_a_fault_becomes_a_message(lib, when):
    page = lib()
    page.evaluate(LEFTOVERS, "")
    page.evaluate(
        """(when) => {
          window.ended = lib.show((frame) => {
            const fail = (now) => { if (now === when) throw new Error("the weights are missing"); };
            const onClick = () => { fail("moving"); frame.request(); };
            lib.button(frame, { label: "Move", onClick });
            fail("building");
            let first = true;
            frame.draw(() => { if (!first) fail("drawing"); first = false; frame.tell("well"); });
            frame.later(() => fail("later"), 10);
          });
        }""",
        when,
    )
    if when in ("drawing", "moving"):
        page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This figure cannot be shown: the weights are missing."
    )
    assert page.get_by_role("button").count() == 0
    assert page.evaluate("counted()") == {"listeners": 0, "timers": 0, "frames": 0, "observers": 0}


def test_a_figure_that_is_taken_away_leaves_nothing(lib):
    page = lib()
    page.evaluate(LEFTOVERS, "")
    with_handle(page, plane=True)
    press(page.get_by_role("slider"), "ArrowRight")
    there = page.evaluate("counted()")
    assert there["listeners"] >= 6 and there["observers"] == 1 and there["timers"] == 1
    found = page.evaluate(
        """() => {
          const [el, end] = ended;
          axes.svg.querySelector(".handle").dispatchEvent(
            new KeyboardEvent("keydown", { key: "ArrowLeft" }));
          const asked = counted().frames;
          end();
          return { asked, ...counted(), html: el.innerHTML };
        }"""
    )
    assert found == {
        "asked": 1, "listeners": 0, "timers": 0, "frames": 0, "observers": 0, "html": ""
    }  # fmt: skip


def test_what_is_put_off_can_be_called_off(lib):
    page = lib()
    happened = page.evaluate(
        """async () => {
          const happened = [];
          const [, end] = lib.show((frame) => {
            frame.draw(() => {});
            frame.later(() => happened.push("first"), 5);
            frame.later(() => happened.push("called off"), 5)();
            frame.later(() => happened.push("too late"), 60);
          });
          await new Promise((done) => setTimeout(done, 30));
          end();
          await new Promise((done) => setTimeout(done, 80));
          return happened;
        }"""
    )
    assert happened == ["first"]


@pytest.mark.parametrize("still", [False, True])
def test_the_readers_wish_for_stillness_is_known(lib, still):
    page = lib(still=still)
    page.evaluate("lib.show((frame) => { window.still = frame.reducedMotion(); })")
    assert page.evaluate("still") is still


@pytest.mark.parametrize(
    "change",
    [
        'document.documentElement.dataset.theme = "dark"',
        'document.body.dataset.jpThemeLight = "false"',
        'document.body.className = "vscode-dark"',
        "system",
    ],
)
def test_a_change_of_theme_draws_again(controls, change):
    controls.evaluate(FRAMES)
    if change == "system":
        controls.emulate_media(color_scheme="dark")
    else:
        controls.evaluate(change)
    controls.wait_for_function("frames_.length >= 1", timeout=5000)


@pytest.mark.parametrize(("theme", "ink"), [("light", [31, 35, 40]), ("dark", [220, 223, 227])])
def test_pixels_are_ink_of_the_theme_on_its_paper(lib, theme, ink):
    page = lib(theme=theme)
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    found = page.evaluate(
        """() => {
          let context;
          lib.show((frame) => {
            const image = lib.pixels([2, 3], { label: "An image" });
            lib.panel(frame, "", lib.captioned(image, "below").figure);
            image.show([-1, 0, 1, 2, 3, 9], [0, 3]);
            context = image.canvas.getContext("2d");
          });
          return [...context.getImageData(0, 0, 3, 2).data];
        }"""
    )
    pixels = np.reshape(found, (6, 4))
    np.testing.assert_allclose(pixels[:, 3], [0, 0, 85, 170, 255, 255], atol=1)
    np.testing.assert_array_equal(pixels[4:, :3], [ink, ink])
    np.testing.assert_allclose(pixels[3, :3], ink, atol=2)
    expect(page.get_by_role("img", name="An image")).to_be_visible()
    assert page.locator(".vae-live-caption").inner_text() == "below"


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
