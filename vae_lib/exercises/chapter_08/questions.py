"""The questions of chapter 8."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "In latent dimension A the mean μ(x) varies over the images with a variance of 0.98, "
        "and σ² is 0.02 for all of them. In dimension B it is the other way round: 0.02 and "
        "0.98. The mean of μ(x) is 0 in both. Which dimension carries more nats of KL?",
        options=(
            Option(
                "B: its distributions are wider",
                "Width is not content. With σ² near 1 and means that hardly move, q(z|x) is "
                "next to the prior for every image.",
            ),
            Option(
                "Neither: each adds up to 1, as the prior asks",
                "That sum says that the codes fill the prior, however it is divided. The KL "
                "is taken image by image, and the part that belongs to the means is what "
                "tells images apart.",
            ),
            Option(
                "A, with about 2 nats against 0.01",
                "Averaged over the images, the KL is −½ log σ² where the two variances add up "
                "to 1. A decoder learns to ignore B.",
                right=True,
            ),
            Option(
                "A, but only by a little: 0.98 against 0.02 nats",
                "These are shares of a variance, not nats. What narrowness costs grows with "
                "−½ log σ², which is beyond 1 here.",
            ),
        ),
    ),
    Question(
        "From one epoch to a later one, the expected log-likelihood of held-out images rises "
        "by 6 nats and their KL by 8. What do you conclude?",
        options=(
            Option(
                "The model has improved by 6 nats: the KL is only a regulariser",
                "Both terms are nats of one sum. What the code costs counts as fully as what "
                "it brings.",
            ),
            Option(
                "The model has improved by 14 nats: more is told and more is reconstructed",
                "The KL is subtracted. It is the price of the code, not a merit of its own.",
            ),
            Option(
                "The bound has fallen by 2 nats: the gain was not worth its price",
                "6 − 8 = −2. A reconstruction term that rises does not say whether the rise "
                "was paid for; on held-out images this is often overfitting.",
                right=True,
            ),
            Option(
                "Nothing, as long as the scales of the two terms are not known",
                "They are known: both are sums over the dimensions of one image, in nats, "
                "with weight 1. That is what the convention is for.",
            ),
        ),
    ),
    Question(
        "On the same 300 test images model A scores −23.1 nats and model B −23.6, each with a "
        "standard error of 0.3. Is A the better one?",
        options=(
            Option(
                "That depends on the differences, image by image",
                "Images differ by many nats, and both models feel that alike. The standard "
                "error of the paired differences can be far below 0.3, or not: it has to be "
                "computed.",
                right=True,
            ),
            Option(
                "No: the intervals −23.1 ± 0.3 and −23.6 ± 0.3 overlap",
                "The two errors come from the same images and largely cancel in the "
                "difference. Overlap of the separate intervals decides nothing.",
            ),
            Option(
                "Yes: the difference exceeds one standard error",
                "If the scores were independent, the difference would have a standard error "
                "of 0.42, and 0.5 would be nothing unusual. They are not independent, so "
                "neither number is the yardstick.",
            ),
            Option(
                "Only more draws of z for each image can tell",
                "The 0.3 come from which images are in the test set. No number of draws makes "
                "the 300 images more.",
            ),
        ),
    ),
)
