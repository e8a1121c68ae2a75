"""The live figures' shared modules in a browser, against torch, scipy and plain geometry."""

import re

import numpy as np
import pytest
import torch
from scipy import special, stats
from shared_modules import as_json
from torch import nn

from vae_lib.conditionals import DiagonalGaussian
from vae_lib.live.figure import pack, pack_network

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


def test_ticks_of_a_logarithmic_axis_are_round_powers(lib):
    page = lib()
    found = page.evaluate("lib.decadeTicks([-1.5, 1])")
    assert [text for _, text in found] == ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10"]
    np.testing.assert_allclose([at for at, _ in found], np.log10([float(t) for _, t in found]))
    assert page.evaluate("lib.decadeTicks([-3, 0], [1])") == [
        [pytest.approx(power), text]
        for power, text in ((-3, "0.001"), (-2, "0.01"), (-1, "0.1"), (0, "1"))
    ]


def test_a_plot_may_have_other_ticks_more_room_or_no_axes(lib):
    found = lib().evaluate(
        """() => [{ yticks: [[0, "low"], [1, "high"]], left: 80 },
                 { yticks: false }, { bare: true }].map((more) => {
          const axes = lib.plot({ x: [0, 1], y: [0, 1], xticks: [], ylabel: "y", ...more });
          const texts = [...axes.svg.querySelectorAll("text.end")].map((one) => one.textContent);
          return [texts, axes.area.left, axes.svg.querySelectorAll(".axis").length];
        })"""
    )
    assert found == [[["low", "high"], 80, 3], [[], 46, 1], [[], 4, 0]]


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


# Pictures of pixels


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ink_follows_the_theme_and_a_photograph_does_not(lib, theme):
    """Values 0 and 1, painted as ink on paper and, with the range turned round, as a photograph."""
    page = lib()
    found = page.evaluate(
        """(theme) => {
          document.documentElement.dataset.theme = theme;
          const host = document.querySelector("main");
          host.style.color = theme === "dark" ? "rgb(220, 223, 227)" : "rgb(0, 0, 0)";
          const { canvas, show } = lib.pixels([1, 2]);
          host.append(canvas);
          return [[0, 1], [1, 0]].map((range) => {
            show([0, 1], range);
            return Array.from(canvas.getContext("2d").getImageData(0, 0, 2, 1).data);
          });
        }""",
        theme,
    )
    ink = [220, 223, 227] if theme == "dark" else [0, 0, 0]
    assert found[0][3] == 0 and found[0][4:] == [*ink, 255]
    assert found[1] == [0, 0, 0, 255, 255, 255, 255, 255]


COLOURED = """([values, shape, range]) => {
  const { canvas, show } = lib.picture(shape, { label: "A picture" });
  document.querySelector("main").append(canvas);
  show(Float64Array.from(values), range);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, Array.from(data), canvas.getAttribute("aria-label")];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("white_first", [False, True])
def test_colours_are_those_of_the_data_in_any_theme(lib, theme, white_first):
    page = lib()
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    image = torch.linspace(-2, 2, 18).reshape(3, 2, 3)
    ends = [1.5, -1.5] if white_first else [-1.5, 1.5]
    height, width, data, name = page.evaluate(COLOURED, [image.flatten().tolist(), [3, 2, 3], ends])
    assert (height, width, name) == (2, 3, "A picture")
    found = np.array(data).reshape(2, 3, 4)
    expected = ((image + 1.5) / 3).clamp(0, 1).permute(1, 2, 0) * 255
    np.testing.assert_allclose(found[..., :3], expected, atol=0.51)
    assert (found[..., 3] == 255).all()


def test_a_grey_picture_is_of_ink_or_of_light(lib):
    """(H, W) as everywhere else, and one channel among colours in greys."""
    page = lib()
    _, _, data, _ = page.evaluate(COLOURED, [[0.0, 1.0], [1, 2], [0, 1]])
    assert data[3] == 0 and data[7] == 255
    greys = page.evaluate("[...lib.coloursOf([0, 0.5, 1], [1, 1, 3])]")
    assert greys == [0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]


# Classes

PLACES = """(labels) => {
  const axes = lib.plot({ x: [0, 9], y: [0, 1] });
  document.querySelector("main").append(lib.element("div", { class: "vae-live" }, axes.box));
  const codes = labels.flatMap((label) => [0.4, 0.5, 0.9].map((y) => [label, y]));
  lib[name](axes, codes, labels.flatMap((label) => [label, label, label]));
  const all = [...axes.marks.querySelectorAll("[class*=class-]")];
  const names = all.filter((one) => one.classList.contains("name"));
  return {
    fills: labels.map((label) => [...new Set(all.filter((one) =>
      one.classList.contains(`class-${label}`)).map((one) => getComputedStyle(one).fill))]),
    names: names.map((one) => one.textContent),
    middles: names.map((one, i) => [one.getAttribute("x") - axes.px(i),
                                    one.getAttribute("y") - 6 - axes.py(0.5)]),
  };
}"""


def luminance(colour):
    channels = np.array([int(part) / 255 for part in re.findall(r"\d+", colour)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", ["numerals", "scatter"])
def test_ten_classes_have_colours_of_their_own_and_their_names_on_them(lib, name):
    page = lib()
    page.evaluate("(name) => { window.name = name; }", name)
    found = page.evaluate(PLACES, list(range(10)))
    assert found["names"] == [str(label) for label in range(10)]
    np.testing.assert_allclose(found["middles"], 0, atol=0.1)
    (fills,) = zip(*found["fills"], strict=True)
    assert len(set(fills)) == 10
    for fill in fills:  # 3 : 1 on white and on the book's dark page
        assert 1.05 / (luminance(fill) + 0.05) >= 3
        assert (luminance(fill) + 0.05) / (luminance("18, 18, 18") + 0.05) >= 3
