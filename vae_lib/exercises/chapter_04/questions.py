"""The questions of chapter 4."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A decoder is off by +1 in one pixel and by +3 in another. Which shared σ² makes "
        "these two pixels most probable?",
        options=(
            Option(
                "1",
                "That is the variance of the errors about their own mean. The Gaussian is "
                "centred on the reconstruction, so the common bias of +2 has to be paid for "
                "too.",
            ),
            Option(
                "4",
                "The mean was taken before the square. By that rule, errors of +3 and −3 "
                "would count as none.",
            ),
            Option(
                "5",
                "(1² + 3²)/2, the mean squared error: there, and nowhere else, the derivative "
                "of SSE/2σ² + (D/2) log 2πσ² vanishes.",
                right=True,
            ),
            Option(
                "10",
                "That is the sum. A variance describes one pixel, and the two share it.",
            ),
        ),
    ),
    Question(
        "A VAE is trained with a fixed σ = 0.1 and the KL weighted by β = 4. Which σ makes an "
        "ordinary VAE, with β = 1, have the same best encoder and the same best decoder mean?",
        options=(
            Option(
                "0.05",
                "β = 4 makes the KL count for more. A smaller σ does the opposite: it makes "
                "errors dearer.",
            ),
            Option(
                "0.2",
                "Only the product βσ² matters for these two, and 4 · 0.1² = 0.2². As "
                "densities the models still differ: this one expects errors twice as large.",
                right=True,
            ),
            Option(
                "0.4",
                "Four times σ is sixteen times σ², and it is σ² that β goes with.",
            ),
            Option(
                "None: β changes the KL and σ the reconstruction",
                "They turn the same balance from its two ends. Divide the objective by β, "
                "which moves no optimum, and the weight stands in front of the "
                "reconstruction.",
            ),
        ),
    ),
    Question(
        "The pixels of a data set are multiplied by 255, and so are a decoder's mean and its "
        "σ. What becomes of log p(x|z) for an image of 64 pixels?",
        options=(
            Option(
                "It falls by 355 nats",
                "By 64 · log 255: the same probability is spread over 255⁶⁴ times the volume. "
                "Log-densities can be compared in the same units only.",
                right=True,
            ),
            Option(
                "It falls by 5.5 nats",
                "log 255 ≈ 5.5 is what each single pixel loses, and there are 64.",
            ),
            Option(
                "It stays as it is, since the model is the same",
                "The model is, and so are all its probabilities. But a density is probability "
                "per unit of x, and there are now more units.",
            ),
            Option(
                "It rises by 355 nats",
                "The volume has grown, and the density must integrate to 1 over it: it has to "
                "become lower.",
            ),
        ),
    ),
)
