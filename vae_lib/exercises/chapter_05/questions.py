"""The questions of chapter 5."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "All 100 pixels of an image have the grey value 0.5, and the decoder reproduces them "
        "perfectly, π = 0.5. What is the binary cross-entropy of the image?",
        options=(
            Option(
                "0 nats, as for every perfect reconstruction",
                "For binary pixels that would be so. For a grey one the formula is smallest "
                "at π = x, and its value there is an entropy, not 0.",
            ),
            Option(
                "35 nats",
                "That is the part −x log π. The other, −(1 − x) log(1 − π), costs as much again.",
            ),
            Option(
                "69 nats",
                "100 · log 2, the entropy of 100 tosses of a fair coin: a floor, under which "
                "no model gets.",
                right=True,
            ),
            Option(
                "That depends on how the image is binarised",
                "Nothing is drawn here, the grey values themselves enter the formula. Its "
                "value is the average over all the binarisations, computed exactly.",
            ),
        ),
    ),
    Question(
        "A binary pixel is 0, and the decoder's logit for it is 40. Computed from the logit "
        "in the stable way, what is the gradient of the cross-entropy with respect to the "
        "logit?",
        options=(
            Option(
                "About 1",
                "It is π − x. However wrong the network is, and however sure, this neither "
                "vanishes nor explodes.",
                right=True,
            ),
            Option(
                "About 0, since the sigmoid is flat there",
                "The sigmoid is, and a squared error behind it would hardly learn. The "
                "logarithm of the likelihood undoes the flatness.",
            ),
            Option(
                "About 40, as large as the loss",
                "The loss is 40 because it grows along a straight line as the logit does. Its "
                "slope is another matter.",
            ),
            Option(
                "Infinite, or `nan`",
                "That comes from taking the logarithm of a rounded probability, for in single "
                "precision the sigmoid of 40 is exactly 1. From the logit no probability need "
                "be formed.",
            ),
        ),
    ),
    Question(
        "A VAE is scored by minus the binary cross-entropy of grey pixels, less the KL. With "
        "which score of other VAEs, on the same test images, can this be compared?",
        options=(
            Option(
                "The ELBO with a Gaussian likelihood, on the grey pixels",
                "That is a log-density. It depends on the units of grey, can be positive, and "
                "bounds the logarithm of another kind of thing.",
            ),
            Option(
                "The ELBO with a continuous Bernoulli, on the grey pixels",
                "The two formulas look alike. But what they differ by, log C(λ), depends on "
                "the decoder and is at least log 2 nats for every pixel.",
            ),
            Option(
                "The ELBO with a Bernoulli, on the thresholded pixels",
                "Thresholding takes away the coin tosses at the edges, which cost nats that "
                "no model can save. It makes another data set.",
            ),
            Option(
                "The ELBO with a Bernoulli, on dynamically binarised pixels",
                "The cross-entropy is linear in x, so on grey pixels it is the average over "
                "all their binarisations. Add the note that the encoder saw grey.",
                right=True,
            ),
        ),
    ),
)
