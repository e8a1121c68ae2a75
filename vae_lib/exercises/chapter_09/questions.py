"""The questions of chapter 9."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A loss is `F.binary_cross_entropy_with_logits(logits, x)`, with its default "
        "reduction, plus the KL, summed over 20 latents and averaged over the batch. The "
        "images have 784 pixels. Of which β-weighted ELBO is this the negative, up to a "
        "factor?",
        options=(
            Option(
                "β = 1/784",
                "The mean over pixels makes the reconstruction term smaller. It is the KL "
                "that gains weight by that.",
            ),
            Option(
                "β = 1, since both terms are means over the batch",
                "Over the batch they are. But the first is a mean over the pixels of an image "
                "as well, and the second is no mean over its latents.",
            ),
            Option(
                "β = 39.2",
                "784/20 would come out if the KL were averaged over its latents, as the "
                "cross-entropy is over its pixels.",
            ),
            Option(
                "β = 784",
                "The default mean divides an image's cross-entropy by 784, which is as good "
                "as multiplying its KL by that. At such a price hardly any code is worth "
                "sending.",
                right=True,
            ),
        ),
    ),
    Question(
        "On a linear-Gaussian model with known evidence, an objective by the name of ELBO "
        "comes out 0.9 nats above log p(x), averaged over 4,000 images with a standard error "
        "of 0.02. What is it?",
        options=(
            Option(
                "Noise: an estimate from one draw may exceed log p(x)",
                "For a single image it may, and often does. The mean over 4,000 of them is 45 "
                "standard errors away.",
            ),
            Option(
                "No lower bound: some part of it is computed wrongly",
                "In expectation no q gets past log p(x). Perhaps the decoder is shown less "
                "noise than the KL has been charged for.",
                right=True,
            ),
            Option(
                "A bound that is nearly tight, and all the better for it",
                "It would be tight from below. A wrong objective need not look worse, and "
                "this one flatters.",
            ),
            Option(
                "A sign that q is better than the true posterior",
                "With the true posterior the ELBO is log p(x) on average, and that is its "
                "maximum over q.",
            ),
        ),
    ),
    Question(
        "A sampler returns `mu + log_var.exp() * eps`, without halving `log_var`. It is "
        "tested: the standardised draws (z − μ)/σ must have mean 0 and variance 1. With which "
        "values does the bug pass the test?",
        options=(
            Option(
                "μ = −1.5 and log σ² = 0",
                "At log σ² = 0 both σ and σ² are 1, so that the missing half does nothing. "
                "Test with numbers that have no special place.",
                right=True,
            ),
            Option(
                "μ = 0 and log σ² = −2",
                "The variance comes out as e⁻² in place of 1. That μ is 0 would hide a wrong "
                "shift, not a wrong scale.",
            ),
            Option(
                "μ = 1.7 and log σ² = 1",
                "The variance comes out as e in place of 1, and fails.",
            ),
            Option(
                "With none: the test catches it everywhere",
                "There is one scale at which a variance and its root are the same number.",
            ),
        ),
    ),
)
