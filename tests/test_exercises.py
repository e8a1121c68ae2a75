"""`check` recognises mistakes by their outputs, and survives whatever an answer does."""

import contextlib
import html
import io
import math
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace

import nbformat
import numpy as np
import pytest
import torch
from density_exercise import DENSITY, by_hand, mean_over_dimensions, without_constant
from nbclient import NotebookClient
from torch import nn
from torch.distributions import Normal

import vae_lib.exercises
from vae_lib.exercises import Exercise, Mistake, Verdict, check, verdict
from vae_lib.exercises.display import as_html, as_metadata, as_text
from vae_lib.exercises.judging import judge

BRIEF = replace(DENSITY, seconds=0.1)


@pytest.fixture(scope="module", autouse=True)
def the_first_check_loads_what_torch_loads_late():
    judge(DENSITY, by_hand)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(vae_lib.exercises, "exercises", lambda chapter=None: {"2.1": DENSITY})


# Recognition


def test_another_way_to_the_right_answer_is_correct():
    assert judge(DENSITY, by_hand).status == "correct"


def loop_without_constant(x, mean, log_var):
    rows = []
    for i in range(len(x)):
        terms = [(x[i, j] - mean[i, j]) ** 2 / log_var[i, j].exp() for j in range(x.shape[1])]
        rows.append(-0.5 * sum(terms) - 0.5 * log_var[i].sum())
    return torch.stack(rows)


def test_a_mistake_is_recognised_however_it_is_written():
    verdict = judge(DENSITY, loop_without_constant)
    assert (verdict.status, verdict.mistake) == ("wrong", "no constant")
    assert verdict.hint == "Which term depends on neither x nor `mean`?"


IN_WORDS = Exercise(
    "1.1",
    oracle=lambda size: math.prod(size),
    cases=lambda generator: [((3, 16, 16),), ((1, 8),)],
    summarise=lambda output, size: (
        "right" if output == math.prod(size) else "less" if output < math.prod(size) else "more"
    ),
    mistakes=(
        Mistake("too little", lambda size: math.prod(size) - 1, "It is more than that."),
        Mistake("too much", lambda size: math.prod(size) + 1, "It is less than that."),
    ),
)


def test_what_is_said_in_words_of_the_first_wrong_case_tells_the_mistake():
    """Though each of the two mistakes is made in every case, and this answer makes both."""
    verdict = judge(IN_WORDS, lambda size: math.prod(size) + (1 if len(size) == 3 else -1))
    assert (verdict.status, verdict.mistake) == ("wrong", "too much")
    verdict = judge(IN_WORDS, lambda size: math.prod(size) - (len(size) == 2))
    assert (verdict.status, verdict.mistake) == ("wrong", "too little")


def test_words_that_several_mistakes_share_tell_none_of_them():
    third = Mistake("far too much", lambda size: math.prod(size) + 2 * len(size) - 5, "No.")
    both = replace(IN_WORDS, mistakes=(*IN_WORDS.mistakes, third))
    verdict = judge(both, lambda size: 999 if len(size) == 3 else 8)
    assert (verdict.status, verdict.mistake) == ("wrong", None)
    assert 'With size = (3, 16, 16): expected "right", got "more".' in verdict.hint


def only_passes(x, mean, log_var):
    """The log density."""
    pass


def not_implemented(x, mean, log_var):
    raise NotImplementedError("to do")


@pytest.mark.parametrize(
    "answer", [lambda x, mean, log_var: ..., ..., only_passes, not_implemented]
)
def test_a_stub_is_not_attempted(answer):
    assert judge(DENSITY, answer).status == "not attempted"


def test_what_torch_has_not_implemented_is_an_error():
    def no_gradient(x, mean, log_var):
        return torch.distributions.Bernoulli(0.5).rsample()

    assert "NotImplementedError" in judge(DENSITY, no_gradient).hint


def test_a_stub_of_two_outputs_is_not_attempted():
    assert judge(DENSITY, lambda x, mean, log_var: (..., ...)).status == "not attempted"


def forgets_to_return(x, mean, log_var):
    by_hand(x, mean, log_var)


def yields(x, mean, log_var):
    yield by_hand(x, mean, log_var)


async def waits(x, mean, log_var):
    return by_hand(x, mean, log_var)


def exits_a_generator(x, mean, log_var):
    raise GeneratorExit


def fills_the_memory(x, mean, log_var):
    return [None] * sys.maxsize


