"""The questions of chapter 15."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A second model is made from a trained VAE by turning the encoder's answers by a rotation "
        "and the decoder's input back. Its mutual information gap is four times that of the first. "
        "What of its log p(x)?",
        options=(
            Option(
                "It is higher: axes that are factors describe the pictures better",
                "A description by other axes is the same description. Each code of the old model "
                "has its turned twin, of the same density under the prior and decoded to the same "
                "distribution.",
            ),
            Option(
                "It is lower: what is gained in order is paid for in the bound",
                "That would be a trade-off as with β, where something is withheld. A rotation "
                "withholds nothing, and can be undone.",
            ),
            Option(
                "The same on average, though not for every picture",
                "Each picture's own integral is unchanged, and not only their mean: the argument "
                "never spoke of an average.",
            ),
            Option(
                "It is the same for every picture",
                "p(x) is an integral over all z, and a rotation only changes the order in which "
                "it visits them. The prior is round, so every z keeps its weight.",
                right=True,
            ),
        ),
    ),
    Question(
        "Two latent dimensions each settle the hue completely, and a third settles the size and "
        "nothing else. Only hue and size vary. What is the mutual information gap?",
        options=(
            Option(
                "1: every factor is told completely",
                "It asks more than that: by how much the best dimension tells more than the "
                "second best. For the hue two tell the same.",
            ),
            Option(
                "0.5: the hue has a gap of 0, the size of 1",
                "The mean over the factors. To turn the hue one would have to move two knobs "
                "together.",
                right=True,
            ),
            Option(
                "0: the code has one dimension too many",
                "A dimension too many does harm to the factor that it doubles, here the hue. The "
                "size is still told by one dimension alone.",
            ),
            Option(
                "0.67: two of three dimensions are needed",
                "It is a mean over factors, of which there are two, and not over dimensions.",
            ),
        ),
    ),
    Question(
        "With one seed each, a VAE with β = 1 has a gap of 0.05 and one with β = 16 has 0.12. Five "
        "seeds of either are known to spread with a standard deviation of 0.04, about normally. "
        "How often would two models of the same β differ by that much?",
        options=(
            Option(
                "In about one pair of five",
                "0.07 is 1.24 of the difference's standard deviations of 0.057, and in either "
                "direction that is exceeded with a probability of 0.22. One pair shows nothing.",
                right=True,
            ),
            Option(
                "Hardly ever: 0.07 is nearly two standard deviations",
                "Two of one model's deviations. But both numbers scatter, so their difference has "
                "a standard deviation of 0.04 times √2, or 0.057.",
            ),
            Option(
                "In about one pair of two",
                "Differences of half of them exceed 0.038, which is two thirds of 0.057. For 0.07 "
                "it is fewer, though still many.",
            ),
            Option(
                "In about one pair of twelve",
                "That would be so for a single model, in either direction, about a mean that is "
                "known. Here two scatter.",
            ),
        ),
    ),
)
