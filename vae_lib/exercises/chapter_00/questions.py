"""The questions of chapter 0."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "The encoder gives a picture the cloud μ = (2, 0) and σ = (1, 1). What is its KL "
        "divergence to the prior N(0, I), in nats?",
        options=(
            Option(
                "0, since the widths are those of the prior",
                "The widths cost nothing, but the cloud has moved: its middle is 2 away from "
                "the prior's.",
            ),
            Option(
                "1",
                "The formula has the square of μ. Half of 2 would be a cost that grows evenly "
                "with the distance.",
            ),
            Option(
                "2",
                "½ · 2² for the first number. The second is like the prior, and where σ is 1, "
                "σ² − 1 − log σ² is 0.",
                right=True,
            ),
            Option(
                "4",
                "That is the square of the distance. The formula takes half of it.",
            ),
        ),
    ),
    Question(
        "You have a trained encoder and decoder, and want a new digit that resembles no "
        "picture in particular. What do you decode?",
        options=(
            Option(
                "A draw from N(0, I)",
                "The second cost has kept the clouds close to this one, so the decoder has "
                "practice with the points that it gives. No encoder is needed.",
                right=True,
            ),
            Option(
                "A draw from the cloud of some picture",
                "That gives variants of that picture, which is a reconstruction and no new digit.",
            ),
            Option(
                "64 random pixels, encoded first",
                "The encoder has never seen noise, and where it puts it is anybody's guess. "
                "New digits begin in the plane.",
            ),
        ),
    ),
    Question(
        "The decoder gives a pixel the probability 0.9 of being black. What does this pixel cost, "
        "in nats, if it is black in the picture, and what if it is white?",
        options=(
            Option(
                "0.1 and 0.9",
                "These are the errors in probability. The cost is minus a logarithm, which has "
                "no upper limit.",
            ),
            Option(
                "0.11 and 2.30",
                "−log 0.9 and −log 0.1: little for being right and a lot for being wrong, the "
                "more so the surer the decoder was.",
                right=True,
            ),
            Option(
                "0.15 and 3.32",
                "That is in bits, by the logarithm to the base 2. Nats go with the natural one.",
            ),
        ),
    ),
)
