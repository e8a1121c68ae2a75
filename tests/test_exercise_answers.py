"""Kinds of answers: right ones in any form are correct, hostile and dishonest ones never are."""

import array
import contextlib
import decimal
import fractions
import functools
import gc
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
import test_chapter_exercises as chapters
import torch
from density_exercise import DENSITY, by_hand, without_constant
from torch import nn
from torch.distributions import Distribution, Independent, Normal

import vae_lib.exercises
from vae_lib.exercises import Exercise, Mistake, check, precision, surroundings, verdict
from vae_lib.exercises.display import as_html
from vae_lib.exercises.judging import judge
from vae_lib.exercises.surroundings import restored

BRIEF = replace(DENSITY, seconds=0.2)
an_exercise = functools.partial(Exercise, mistakes=(), seconds=10.0)


@pytest.fixture(scope="module", autouse=True)
def the_first_check_loads_what_torch_loads_late():
    judge(DENSITY, by_hand)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(vae_lib.exercises, "exercises", lambda chapter=None: {"2.1": DENSITY})


# The right values in any container


class MyTensor(torch.Tensor):
    pass


class MyArray(np.ndarray):
    pass


class Convertible:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values.numpy()


class OneBuffer:
    """Writes every answer into the same memory."""

    memory = torch.zeros(10, dtype=torch.float64)

    def __call__(self, y):
        self.memory[: len(y)] = y
        return self.memory[: len(y)]


def read_only(y):
    values = y.numpy().copy()
    values.flags.writeable = False
    return values


