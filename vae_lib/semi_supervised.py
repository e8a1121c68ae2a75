"""Few labels: a conditional VAE whose y is known for some examples and summed out for the rest.

The model is the second of Kingma, Mohamed, Rezende and Welling (2014), M2: y from p(y), z from
p(z), then x from p(x|z, y). Where y was seen, there is a bound on log p(x, y). Where it was not, y
is one more latent variable, and one with so few values that its expectation is a sum, not a draw.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae_lib.checks import as_tensor, called, device_of, dtype_of, evaluating, positive, rows
from vae_lib.objectives import conditional_elbo

if TYPE_CHECKING:
    from vae_lib.models import ConditionalVAE


class SemiSupervisedVAE(nn.Module):
    """x to q(y|x), y to a VAE, and nothing to p(y), for a y of C classes.

    Args:
        classifier: maps rows (B, D) to the logits of q(y|x), (B, C).
        cvae: a `vae_lib.models.ConditionalVAE`, whose y are rows of C zeros and ones.
        p_y: the probability of each class, (C,), positive and adding up to 1.

    Raises:
        ValueError: p_y is no list of positive probabilities.

    Source: Kingma, Mohamed, Rezende and Welling (2014), model M2. Taught in chapter 13.
    """

    def __init__(self, classifier: nn.Module, cvae: "ConditionalVAE", p_y: Tensor) -> None:
        super().__init__()
        p_y = as_tensor(p_y, "p_y")
        if p_y.ndim != 1 or not (p_y > 0).all() or not (p_y.sum() - 1).abs() < 1e-4:
            raise ValueError(
                "p_y must be the probabilities of C classes, (C,), positive and adding up to 1, "
                f"but is {p_y.tolist()}. Ten equally probable classes are torch.full((10,), 0.1)."
            )
        self.classifier = classifier
        self.cvae = cvae
        self.validate_args = True
        dtype = torch.promote_types(p_y.dtype, torch.float32)
        self.register_buffer("log_p_y", (p_y.to(dtype) / p_y.to(dtype).sum()).log())

    def log_q_y(self, x: Tensor) -> Tensor:
        """log q(y|x) for every class, (B, C), from x (B, D)."""
        logits = called(self.classifier, x)
        expected = len(x), len(self.log_p_y)
        if not isinstance(logits, Tensor) or logits.shape != expected:
            came = tuple(getattr(logits, "shape", ())) or f"a {type(logits).__name__}"
            raise ValueError(
                f"The classifier must give a logit for each example and class, {expected}, but "
                f"gave {came}: its last layer needs {expected[1]} units."
            )
        return F.log_softmax(logits, dim=-1)

    @torch.no_grad()
    def class_probabilities(self, x: Tensor) -> Tensor:
        """q(y|x), (B, C), in evaluation mode, from whatever holds rows of numbers, (B, D)."""
        x = rows(x, "x", dtype=dtype_of(self)).to(device_of(self))
        with evaluating(self):
            return self.log_q_y(x).exp()


def labelled_bound(model: SemiSupervisedVAE, x: Tensor, y: Tensor, *, n_samples: int = 1) -> Tensor:
    """L(x, y) <= log p(x, y), for x (B, D) and one-hot y (B, C); (B,), in nats.

    L(x, y) = log p(y) + E_q[log p(x|z, y)] - KL(q(z|x, y) || p(z)).

    Source: Kingma, Mohamed, Rezende and Welling (2014). Taught in chapter 13.
    """
    _check_one_hot(model, y, len(x))
    return conditional_elbo(model.cvae, x, y, n_samples=n_samples) + y @ model.log_p_y.to(y)


def class_bounds(model: SemiSupervisedVAE, x: Tensor, *, n_samples: int = 1) -> Tensor:
    """L(x, y) for each of the C classes and every x of (B, D): (C, B), in nats.

    Each class has draws of z of its own. Takes the time and the memory of C batches. Taught in
    chapter 13.
    """
    n_classes, n = len(model.log_p_y), len(x)
    y = torch.eye(n_classes, dtype=x.dtype, device=x.device).repeat_interleave(n, dim=0)
    bounds = conditional_elbo(model.cvae, x.repeat(n_classes, 1), y, n_samples=n_samples)
    return bounds.reshape(n_classes, n) + model.log_p_y.to(bounds)[:, None]


def unlabelled_bound(model: SemiSupervisedVAE, x: Tensor, *, n_samples: int = 1) -> Tensor:
    """U(x) <= log p(x), with y summed out: Σ_y q(y|x) (L(x, y) - log q(y|x)); (B,), in nats.

    It is highest, logsumexp_y L(x, y), where q(y|x) is the softmax of L(x, y) over y.

    Source: Kingma, Mohamed, Rezende and Welling (2014). Taught in chapter 13.
    """
    return _summed_out(class_bounds(model, x, n_samples=n_samples), model.log_q_y(x))


def semi_supervised_bound(
    model: SemiSupervisedVAE,
    x: Tensor,
    y: Tensor,
    labelled: Tensor,
    *,
    alpha: float = 1.0,
    n_samples: int = 1,
) -> Tensor:
    """L(x, y) + α log q(y|x) where there is a label, U(x) where there is none; (B,), in nats.

    As the objective of `fit` it wants data=(x, y, labelled), whose rows travel together. Neither
    bound teaches the classifier by the labels themselves, which is what α is for: without it, no
    label would reach q(y|x) but by way of the decoder.

    Args:
        x: (B, D).
        y: (B, C), one-hot; where there is no label a row of zeros, or whatever else.
        labelled: (B,), true or 1 where y is to be believed.
        alpha: the weight of log q(y|x), 0 or more.

    Raises:
        ValueError: y or labelled of another shape; a row that is labelled and not one-hot; an alpha
            below 0 or not finite.

    Source: Kingma, Mohamed, Rezende and Welling (2014). Taught in chapter 13.
    """
    if labelled.shape != x.shape[:1]:
        raise ValueError(
            f"labelled must say for each of the {len(x)} examples whether it has a label, "
            f"({len(x)},), but has shape {tuple(labelled.shape)}."
        )
    labelled, alpha = labelled.bool(), positive(alpha, "alpha", or_zero=True)
    _check_one_hot(model, y, len(x), labelled)
    bounds, log_q_y = class_bounds(model, x, n_samples=n_samples), model.log_q_y(x)
    label = y.argmax(1, keepdim=True)
    with_label = bounds.T.gather(1, label) + alpha * log_q_y.gather(1, label)
    return torch.where(labelled, with_label.squeeze(1), _summed_out(bounds, log_q_y))


def _summed_out(bounds: Tensor, log_q_y: Tensor) -> Tensor:
    return (log_q_y.exp() * (bounds.T - log_q_y)).sum(-1)


def _check_one_hot(
    model: SemiSupervisedVAE, y: Tensor, n: int, labelled: Tensor | None = None
) -> None:
    expected = n, len(model.log_p_y)
    if y.shape != expected:
        raise ValueError(
            f"y must have a row of {expected[1]} zeros and ones for each example, {expected}, but "
            f"has shape {tuple(y.shape)}. Labels 0, 1, 2, ... become such rows by "
            f"torch.nn.functional.one_hot(labels, {expected[1]}).float()."
        )
    if not model.validate_args:
        return
    seen = y if labelled is None else y[labelled]
    if not (((seen == 0) | (seen == 1)).all() and (seen.sum(-1) == 1).all()):
        raise ValueError(
            "Each row of y that counts as labelled must be a single 1 among zeros. Where a label "
            "is missing, let `labelled` be 0."
        )
