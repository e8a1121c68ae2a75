"""The questions of chapter 6."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "For an image, log p(x) is −90 nats and the ELBO is −93, in which KL(q(z|x) ‖ p(z)) "
        "is 12. What is KL(q(z|x) ‖ p(z|x)), the divergence to the true posterior?",
        options=(
            Option(
                "3 nats",
                "log p(x) = ELBO + KL to the posterior, whatever q is. The 12 nats to the "
                "prior are inside the ELBO, next to a reconstruction term of −81.",
                right=True,
            ),
            Option(
                "9 nats",
                "The two divergences have no part in common that could be subtracted: the one "
                "goes to the prior, the other to the posterior, and the latter is the whole "
                "gap.",
            ),
            Option(
                "12 nats",
                "That is the divergence to the prior, which is no error of the bound. If it "
                "were 0 for every image, a code would tell the decoder nothing.",
            ),
            Option(
                "It cannot be told without the reconstruction term",
                "That term follows from the numbers given, −93 + 12 = −81, and it is not "
                "needed: the gap is what the bound falls short of log p(x).",
            ),
        ),
    ),
    Question(
        "The decoder is frozen and the encoder is trained on, until the ELBO of the images "
        "has risen by 2 nats. What has happened to their log p(x)?",
        options=(
            Option(
                "It has risen by 2 nats",
                "log p(x) is made of the decoder and the prior, and neither has moved. The "
                "encoder does not occur in it.",
            ),
            Option(
                "It has risen too, but nobody knows by how much",
                "A lower bound that rises need not push up what it bounds. Here there is a "
                "ceiling, and the bound has come closer to it.",
            ),
            Option(
                "Nothing: q has come closer to the posterior by 2 nats",
                "In log p(x) = ELBO + KL(q ‖ posterior) the left side has no encoder in it, "
                "so what one part gains the other loses.",
                right=True,
            ),
        ),
    ),
    Question(
        "A data set consists of two images. Their q(z|x) are narrow and far apart, each 20 "
        "nats from the prior. How many nats does a code tell about which image it came from?",
        options=(
            Option(
                "20 nats",
                "So much the encoder pays. What it can tell about N images is log N at most, "
                "however much it pays.",
            ),
            Option(
                "19.3 nats",
                "This part of the 20 is the distance of all the codes together, q(z), from "
                "the prior. It is loss, and tells nothing about the image.",
            ),
            Option(
                "None, since the codes do not follow the prior",
                "Whether they do is the other part of the KL. Information asks only if the "
                "codes of different images can be told apart, and these can.",
            ),
            Option(
                "0.7 nats",
                "log 2: the code settles a question with two equally probable answers. The "
                "remaining 19.3 nats are the distance of q(z) from the prior.",
                right=True,
            ),
        ),
    ),
)