CONTAINERS = {
    "float32": lambda y: y.float(),
    "numpy": lambda y: y.numpy(),
    "numpy float32": lambda y: y.numpy().astype("float32"),
    "long double": lambda y: y.numpy().astype(np.longdouble),
    "negative stride": lambda y: y.numpy()[::-1].copy()[::-1],
    "every other": lambda y: np.repeat(y.numpy(), 2)[::2],
    "read-only": read_only,
    "big-endian": lambda y: y.numpy().astype(">f8"),
    "array subclass": lambda y: y.numpy().view(MyArray),
    "masked array": lambda y: np.ma.masked_array(y.numpy()),
    "array of objects": lambda y: np.array(y.tolist(), dtype=object),
    "list": lambda y: y.tolist(),
    "tuple of tensors": tuple,
    "list of numpy numbers": lambda y: list(y.numpy()),
    "array.array": lambda y: np.frombuffer(array.array("d", y.tolist())),
    "converts itself": Convertible,
    "requires grad": lambda y: y.requires_grad_(),
    "Parameter": lambda y: nn.Parameter(y),
    "tensor subclass": lambda y: y.as_subclass(MyTensor),
    "expanded and cut": lambda y: y.expand(4, -1)[2],
    "sparse": lambda y: y.to_sparse(),
    "one buffer": OneBuffer(),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_right_values_are_correct_in_any_container(name):
    wrap = CONTAINERS[name]
    result = judge(DENSITY, lambda x, mean, log_var: wrap(by_hand(x, mean, log_var)))
    assert result.status == "correct", result.hint
    # And they are values: the same container holds a mistake that is recognised.
    wrong = judge(DENSITY, lambda x, mean, log_var: wrap(without_constant(x, mean, log_var)))
    assert wrong.mistake == "no constant"


def test_a_matrix_of_any_stride_has_its_own_shape():
    exercise = an_exercise("1.2", oracle=lambda x: x, cases=lambda g: [(torch.rand(5, 2),)])
    for order in (lambda a: a[::-1].copy()[::-1], np.asfortranarray, lambda a: a.T.copy().T):
        assert judge(exercise, lambda x, order=order: order(x.numpy())).status == "correct"
    assert judge(exercise, lambda x: x.numpy()[::-1, ::-1]).hint.endswith("differ).")
    assert judge(exercise, lambda x: x.tolist()).status == "correct"
    assert judge(exercise, lambda x: x.T.numpy()).hint.endswith(
        "expected a tensor of shape (5, 2), got a tensor of shape (2, 5)."
    )


class Percent(float):
    pass


NUMBERS = [
    0.25,
    Percent(0.25),
    np.float32(0.25),
    np.array(0.25),
    torch.tensor(0.25),
    fractions.Fraction(1, 4),
    decimal.Decimal("0.25"),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: type(n).__name__)
def test_a_number_is_judged_by_its_value(number):
    function = an_exercise("4.2", oracle=lambda x: x, cases=lambda g: [(0.25,)])
    value = an_exercise("4.2", oracle=0.25)
    assert judge(function, lambda x: number).status == "correct"
    assert judge(value, number).status == "correct"
    assert judge(function, lambda x: number * 2).hint.endswith("expected 0.25, got 0.5.")
    assert judge(value, number * 2).hint == "That is not it."


PAIR = an_exercise("7.1", oracle=lambda x: (x, 2 * x), cases=lambda g: [(torch.rand(3).double(),)])


@pytest.mark.parametrize("pair", [list, torch.stack, lambda t: np.array([a.numpy() for a in t])])
def test_what_unpacks_to_the_right_pair_is_right(pair):
    assert judge(PAIR, lambda x: pair((x, x + x))).status == "correct"
    assert "in part 2 of 2" in judge(PAIR, lambda x: pair((x, x))).hint


MOMENTS = an_exercise(
    "1.4",
    oracle=lambda codes, noise: noise @ torch.linalg.cholesky(torch.cov(codes.T)).T,
    cases=lambda g: [
        tuple(torch.randn(2, 50, 3, generator=g, dtype=torch.float64)),
    ],
    summarise=lambda draws, codes, noise: (draws.mean(0), torch.cov(draws.T) @ codes[0]),
    mistakes=(Mistake("noise", lambda codes, noise: noise, "Only noise."),),
)


@pytest.mark.parametrize("wrap", [lambda d: d.numpy(), lambda d: d.float(), lambda d: d.tolist()])
def test_moments_are_taken_of_any_container(wrap):
    right = judge(MOMENTS, lambda codes, noise: wrap(MOMENTS.oracle(codes, noise)))
    assert right.status == "correct", right.hint
    assert judge(MOMENTS, lambda codes, noise: wrap(noise)).mistake == "noise"


def test_an_output_of_another_kind_is_not_spoken_of_in_moments():
    law = an_exercise(
        "2.3",
        oracle=lambda x: Normal(x, 1.0),
        cases=lambda g: [(torch.zeros(3),)],
        summarise=lambda q, x: (q.mean, q.stddev, q.log_prob(x)),
    )
    assert judge(law, lambda x: Independent(Normal(x, 1.0), 0)).status == "correct"
    hint = judge(law, lambda x: x + 1).hint
    assert hint.endswith("expected a distribution (Normal), got a tensor of shape (3,).")


# The right function in any form


def logged(function):
    @functools.wraps(function)
    def inner(*arguments, **options):
        return function(*arguments, **options)

    return inner


class Density:
    def __call__(self, x, mean, log_var):
        return by_hand(x, mean, log_var)

    def method(self, x, mean, log_var):
        return by_hand(x, mean, log_var)

    @staticmethod
    def static(x, mean, log_var):
        return by_hand(x, mean, log_var)


class DensityModule(nn.Module):
    def forward(self, x, mean, log_var):
        return by_hand(x, mean, log_var)


def with_base(base, x, mean, log_var):
    return by_hand(x, mean, log_var) + base


def traced():
    example = tuple(torch.randn(3, 3, 2, dtype=torch.float64))
    with warnings.catch_warnings(action="ignore"):
        return torch.jit.trace(by_hand, example, check_trace=False)


FORMS = {
    "wraps": lambda: logged(logged(by_hand)),
    "cached": lambda: functools.lru_cache(by_hand),
    "no_grad": lambda: torch.no_grad()(by_hand),
    "inference_mode": lambda: torch.inference_mode()(by_hand),
    "vmap": lambda: torch.vmap(by_hand),
    "partial": lambda: functools.partial(with_base, 0),
    "partial of a cached one": lambda: functools.partial(functools.cache(with_base), 0),
    "object": Density,
    "method": lambda: Density().method,
    "static method": lambda: Density.static,
    "module": DensityModule,
    "traced": traced,
    "arguments by another name": lambda: lambda a, b, c: by_hand(a, b, c),
    "any arguments": lambda: lambda *arguments: by_hand(*arguments),
    "a default more": lambda: lambda a, b, c, extra=1: by_hand(a, b, c),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_right_function_is_correct_in_any_form(name):
    result = judge(DENSITY, FORMS[name]())
    assert result.status == "correct", result.hint


def test_compiled_answers_are_judged_as_they_are_written(monkeypatch):
    """In no time, whatever a compilation takes: the compiler is never asked."""
    compiled = torch.compile(by_hand)
    monkeypatch.setattr(
        "torch._dynamo.convert_frame.ConvertFrame.__call__", lambda *_: pytest.fail("compiles")
    )

    def compiles_within(x, mean, log_var):
        return torch.compile(dynamic=True)(torch.compile(by_hand))(x, mean, log_var)

    for answer in (
        compiled,
        torch.compile(DensityModule()),
        functools.partial(compiled),
        logged(compiled),
        lambda *arguments: compiled(*arguments),
        compiles_within,
    ):
        result = judge(DENSITY, answer)
        assert result.status == "correct", result.hint
    wrong = judge(DENSITY, torch.compile(without_constant))
    assert wrong.mistake == "no constant"


def test_the_line_of_an_error_is_found_inside_any_form():
    code = "def f(x, mean, log_var):\n    y = x + mean\n    return y.absent\n"
    namespace = {}
    exec(compile(code, "<cell>", "exec"), namespace)
    f = namespace["f"]
    for answer in (f, logged(f), functools.cache(f), functools.partial(f), torch.no_grad()(f)):
        assert "in line 3 of the cell: AttributeError" in judge(DENSITY, answer).hint


# Single precision


def matrix_case(generator):
    x, W = torch.randn(2, 4, 4, generator=generator, dtype=torch.float64)
    return [(x, W, Independent(Normal(x, W.abs() + 1), 1), lambda z: z @ W)]


PRODUCT = an_exercise(
    "6.5",
    oracle=lambda x, W, q, f: f(x) + q.log_prob(W)[:, None],
    cases=matrix_case,
    mistakes=(Mistake("twice", lambda x, W, q, f: 2 * f(x) + q.log_prob(W)[:, None], "Once."),),
)


def test_constants_in_single_precision_make_no_answer_wrong():
    """As they do in a cell, torch's own default: "expected m1 and m2 to have the same dtype"."""

    def product(factor):
        def answer(x, W, q, f):
            eye = torch.eye(4)
            return factor * f(x @ eye) + q.log_prob(W @ eye)[:, None]

        return answer

    with pytest.raises(RuntimeError, match="dtype"):
        product(1)(*matrix_case(torch.Generator())[0])
    assert judge(PRODUCT, product(1)).status == "correct"
    assert judge(PRODUCT, product(2)).mistake == "twice"
    assert "differ" in judge(PRODUCT, product(3)).hint


def test_what_loses_digits_in_single_precision_alone_is_judged_in_it():
    """1e6 + x - 1e6 has a tenth of x's digits in float32, for the oracle's rounded x as well."""
    steep = an_exercise(
        "3.4",
        oracle=lambda x: (x * 1e6).sin(),
        cases=lambda g: [(torch.rand(5, generator=g, dtype=torch.float64),)],
    )
    assert judge(steep, lambda x: (x.float().double() * 1e6).sin().float()).status == "correct"
    assert judge(steep, lambda x: ((x.float() + 1).double() * 1e6).sin().float()).status == "wrong"


def in_single_precision(solution):
    return lambda *arguments: solution(*precision.narrowed(arguments))


WANT_A_GRADIENT = {"I.2", "I.5", "II.5"}  # which NumPy has not
# float32 in, a list out; they train, and test_chapter_exercises.py tries them
UNCONVERTED = {"I.6", "II.6"}


def in_numpy(solution):
    def converted(output):
        if isinstance(output, tuple):
            return tuple(map(converted, output))
        return output.detach().numpy() if isinstance(output, torch.Tensor) else output

    return lambda *arguments: converted(solution(*arguments))


@pytest.mark.parametrize("chapter", chapters.NOTEBOOKS)
def test_every_printed_solution_is_correct_in_single_precision_and_in_numpy(chapter):
    namespace = chapters.imports(chapter)
    for id_, source in chapters.sources(chapter, "solution").items():
        exercise = chapters.registered(chapter)[id_]
        if exercise.cases is not None:
            exec(source, namespace)
            if id_ in UNCONVERTED:
                continue
            solution = namespace[chapters.name(chapters.definition(source))]
            for convert in (in_single_precision, in_numpy):
                if convert is in_numpy and id_ in WANT_A_GRADIENT:
                    continue
                result = judge(exercise, convert(solution))
                assert result.status == "correct", (id_, convert.__name__, result.hint)


def test_an_error_that_has_nothing_to_do_with_types_is_told_as_it_is():
    calls = []

    def fails(x, W, q, f):
        calls.append(x.dtype)
        return x[:, 7]

    assert "IndexError" in judge(PRODUCT, fails).hint
    assert calls == [torch.float64]


# Hostile objects


def endless(*arguments, **options):
    while True:
        pass


def failing(*arguments, **options):
    raise RuntimeError("leave me alone")


def hostile(base, method):
    """A subclass every method of which that somebody might ask is `method`."""
    names = """__eq__ __ne__ __bool__ __len__ __iter__ __str__ __repr__ __format__ __hash__
        __index__ __float__ __int__ __array__ __getitem__ __getattr__ shape dtype ndim tolist numpy
        detach cpu double clone item isclose allclose casefold strip __torch_function__
        __reduce_ex__ __instancecheck__ __array_ufunc__ __array_function__ is_complex"""
    return type("Evil", (base,), dict.fromkeys(names.split(), method))


BASES = {
    "tensor": lambda evil, y: y.as_subclass(evil),
    "array": lambda evil, y: y.numpy().view(evil),
    "float": lambda evil, y: evil(1.0),
    "int": lambda evil, y: evil(1),
    "string": lambda evil, y: evil("a"),
    "tuple": lambda evil, y: evil((1, 2)),
    "list": lambda evil, y: evil([1, 2]),
    "dict": lambda evil, y: evil(),
    "object": lambda evil, y: evil(),
}
TYPES = (torch.Tensor, np.ndarray, float, int, str, tuple, list, dict, object)


@pytest.mark.parametrize("method", [endless, failing, lambda *a, **b: True], ids=["∞", "!", "yes"])
@pytest.mark.parametrize(("base", "type_"), list(zip(BASES, TYPES, strict=True)), ids=BASES)
def test_a_hostile_object_is_never_correct_and_is_left_in_time(base, type_, method, capsys):
    evil = hostile(type_, method)
    make = BASES[base]
    value = an_exercise("2.2", oracle=2.5, mistakes=(Mistake("b", "b", "No."),), seconds=0.2)
    start = time.monotonic()
    for exercise, answer in (
        (BRIEF, lambda x, mean, log_var: make(evil, without_constant(x, mean, log_var) - 1)),
        (BRIEF, make(evil, torch.zeros(3))),
        (value, make(evil, torch.zeros(3))),
    ):
        result = judge(exercise, answer)
        assert result.status == "wrong"
        assert result.hint
    assert time.monotonic() - start < 10
    assert judge(DENSITY, by_hand).status == "correct"


def test_right_values_in_a_class_that_lies_are_right_values():
    evil = hostile(torch.Tensor, failing)
    answer = lambda x, mean, log_var: by_hand(x, mean, log_var).as_subclass(evil)  # noqa: E731
    assert judge(DENSITY, answer).status == "correct"


def hostile_objects():
    """Made when needed: pytest asks every object in a module whether it is a test."""

    class EndlessName(type):
        @property
        def __name__(cls):
            endless()

        def __instancecheck__(cls, instance):
            endless()

        def __subclasscheck__(cls, other):
            endless()

        __eq__ = __getattribute__ = endless
        __hash__ = type.__hash__

    class Nameless(metaclass=EndlessName):
        pass

    class EndlessText(Exception):
        __str__ = __repr__ = endless

    class EndlessSignature:
        __signature__ = property(endless)

        def __call__(self, x, mean, log_var):
            return x

    class FailingSignature(EndlessSignature):
        __signature__ = property(failing)

    NAMELESS, EVIL = Nameless(), hostile(object, endless)()

    def unprintable(x, mean, log_var=NAMELESS):
        raise EndlessText

    def endless_default(x, value=EVIL):
        return x

    def leaves_a_liar_as_argument(x, mean, log_var):
        x.__class__ = hostile(torch.Tensor, endless)
        return by_hand(mean, mean, log_var)

    class Nested(list):
        def __init__(self):
            super().__init__([self])

    return {
        "metaclass": lambda *_: Nameless(),
        "class": lambda *_: Nameless,
        "text of an error": unprintable,
        "signature": EndlessSignature(),
        "failing signature": FailingSignature(),
        "default": endless_default,
        "argument": leaves_a_liar_as_argument,
        "a list in itself": lambda *_: Nested(),
        "huge": lambda *_: torch.zeros(1).expand(10**12),
        "huge array": lambda *_: np.broadcast_to(0.0, (10**6, 10**6)),
        "meta": lambda *_: torch.zeros(3, device="meta"),
        "ragged": lambda *_: [[1.0], [1.0, 2.0]],
        "strings": lambda *_: np.array(["a", "b", "c"]),
        "complex": lambda x, *_: torch.zeros(len(x), dtype=torch.complex64),
        "map": lambda x, *_: map(float, x[:, 0]),
        "closes the stream": lambda x, *_: (sys.stdout.close(), print("hello"), x)[-1],
        "surrogates": lambda x, *_: print("\ud800") or "\ud800",
    }


HOSTILE = (
    "metaclass",
    "class",
    "text of an error",
    "signature",
    "failing signature",
    "default",
    "argument",
    "a list in itself",
    "huge",
    "huge array",
    "meta",
    "ragged",
    "strings",
    "complex",
    "map",
    "closes the stream",
    "surrogates",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_check_answers_whatever_it_is_given(name, monkeypatch, capsys):
    monkeypatch.setattr(vae_lib.exercises, "exercises", lambda chapter=None: {"2.1": BRIEF})
    answer = hostile_objects()[name]
    start = time.monotonic()
    check("2.1", answer)
    assert time.monotonic() - start < 10
    assert "✗ Exercise 2.1: not yet right.\n" in capsys.readouterr().out
    check(answer, "2.1")
    assert "The exercise comes first" in capsys.readouterr().out


# Dishonest answers


def equal_to_all(x, mean, log_var):
    return hostile(torch.Tensor, lambda *a, **b: True)(3)


def replaces_closeness(x, mean, log_var):
    torch.isclose = lambda a, *_, **__: torch.ones_like(a, dtype=torch.bool)
    torch.Tensor.all = torch.Tensor.isclose = lambda *_: True
    return x[:, 0]


def replaces_the_oracles_means(x, mean, log_var):
    Normal.log_prob = lambda self, value: 0 * value
    return 0 * x[:, 0]


def replaces_our_functions(x, mean, log_var):
    import vae_lib.exercises.judging as judging

    judging.difference = lambda *_, **__: None
    judging._differences = lambda *_, **__: [None]
    return x[:, 0]


class AlwaysTrue(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        return (
            torch.ones_like(result) if result is not None and function is torch.isclose else result
        )


def leaves_a_mode_on(x, mean, log_var):
    AlwaysTrue().__enter__()
    return x[:, 0]


def asks_for_the_exercise(x, mean, log_var):
    return vae_lib.exercises.exercises("2")["2.1"].oracle(x, mean, log_var)


def imports_the_oracle(x, mean, log_var):
    from vae_lib.exercises.chapter_02.exercise_1 import EXERCISE

    return EXERCISE.oracle(x, mean, log_var)


def looks_up_the_frames(x, mean, log_var):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "verdict":
        for entry in frame.f_locals.values():
            for found in [entry, *(entry if isinstance(entry, list | tuple) else [])]:
                if isinstance(found, Exercise):
                    return found.oracle(x, mean, log_var)
        frame = frame.f_back
    return x[:, 0]


@pytest.mark.parametrize(
    "answer",
    [
        equal_to_all,
        replaces_closeness,
        replaces_the_oracles_means,
        replaces_our_functions,
        leaves_a_mode_on,
        asks_for_the_exercise,
        imports_the_oracle,
        looks_up_the_frames,
    ],
)
def test_an_answer_that_cheats_is_not_correct(answer):
    """On a real exercise of the book, whose arguments are the same three."""
    functions = torch.isclose, torch.Tensor.all, Normal.log_prob
    assert verdict("2.1", answer).status == "wrong"
    assert (torch.isclose, torch.Tensor.all, Normal.log_prob) == functions
    assert "isclose" not in vars(torch.Tensor)
    assert verdict("2.1", by_hand).status == "correct"
    assert verdict("2.1", without_constant).status == "wrong"


# Text, never markup


MARKUP = "<img src=x onerror=alert(1)> `code` \x1b[31mred\x07 \u202e" + "long " * 100


class Marked(Exception):
    pass


Marked.__name__ = Marked.__qualname__ = "<b>`Marked`</b>"


def raises_markup(x, mean, log_var):
    raise Marked(MARKUP)


@pytest.mark.parametrize(
    "answer",
    [
        raises_markup,
        lambda x, mean, log_var: MARKUP,
        lambda x, mean, log_var: type("<b>", (), {})(),
        lambda x, **options: x,
        functools.wraps(raises_markup)(lambda a, b="<b>`c`</b>": a),
        lambda x, y=MARKUP: x,
    ],
)
def test_what_comes_from_an_answer_is_text(answer):
    result = judge(DENSITY, answer)
    assert result.status == "wrong"
    assert result.hint.isprintable()
    assert len(result.hint) < 500
    page = as_html(result)
    assert "<b>" not in page and "<img" not in page
    assert "<code>" not in page  # which our own hints may have


# What surrounds the answer


def surroundings_now():
    return {
        "threads": torch.get_num_threads(),
        "anomaly mode": (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        "precision": torch.get_float32_matmul_precision(),
        "type": torch.get_default_dtype(),
        "device": torch.empty(0).device,
        "validation": Distribution._validate_args,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "path": list(sys.path),
        "modules": [sys.modules["torch"], sys.modules["json"]],
        "streams": (sys.stdout, sys.stderr),
        "hooks": (sys.excepthook, sys.displayhook, sys.getprofile(), sys.gettrace()),
        "handlers": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "recursion": sys.getrecursionlimit(),
        "garbage": gc.isenabled(),
        "numpy": (np.geterr(), np.get_printoptions()),
        "rc": dict(matplotlib.rcParams),
        "functions": (torch.exp, nn.functional.softplus, np.exp, math.exp, print, len, time.sleep),
        "methods": (Normal.rsample, nn.Module.__call__, Normal.__init__),
        "ours": vae_lib.exercises.check,
    }


def sets_everything(x, mean, log_var):
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.autograd.set_detect_anomaly(True, check_nan=False)
    torch.set_float32_matmul_precision("medium")
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    Distribution.set_default_validate_args(not Distribution._validate_args)
    os.chdir("/")
    os.environ["VAE_BOOK_DATASET"] = "none"
    os.environ.pop("PATH")
    warnings.simplefilter("error")
    sys.path.insert(0, "/nowhere")
    sys.modules["json"] = None
    sys.stdout = sys.stderr = None
    sys.excepthook = sys.displayhook = failing
    sys.setprofile(lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(5000)
    gc.disable()
    np.seterr(all="ignore")
    np.set_printoptions(precision=1)
    matplotlib.rcParams["lines.linewidth"] = 17
    torch.exp = nn.functional.softplus = np.exp = math.exp = time.sleep = failing
    Normal.rsample = nn.Module.__call__ = Normal.__init__ = failing
    vae_lib.exercises.check = failing
    import builtins

    builtins.print = builtins.isinstance = builtins.len = builtins.vars = failing
    return None


def test_everything_an_answer_sets_is_put_back():
    before = surroundings_now()
    assert judge(DENSITY, sets_everything).status == "wrong"
    after = surroundings_now()
    assert {name for name in before if before[name] != after[name]} == set()
    assert judge(DENSITY, by_hand).status == "correct"


def test_a_check_in_any_mode_of_the_learners_is_right_and_leaves_the_mode():
    grad = an_exercise(
        "7.5",
        oracle=lambda x: 2 * x,
        cases=lambda g: [(torch.rand(3, generator=g),)],
    )

    def by_autograd(x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad((x * x).sum(), x)[0]

    with torch.inference_mode():
        assert judge(grad, by_autograd).status == "correct"
        assert torch.is_inference_mode_enabled()
    with torch.device("meta"):
        assert judge(DENSITY, by_hand).status == "correct"
        assert torch.zeros(1).device.type == "meta"


def test_torch_without_a_default_device_is_met(monkeypatch):
    """torch 2.4, after set_default_device(None): the function itself raises an AttributeError."""
    monkeypatch.setattr(torch, "get_default_device", lambda: None.device)
    assert judge(DENSITY, by_hand).status == "correct"


def test_learners_imports_are_not_cut_off_in_the_middle(tmp_path, monkeypatch):
    """Half an import leaves a module unusable; its time is not the answer's."""
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nfor _ in range(100):\n    time.sleep(0.005)\nready = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def imports(x, mean, log_var):
        import slow_to_import

        return by_hand(x, mean, log_var) if slow_to_import.ready else None

    for run in (lambda f: f(), in_another_thread):
        assert run(lambda: judge(BRIEF, imports)).status == "correct"
        assert sys.modules.pop("slow_to_import").ready


def in_another_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join(10)
    return results[0]


def test_what_the_answer_loads_stays_loaded_and_the_oracles_come_back():
    vae_lib.exercises.exercises("2")
    oracles = sys.modules["vae_lib.exercises.chapter_02"]
    with restored(1):
        assert sys.modules["vae_lib.exercises.chapter_02"] is None
        sys.modules["imported_meanwhile"] = surroundings
    assert sys.modules.pop("imported_meanwhile") is surroundings
    assert sys.modules["vae_lib.exercises.chapter_02"] is oracles
    assert vae_lib.exercises.chapter_02 is oracles


def cancels_the_timer(x, mean, log_var):
    with contextlib.suppress(OSError):
        signal.alarm(0)
    with contextlib.suppress(OSError):
        signal.setitimer(signal.ITIMER_REAL, 0)
    endless()


WAYS_OUT = {
    "_exit": lambda *_: os._exit(3),
    "abort": lambda *_: os.abort(),
    "kill": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "killpg": lambda *_: os.killpg(0, signal.SIGKILL),
    "execve": lambda *_: os.execlpe("true", "true", {}),
    "raise_signal": lambda *_: signal.raise_signal(signal.SIGTERM),
}


@pytest.mark.parametrize("name", WAYS_OUT)
def test_an_answer_cannot_end_the_process(name):
    originals = os._exit, os.kill, signal.setitimer
    assert f"PermissionError: {name} is not allowed" in judge(DENSITY, WAYS_OUT[name]).hint
    assert (os._exit, os.kill, signal.setitimer) == originals


def test_an_answer_cannot_cancel_the_timer_that_stops_it():
    assert "was stopped after 0.2 seconds" in judge(BRIEF, cancels_the_timer).hint


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork")  # of a process with threads
def test_an_answers_own_children_may_end_and_be_ended():
    def with_a_child(x, mean, log_var):
        child = os.fork()
        if child == 0:
            os._exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            other.kill()
        return by_hand(x, mean, log_var)

    result = judge(DENSITY, with_a_child)
    assert result.status == "correct", result.hint


def test_random_states_survive_an_answer_that_replaces_the_seeding():
    def replaces(x, mean, log_var):
        torch.set_rng_state = random.setstate = np.random.set_state = failing
        return by_hand(x, mean, log_var)

    state = torch.get_rng_state()
    with contextlib.suppress(RuntimeError):
        assert judge(DENSITY, replaces).status == "correct"
    assert torch.equal(torch.get_rng_state(), state)
