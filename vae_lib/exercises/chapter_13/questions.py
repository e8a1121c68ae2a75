"""The questions of chapter 13."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "For an image without a label the bounds L(x, y) of three classes are −90, −92 and "
        "−120 nats. How high can U(x) be, with the best q(y|x)?",
        options=(
            Option(
                "−89.87 nats",
                "The logarithm of the sum of exp L(x, y): −90 + log(1 + e⁻² + e⁻³⁰). The second "
                "class adds a little to the probability of the image, the third nothing.",
                right=True,
            ),
            Option(
                "−90.0 nats, with q(y|x) all on the first class",
                "That is what a q without doubt would give. It has no entropy, and the best one "
                "leaves the second class its 12%.",
            ),
            Option(
                "−100.67 nats",
                "The plain mean of the three. The bound weights the classes by q(y|x), which may "
                "be chosen.",
            ),
            Option(
                "−302.0 nats",
                "The sum of the three would be the logarithm of a product. An image is of one "
                "class or another.",
            ),
        ),
    ),
    Question(
        "In M2, all training images have a label, and α is 0. How well does q(y|x) classify "
        "in the end?",
        options=(
            Option(
                "As well as the same classifier, trained on these labels alone",
                "That is so with α above 0. Without it no term that such an image has contains "
                "the classifier.",
            ),
            Option(
                "No better than before training",
                "L(x, y) contains the encoder, the decoder and p(y). The classifier gets no "
                "gradient and stays where it began.",
                right=True,
            ),
            Option(
                "Better than alone, since the decoder helps it",
                "The decoder helps by U(x), which is for images without a label. Here there are "
                "none.",
            ),
        ),
    ),
    Question(
        "Two codes are equally probable under the prior. They give what is seen of an image "
        "the probabilities 0.09 and 0.01, and a missing pixel is black with probability 0.2 "
        "under the first code and 0.7 under the second. What is the probability that it is "
        "black, given what is seen?",
        options=(
            Option(
                "0.45",
                "The plain average of 0.2 and 0.7. What is seen speaks for the first code, nine "
                "to one.",
            ),
            Option(
                "0.2",
                "The first code is more probable, but not certain. It gets a weight of 0.9, and "
                "the second is left with 0.1.",
            ),
            Option(
                "0.025",
                "0.09 times 0.2 and 0.01 times 0.7 add up to this; it has to be divided by the "
                "sum of the weights, 0.1.",
            ),
            Option(
                "0.25",
                "The weights are 0.9 and 0.1, and 0.9 · 0.2 + 0.1 · 0.7 = 0.25, as in equation "
                "13.5.",
                right=True,
            ),
        ),
    ),
)
