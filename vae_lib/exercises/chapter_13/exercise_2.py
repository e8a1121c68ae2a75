"""Exercise 13.2: the objective of M2."""

import torch
from torch import Tensor

from vae_lib.exercises import Exercise, Mistake


def _m2_objective(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
    """One image at a time."""
    values = []
    for bound, log_q, label in zip(bounds, log_q_y, labels.tolist(), strict=True):
        q_y = torch.distributions.Categorical(logits=log_q)
        if label < 0:
            values.append(q_y.probs @ bound + q_y.entropy())
        else:
            values.append(bound[label] + alpha * q_y.log_prob(torch.tensor(label)))
    return torch.stack(values)


def _cases(generator: torch.Generator) -> list[tuple]:
    cases = []
    for labels, n_classes, alpha in [([2, -1, 0, -1, 1], 3, 2.5), ([-1, 3, 3, 0], 4, 0.4)]:
        shape = 2, len(labels), n_classes
        numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
        bounds = 3 * numbers[0] - 25
        cases.append((bounds, numbers[1].log_softmax(1), torch.tensor(labels), alpha))
    return cases


def _parts(bounds: Tensor, log_q_y: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """L(x, y) and log q(y|x) at the label, and U(x)."""
    column = labels.clamp(min=0)[:, None]
    without = (log_q_y.exp() * (bounds - log_q_y)).sum(1)
    return bounds.gather(1, column)[:, 0], log_q_y.gather(1, column)[:, 0], without


def _variant(known: float, classified: float, unknown: float, everywhere: float = 0.0) -> object:
    """L times `known` and α log q times `classified` with a label; U times `unknown` without."""

    def answer(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
        bound, log_q, without = _parts(bounds, log_q_y, labels)
        with_label = known * bound + classified * alpha * log_q + everywhere * without
        return torch.where(labels >= 0, with_label, unknown * without)

    return answer


def _last_class(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
    """What indexing by -1 does: the last class for whoever has no label."""
    column = (labels % bounds.shape[1])[:, None]
    return (bounds + alpha * log_q_y).gather(1, column)[:, 0]


def _no_entropy(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
    bound, log_q, _ = _parts(bounds, log_q_y, labels)
    return torch.where(labels >= 0, bound + alpha * log_q, (log_q_y.exp() * bounds).sum(1))


def _alpha_for_both(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
    bound, log_q, without = _parts(bounds, log_q_y, labels)
    return torch.where(labels >= 0, alpha * (bound + log_q), without)


def _best_u(bounds: Tensor, log_q_y: Tensor, labels: Tensor, alpha: float) -> Tensor:
    bound, log_q, _ = _parts(bounds, log_q_y, labels)
    return torch.where(labels >= 0, bound + alpha * log_q, bounds.logsumexp(1))


EXERCISE = Exercise(
    "13.2",
    oracle=_m2_objective,
    cases=_cases,
    mistakes=(
        Mistake(
            "minus one as an index",
            _last_class,
            "For images without a label you take the last class: −1 as an index counts from the "
            "end.",
        ),
        Mistake(
            "the classifier is not taught",
            _variant(1, 0, 1),
            "Your value does not depend on `alpha`. What did the two bounds leave out?",
        ),
        Mistake(
            "without alpha",
            lambda bounds, log_q_y, labels, alpha: _m2_objective(bounds, log_q_y, labels, 1.0),
            "Your value does not depend on `alpha`. The classifier's term is there, but without "
            "its weight.",
        ),
        Mistake(
            "class 0 taken for none",
            lambda bounds, log_q_y, labels, alpha: _m2_objective(
                bounds, log_q_y, torch.where(labels > 0, labels, -1), alpha
            ),
            "You treat class 0 as if there were no label. That is what −1 stands for.",
        ),
        Mistake(
            "the classifier's loss added",
            _variant(1, -1, 1),
            "The sign of the classifier's term: everything here is to be made large, its "
            "log-likelihood too.",
        ),
        Mistake(
            "no entropy",
            _no_entropy,
            "Without a label you average L(x, y), but the entropy of q(y|x) is missing: see "
            "equation 13.3.",
        ),
        Mistake(
            "U for all",
            _variant(0, 1, 1, everywhere=1),
            "You have U(x) for images with a label too. Where y is known, nothing needs to be "
            "summed out.",
        ),
        Mistake(
            "alpha for both terms",
            _alpha_for_both,
            "You multiply L(x, y) by `alpha` too. It is the weight of log q(y|x) alone.",
        ),
        Mistake(
            "the best that U can be",
            _best_u,
            "Without a label your value does not depend on `log_q_y`. It is what U would be with "
            "the best q(y|x), not with this one.",
        ),
        Mistake(
            "labelled images only",
            _variant(1, 1, 0),
            "Images without a label get 0 from you. Their bound is U(x).",
        ),
        Mistake(
            "both bounds for the labelled",
            _variant(1, 1, 1, everywhere=1),
            "An image with a label gets both bounds from you. It has L(x, y) alone.",
        ),
        Mistake(
            "one number",
            lambda *given: _m2_objective(*given).mean(),
            "One value for each image, please: the mean over images stands in `fit`.",
        ),
        Mistake(
            "a loss",
            lambda *given: -_m2_objective(*given),
            "The sign is that of a loss. An objective is to be made large.",
        ),
    ),
)