class Caller:
    def __call__(self, x, mean, log_var):
        return by_hand(x, mean, log_var)


def exits(x, mean, log_var):
    sys.exit(3)


def interrupts_itself(x, mean, log_var):
    raise KeyboardInterrupt("by its own hand")


def recurses(x, mean, log_var):
    return recurses(x, mean, log_var)


class Sulky(Exception):
    def __str__(self):
        raise ValueError


def raises_what_cannot_be_printed(x, mean, log_var):
    raise Sulky


def changes_its_arguments(x, mean, log_var):
    log_var.mul_(0.5).exp_()
    return Normal(mean, log_var).log_prob(x).sum(-1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (forgets_to_return, "is the return missing?"),
        (lambda x, mean, log_var: by_hand(x, mean, log_var).sum(), "got a scalar tensor"),
        (
            lambda x, mean, log_var: by_hand(x, mean, log_var)[:, None],
            "got a tensor of shape (3, 1)",
        ),
        (lambda x, mean, log_var: by_hand(x, mean, log_var) * math.nan, "got nan"),
        (lambda x, mean, log_var: by_hand(x, mean, log_var).long(), "got torch.int64"),
        (lambda x, mean, log_var: by_hand(x, mean, log_var).tolist()[1:], "got a list of 2"),
        (lambda x, mean, log_var: [1, [2, 3]], "got a list of 2"),
        (lambda x, mean, log_var: (by_hand(x, mean, log_var), 1), "got a tuple of 2"),
        (lambda x, mean, log_var: "three", 'got "three"'),
        (lambda x, mean, log_var: Normal(mean, 1.0), "got a distribution (Normal)"),
        (lambda x, mean, log_var: {"log density": 1}, "got a dict"),
        (lambda x, mean, log_var: by_hand, "got a function (is it to be called?)"),
        (lambda x, mean, log_var: 10**5000, "got a very large integer"),
        (yields, "got a generator"),
        (waits, "got a coroutine"),
        (exits_a_generator, "GeneratorExit"),
        (fills_the_memory, "MemoryError"),
        (Caller, "Caller is a class: give an object of it"),
        (lambda x, mean, log_var: -by_hand(x, mean, log_var), "each by a factor of -1"),
        (lambda x, mean, log_var: by_hand(x, mean, log_var) + 2, "each by +2"),
        (lambda x, mean: x, "log_density(x, mean, log_var)"),
        (lambda x, mean, log_var: 1 / 0, "ZeroDivisionError: division by zero"),
        (torch.zeros(3), "the function itself"),
        (None, "the function itself"),
        (len, "len(x, mean, log_var)"),
        (dict, "Error"),
        (exits, "SystemExit: 3"),
        (interrupts_itself, "KeyboardInterrupt: by its own hand"),
        (recurses, "RecursionError"),
        (raises_what_cannot_be_printed, "Sulky"),
        (changes_its_arguments, "changes its arguments in place"),
    ],
)
def test_a_wrong_answer_without_a_known_mistake_is_told_what_differs(answer, words):
    verdict = judge(DENSITY, answer)
    assert (verdict.status, verdict.mistake) == ("wrong", None)
    assert words.replace("log_density", "") in verdict.hint


def test_an_error_is_given_with_its_line():
    code = "def f(x, mean, log_var):\n    y = x + mean\n    return y.absent\n"
    namespace = {}
    exec(compile(code, "<cell>", "exec"), namespace)
    assert "in line 3 of the cell: AttributeError" in judge(DENSITY, namespace["f"]).hint


# Other kinds of exercise


def test_a_value_is_compared_without_giving_it_away():
    exercise = Exercise(
        "2.2", oracle="c", mistakes=(Mistake("a", "a", "Not a."), Mistake("b", "b", "Not b."))
    )
    assert judge(exercise, " C ").status == "correct"
    assert judge(exercise, "b").hint == "Not b."
    assert judge(exercise, "d").hint == "That is not it."
    assert judge(exercise, 3).hint == "Expected a string, got 3."
    assert judge(exercise, ...).status == "not attempted"
    assert judge(exercise, None).status == "not attempted"
    assert judge(exercise, None).hint.endswith('give the value itself, as in check("2.2", "a").')


@pytest.mark.parametrize("value", [0.25, torch.tensor(0.25), np.float32(0.25)])
def test_a_number_is_correct_within_the_tolerance(value):
    exercise = Exercise("2.2", oracle=0.25, mistakes=(), rtol=0.01)
    assert judge(exercise, value).status == "correct"
    assert judge(exercise, value + 0.01).hint == "That is not it."
    assert "0.25" not in judge(exercise, "a quarter").hint


