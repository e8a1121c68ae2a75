"""The questions of chapter 12."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "Two VAEs are the best that their family of networks can be, one for β = 1, with a rate "
        "of 12 nats and a distortion of 70, and one for β = 3, with a rate of 8 nats. Which "
        "distortion can the second one have?",
        options=(
            Option(
                "68 nats",
                "Shorter code and less distortion: then the first model would not be the best for "
                "β = 1, nor for any other β.",
            ),
            Option(
                "73 nats",
                "The slope is 3 nats for 4, which is less than 1. The first model could give up "
                "its last four nats of code and gain by it.",
            ),
            Option(
                "78 nats",
                "Four nats of code are worth 8 nats of distortion, 2 each, and that lies between "
                "the two prices. Neither would gain by taking the other's place.",
                right=True,
            ),
            Option(
                "84 nats",
                "Now four nats of code save 14 nats of distortion, more than the 12 that they "
                "cost at β = 3. The second model should have bought them.",
            ),
        ),
    ),
    Question(
        "A VAE with a Gaussian decoder of fixed σ = 1 was trained with β = 0.04. Of which VAE with "
        "weight 1 are its networks the optimum?",
        options=(
            Option(
                "That with σ = 0.2",
                "What counts is βσ², which is 0.04 for both. The likelihoods differ, but not the "
                "networks that are best.",
                right=True,
            ),
            Option(
                "That with σ = 0.04",
                "It is σ² that is multiplied by β. This one has σ² = 0.0016, and pays for code "
                "much more readily.",
            ),
            Option(
                "That with σ = 5",
                "A smaller β makes code cheap, as if errors were dear. A σ of 5 would make errors "
                "cheap.",
            ),
            Option(
                "Of none: a weighted KL belongs to no likelihood",
                "So it is with a Bernoulli, where the power of a likelihood sums to a number that "
                "depends on z. For a Gaussian of fixed σ that number is a constant.",
            ),
        ),
    ),
    Question(
        "For a certain image and draw, −log₂ p(x|z) is 30 bits, −log₂ p(z) is 80 and −log₂ q(z|x) "
        "is 75. The image is sent by bits back on top of a long message. By how much does the "
        "message grow?",
        options=(
            Option(
                "By 110 bits",
                "These are the two pushes. The draw of z has taken bits off the message before, "
                "which the receiver will put there again.",
            ),
            Option(
                "By 35 bits",
                "75 off, 30 and 80 on. The code costs the 5 bits by which q departs from the "
                "prior, and the rest of its 80 is other people's content.",
                right=True,
            ),
            Option(
                "By 30 bits, since the code is drawn from bits that were there",
                "Nearly: but the code is written under the prior and was drawn under q, and the "
                "difference is paid.",
            ),
            Option(
                "By 185 bits",
                "The draw is not charged but credited: a pop makes the message shorter.",
            ),
        ),
    ),
)
