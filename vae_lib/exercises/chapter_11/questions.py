"""The questions of chapter 11."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A linear VAE with σ = 1 and three latent dimensions is trained on data whose covariance "
        "has the eigenvalues 5, 2, 0.9 and 0.3. The KL is weighted with β = 3. How many "
        "dimensions stay lit?",
        options=(
            Option(
                "3 of them",
                "As many as the model has, but two of the eigenvalues are below β σ² = 3: their "
                "directions vary less than it would cost to tell of them.",
            ),
            Option(
                "2 of them",
                "That would be right for β = 1. With β = 3 an eigenvalue has to exceed 3.",
            ),
            Option(
                "1 of them",
                "The threshold is β σ² = 3, and only the first eigenvalue is above it.",
                right=True,
            ),
            Option(
                "0 of them",
                "The threshold is β σ² = 3, not β² σ² or more: the first eigenvalue is above it.",
            ),
        ),
    ),
    Question(
        "A decoder that sees all the bits before the one it predicts is trained at weight 1, and "
        "the KL goes to zero. The data are 4,096 strings with known probabilities, of entropy "
        "4.96 nats, and the mean ELBO is −4.98. Which of these could raise it above −4.96?",
        options=(
            Option(
                "A warm-up of the KL's weight",
                "It can bring the codes back. The mean of log p(x) cannot exceed minus the entropy "
                "of the data, for any model, and the ELBO cannot exceed that.",
            ),
            Option(
                "An encoder with more steps or more units",
                "A better encoder closes the gap to log p(x). It cannot lift log p(x) above minus "
                "the entropy of the data.",
            ),
            Option(
                "Free bits",
                "They keep the codes alive, and the true ELBO of what results is lower here.",
            ),
            Option(
                "Nothing",
                "Averaged over the data, log p(x) is at most minus their entropy, and the ELBO at "
                "most log p(x). Only 0.02 nats are left to gain.",
                right=True,
            ),
        ),
    ),
    Question(
        "A trained VAE has a mean KL of 3.0 nats over 1,000 images, and the aggregate posterior "
        "is 2.4 nats from the prior. How many nats does a code tell about its image?",
        options=(
            Option(
                "3.0 nats",
                "That is what the encoder pays. A part of it is spent on the aggregate's distance "
                "from the prior, which tells nothing about one image.",
            ),
            Option(
                "2.4 nats",
                "That is the part that tells nothing: the distance of all codes together from the "
                "prior.",
            ),
            Option(
                "0.6 nats",
                "The mean KL is the mutual information plus the divergence of the aggregate from "
                "the prior, so 3.0 − 2.4.",
                right=True,
            ),
            Option(
                "6.9 nats",
                "That is log 1,000, the most that a code could tell about which of 1,000 images it "
                "came from.",
            ),
        ),
    ),
)