SAMPLER = Exercise(
    "2.3",
    oracle=lambda mean, scale, n: Normal(mean, scale).sample((n,)),
    cases=lambda generator: [(torch.tensor([3.0, -1.0]), torch.tensor([0.5, 2.0]), 20_000)],
    summarise=lambda z, mean, scale, n: (
        ((z - mean) / scale).mean(0),
        ((z - mean) / scale).std(0),
    ),
    atol=0.05,
    mistakes=(
        Mistake("mean", lambda mean, scale, n: mean.expand(n, -1), "Where is the noise?"),
        Mistake(
            "variance",
            lambda mean, scale, n: mean + scale**2 * torch.randn(n, len(mean)),
            "The scale is not the variance.",
        ),
    ),
)


def test_a_sampler_is_judged_by_its_moments():
    def from_uniforms(mean, scale, n):
        return mean + scale * math.sqrt(2) * torch.erfinv(2 * torch.rand(n, len(mean)) - 1)

    def squared_scale(mean, scale, n):
        return torch.normal(mean.expand(n, -1), (scale * scale).expand(n, -1))

    assert judge(SAMPLER, from_uniforms).status == "correct"
    assert judge(SAMPLER, squared_scale).mistake == "variance"
    far_off = judge(SAMPLER, lambda mean, scale, n: from_uniforms(mean + 1, scale, n)).hint
    assert ": in what follows from your output, at [0] expected" in far_off
    assert judge(SAMPLER, lambda mean, scale, n: mean).hint.endswith(
        "expected a tensor of shape (20000, 2), got a tensor of shape (2,)."
    )


@pytest.mark.parametrize("cases", [lambda g: torch.rand(5, generator=g), lambda g: torch.rand(5)])
def test_what_an_answer_draws_is_not_what_the_case_has_drawn(cases):
    exercise = Exercise("2.2", oracle=lambda x: x, cases=lambda g: [(cases(g),)], mistakes=())
    assert judge(exercise, lambda x: torch.rand(5)).status == "wrong"


def test_a_network_that_fails_is_told_why_whatever_its_class():
    """The oracle's class is one of many, and no reason."""

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(6, 4, 3)

        def forward(self, rows):
            return self.layer(rows.reshape(-1, 6, 16, 16))

    told = verdict("II.2", lambda image_shape, n_classes, latent_dim: Encoder()).hint
    assert "got an Encoder, with which this fails: shape '[-1, 6, 16, 16]' is invalid" in told
    told = verdict("II.2", lambda image_shape, n_classes, latent_dim: abs).hint
    assert "expected a module, got " in told


def test_modules_and_gradients_can_be_compared():
    exercise = Exercise(
        "2.4",
        oracle=lambda net, x: net(x).pow(2).sum(-1),
        cases=lambda generator: [(nn.Linear(3, 2), torch.randn(4, 3, generator=generator))],
        summarise=lambda loss, net, x: torch.autograd.grad(loss.sum(), net.weight)[0],
        mistakes=(),
    )

    def with_noise(net, x):
        with torch.no_grad():
            net.weight.add_(1.0)
        return net(x).pow(2).sum(-1)

    assert judge(exercise, lambda net, x: (net(x) ** 2).sum(1)).status == "correct"
    assert "got" in judge(exercise, lambda net, x: (net(x).detach() ** 2).sum(1)).hint
    assert "in place" in judge(exercise, with_noise).hint


def test_compare_replaces_closeness():
    exercise = Exercise(
        "2.5",
        oracle=lambda n: torch.arange(n),
        cases=lambda generator: [(5,)],
        compare=lambda output, expected: sorted(output.tolist()) == expected.tolist(),
        mistakes=(),
    )
    assert judge(exercise, lambda n: torch.arange(n).flip(0)).status == "correct"
    assert judge(exercise, lambda n: torch.ones(n)).status == "wrong"
    assert judge(exercise, lambda n: "five").status == "wrong"


# An answer that never ends


def endless(*arguments):
    while True:
        pass


def endless_catching_everything(*arguments):
    while True:
        try:  # noqa: SIM105
            time.sleep(0.01)
        except:  # noqa: E722
            pass


