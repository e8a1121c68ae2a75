"""The questions of chapter 7."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "`mu` and `sigma` come from the encoder, `q_z` is `Normal(mu, sigma)`, and `eps` is "
        "standard normal noise. With which of these lines does log p(x|z) pass a gradient to "
        "`mu`, but none to `sigma`?",
        options=(
            Option(
                "`z = q_z.sample()`",
                "Here neither gets one: the draw has forgotten where it came from, and the "
                "encoder answers to the KL alone.",
            ),
            Option(
                "`z = q_z.rsample()`",
                "This draw remembers its path, μ + σε, and so both get theirs.",
            ),
            Option(
                "`z = mu + sigma * eps.detach()`",
                "The noise has no parameters behind it, so detaching it changes nothing. "
                "Shift and scale are both still differentiated.",
            ),
            Option(
                "`z = mu + (sigma * eps).detach()`",
                "The shift can be differentiated, the scale is cut off. It is left to the KL, "
                "which pulls it to 1.",
                right=True,
            ),
        ),
    ),
    Question(
        "f(z) = z² is replaced by f(z) = z² + 1000, for z from N(μ, σ²). What does that change?",
        options=(
            Option(
                "The gradient of E[f] with respect to μ",
                "E[f] is higher by 1000 wherever μ is, so its slope is the same.",
            ),
            Option(
                "The variance of the score-function estimate of that gradient",
                "Each draw's score, ε/σ, is multiplied by the height of f. The 1000 leave its "
                "mean alone and raise its variance by more than 1000²/σ², which a baseline "
                "takes away again.",
                right=True,
            ),
            Option(
                "The mean of the score-function estimate, which is now biased",
                "The score has mean zero, and 1000 times zero is zero. What comes in is "
                "noise, not bias.",
            ),
            Option(
                "The variance of the pathwise estimate of that gradient",
                "It is made of slopes, 2z, and does not see how high f is.",
            ),
        ),
    ),
    Question(
        "f(z) is 1 for z > 0 and 0 otherwise, and z comes from N(μ, σ²). What does the "
        "pathwise estimate of ∂E[f]/∂μ give, with more and more draws?",
        options=(
            Option(
                "The right value: the jump is one point, of probability 0",
                "The draws miss it indeed, and that is the trouble. E[f] changes because "
                "draws cross the jump, and no slope at a draw shows it.",
            ),
            Option(
                "0, whatever the number of draws",
                "The slope is 0 wherever it exists, though E[f], the share of the draws right of "
                "0, does grow with μ. Derivative and expectation may not be exchanged over a "
                "jump; the score function needs no slope.",
                right=True,
            ),
            Option(
                "The right value, though with a very large variance",
                "Its variance is 0: every draw gives the same answer. Not noisy, but wrong.",
            ),
        ),
    ),
)
