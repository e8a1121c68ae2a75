"""The questions of chapter 14."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "With two samples of 200 real images the Fréchet distance is 0.30. A model's 800 draws "
        "against 800 held-out images have 0.20. What does that say of the model?",
        options=(
            Option(
                "It is as good as real data, or better: 0.20 is below the floor",
                "The floor of 0.30 belongs to samples of 200. With 800 it is about a quarter of "
                "that.",
            ),
            Option(
                "Its draws differ from the data: the floor for 800 is near 0.08",
                "The floor goes with one over the size, so 0.20 is more than twice the floor. How "
                "far off luck can carry it, the spread of the floor has to say.",
                right=True,
            ),
            Option(
                "Its draws differ from the data: the floor for 800 is near 0.15",
                "Right that it differs, but the bias of a covariance goes with one over the size, "
                "not with one over its root: a quarter, and not a half.",
            ),
            Option(
                "Its draws differ from the data, since the distance is not 0",
                "Real data do not have a distance of 0 either, because two samples differ by "
                "chance.",
            ),
        ),
    ),
    Question(
        "A model p is mixed with noise n into p' = 0.001 p + 0.999 n. By how much can its mean "
        "log-likelihood of held-out images be below that of p?",
        options=(
            Option(
                "By 6.9 nats at most",
                "p' is at least p / 1000, for every image, and log 1000 is 6.9. It is less where "
                "the noise itself is probable.",
                right=True,
            ),
            Option(
                "By 99.9% of it",
                "Probabilities are mixed, and not their logarithms.",
            ),
            Option(
                "By 6.9 nats for each pixel",
                "The factor of 1/1000 stands before the density of the whole image, once.",
            ),
            Option(
                "Without limit, since hardly any draw is an image",
                "Draws say what is likely to come out. The likelihood asks for the density at "
                "held-out images only, and there p' is at least p / 1000.",
            ),
        ),
    ),
    Question(
        "All 1,000 importance weights of an image come out the same. What is certain?",
        options=(
            Option(
                "The estimate of log p(x) is exact",
                "It would be if q covered the whole posterior. Weights cannot tell of a part in "
                "which no draw has fallen.",
            ),
            Option(
                "q has missed a part of the posterior",
                "It may have, but need not: with the exact posterior for q the weights are all "
                "the same too.",
            ),
            Option(
                "The effective sample size is 1",
                "Equal weights are the other extreme: all 1,000 draws count alike.",
            ),
            Option(
                "Where the draws fell, q is proportional to the posterior",
                "p(x, z) / q(z|x) is the same at each of them. Of the rest nothing is known: a "
                "second hump would be missing from the estimate.",
                right=True,
            ),
        ),
    ),
)