def endless_catching_twice(*arguments):
    while True:
        try:
            try:  # noqa: SIM105
                time.sleep(0.01)
            except BaseException:
                pass
        except BaseException:
            continue


def endless_collecting(*arguments):
    errors = []
    while True:
        try:
            time.sleep(0.01)
        except BaseException as error:
            errors.append(error)


def endless_recursion(*arguments):
    with contextlib.suppress(BaseException):
        endless_recursion()
    endless_recursion()


def endless_printing(*arguments):
    while True:
        print("again")


def returning_late(x, mean, log_var):
    try:
        endless()
    except BaseException:
        return by_hand(x, mean, log_var)


ENDLESS = [
    endless,
    endless_catching_everything,
    endless_catching_twice,
    endless_collecting,
    pytest.param(
        endless_recursion,
        marks=pytest.mark.skipif(
            sys.version_info >= (3, 13), reason="CPython 3.13.0 was seen not to let it be stopped"
        ),
    ),
    endless_printing,
    returning_late,
]


def in_another_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(10)
    return results[0]


@pytest.mark.parametrize("run", [lambda f: f(), in_another_thread], ids=["main", "other thread"])
@pytest.mark.parametrize("answer", ENDLESS)
def test_an_answer_that_never_ends_is_stopped(answer, run):
    tracer = sys.gettrace()
    start = time.monotonic()
    verdict = run(lambda: judge(BRIEF, answer))
    assert time.monotonic() - start < 5
    assert verdict.hint.startswith("Your function was stopped after 0.1 seconds")
    assert sys.gettrace() is tracer
    time.sleep(0.06)  # nothing is left that would raise here
    assert run(lambda: judge(DENSITY, by_hand)).status == "correct"


def test_the_usual_limit_is_under_three_seconds():
    """That this is how long it takes, the tests above say."""
    assert Exercise("2.1", oracle=by_hand, mistakes=()).seconds < 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs Unix timers")
def test_somebody_elses_timer_still_runs():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.6)
    try:
        judge(BRIEF, endless)  # 0.1 seconds
        while not rung and time.monotonic() - start < 10:
            time.sleep(0.01)
        assert len(rung) == 1
        assert 0.55 < rung[0] - start < 5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="sends itself a signal")
@pytest.mark.parametrize("answer", [endless, endless_catching_everything])
def test_the_users_own_interrupt_gets_through(answer):
    # A job in the background may have been started with its interrupts ignored.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident, 2))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            judge(replace(DENSITY, seconds=1.0), answer)
        timer.join()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, previous)


# What surrounds the answer


def test_the_global_state_is_left_alone():
    def changes_everything(x, mean, log_var):
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        return x

    def draws():
        numbers = torch.rand(3).tolist() + np.random.rand(3).tolist()  # noqa: NPY002
        return numbers + [random.random() for _ in range(3)]

    def seeded():
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002
        random.seed(7)

    seeded()
    expected = draws()
    seeded()
    judge(DENSITY, changes_everything)
    judge(SAMPLER, SAMPLER.oracle)
    assert draws() == expected
    assert torch.get_default_dtype() == torch.float32
    assert torch.empty(0).device == torch.device("cpu")
    assert torch.is_grad_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_learners_own_modes_neither_matter_nor_change():
    with torch.no_grad():
        assert judge(DENSITY, by_hand).status == "correct"
        assert not torch.is_grad_enabled()
    torch.set_default_device("meta")
    try:
        assert judge(DENSITY, by_hand).status == "correct"
        assert torch.empty(0).device == torch.device("meta")
    finally:
        torch.set_default_device(None)


def test_what_an_answer_prints_is_kept_and_bounded(registered, capsys):
    def prints(x, mean, log_var):
        print("shape", tuple(x.shape))
        return by_hand(x, mean, log_var)

    def prints_a_lot(x, mean, log_var):
        print("." * 10**7)
        return by_hand(x, mean, log_var)

    check("2.1", prints)
    assert capsys.readouterr().out == "shape (3, 2)\nshape (4, 5)\n✓ Exercise 2.1: correct.\n"
    check("2.1", prints_a_lot)
    assert len(capsys.readouterr().out) < 3000


def test_an_answers_own_timer_and_streams_are_undone():
    def takes_over(x, mean, log_var):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout = io.StringIO()
        return x

    handler, stdout = signal.getsignal(signal.SIGINT), sys.stdout
    judge(DENSITY, takes_over)
    assert signal.getsignal(signal.SIGINT) is handler
    assert sys.stdout is stdout


# What the learner sees


def test_check_returns_nothing_and_prints_in_a_terminal(registered, capsys):
    assert check("2.1", without_constant) is None
    assert capsys.readouterr().out == (
        "✗ Exercise 2.1: not yet right.\n  Which term depends on neither x nor `mean`?\n"
    )


def test_an_unknown_exercise_gets_the_nearest_name(registered, capsys):
    check("2.11", by_hand)
    assert 'There is no such exercise. Do you mean "2.1"?' in capsys.readouterr().out
    check(None, by_hand)
    assert "There is no such exercise" in capsys.readouterr().out
    check("density", by_hand)
    assert 'There is no such exercise. Do you mean "2.1"?' in capsys.readouterr().out


@pytest.mark.parametrize("number", ["2.1", " 2.1", "Exercise 2.1", 2.1])
def test_a_number_is_understood_however_it_is_written(registered, number):
    assert verdict(number, by_hand).status == "correct"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((by_hand, "2.1"), 'The exercise comes first: check("2.1", your_answer).'),
        (("b", "2.1"), 'The exercise comes first: check("2.1", your_answer).'),
        (("2.1",), "There is no answer to check: give it after the number."),
        ((), "give its number"),
        ((10**5000, by_hand), "The book failed to check it (ValueError"),
    ],
)
def test_a_call_that_is_none_is_answered_in_a_sentence(registered, capsys, arguments, words):
    assert verdict(*arguments).status == "not checked"
    assert words in verdict(*arguments).hint
    check(*arguments)
    assert words in capsys.readouterr().out


def test_a_verdict_is_data(registered):
    assert verdict("2.1", without_constant) == Verdict(
        "2.1", "wrong", "Which term depends on neither x nor `mean`?", "no constant"
    )


def test_a_fault_of_the_book_does_not_stop_the_notebook(monkeypatch, capsys):
    broken = Exercise("2.1", oracle=lambda x: 1 / 0, cases=lambda g: [(1,)], mistakes=())
    monkeypatch.setattr(vae_lib.exercises, "exercises", lambda chapter=None: {"2.1": broken})
    check("2.1", lambda x: x)
    assert "The book failed to check it (ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [by_hand, without_constant, ..., lambda x, mean, log_var: "<b>"])
def test_html_says_in_words_what_the_text_says(answer):
    result = judge(DENSITY, answer)
    page = as_html(result)
    assert 'role="status"' in page
    assert "color: inherit" in page
    visible = html.unescape("".join(part.partition(">")[2] for part in page.split("<")))
    words = as_text(result).replace("`", "").split()
    # An escaped hint shows as it was written; the symbol and each word appear in both.
    assert "".join(visible.split()) == "".join(words).replace("<br>", "")


def test_metadata_carries_the_verdict():
    assert as_metadata(judge(DENSITY, mean_over_dimensions)) == {
        "vae_book": {"exercise": "2.1", "verdict": "wrong", "mistake": "mean over dimensions"}
    }


def test_check_is_quick_to_import():
    """Importing it must not import torch, which the first check needs, not the import cell."""
    code = "import sys; from vae_lib.exercises import check; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_notebook_runs_through_and_shows_html():
    """In a real kernel: every hostile answer gets its verdict, and the last cell still runs."""
    setup = """
        import sys, time, vae_lib.exercises
        from vae_lib.exercises import Exercise, check
        double = Exercise("1.1", oracle=lambda x: 2 * x, cases=lambda g: [(3,)], mistakes=(),
                          seconds=0.3)
        vae_lib.exercises.exercises = lambda chapter=None: {"1.1": double}
        def endless(x):
            while True:
                try:
                    time.sleep(0.01)
                except:
                    pass
    """
    answers = ["lambda x: x + x", "lambda x: ...", "lambda x: sys.exit()", "endless"]
    answers.append("lambda x: exit()")  # which is IPython's own, and ends the kernel
    cells = [textwrap.dedent(setup), *(f'check("1.1", {answer})' for answer in answers), "done = 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [output.metadata["vae_book"]["verdict"] for output in outputs] == [
        "correct",
        "not attempted",
        "wrong",
        "wrong",
        "wrong",
    ]
    assert "ask_exit is not allowed" in outputs[-1].data["text/plain"]
    assert all(set(output.data) == {"text/plain", "text/html"} for output in outputs)
    assert notebook.cells[-1].execution_count == len(cells)
