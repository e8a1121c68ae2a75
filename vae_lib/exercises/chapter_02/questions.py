"""The questions of chapter 2."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "For some image the encoder puts out μ = 3 and log σ² = −2 in one latent dimension. "
        "How is a code drawn, with `eps` standard normal?",
        options=(
            Option(
                "`z = 3 + 0.14 * eps`",
                "0.14 is e⁻², the variance. Noise is scaled by the standard deviation, whose "
                "logarithm is half as large.",
            ),
            Option(
                "`z = 3 + 0.37 * eps`",
                "Half of the log-variance is the logarithm of σ, and e⁻¹ is about 0.37. "
                "Without the half nothing crashes, and the noise is too weak here and too "
                "strong elsewhere.",
                right=True,
            ),
            Option(
                "`z = 3 - 2 * eps`",
                "That takes the output for σ itself. This Gaussian would be more than five "
                "times as wide as the one that the encoder means.",
            ),
            Option(
                "Not at all, since a variance cannot be negative",
                "The logarithm is negative, not the variance; it only says that σ is below 1. "
                "The network puts out a logarithm so that any number will do.",
            ),
        ),
    ),
    Question(
        "One latent dimension. Where the code lies, the decoder's mean is a straight line of "
        "slope ‖J‖ = 2, and its noise is σₓ = 1. Which width σ of q(z|x) is best for the "
        "reconstruction term alone, and which for the ELBO?",
        options=(
            Option(
                "0 and 0, since noise never helps to reconstruct",
                "It does not, but the ELBO's second term pays for width: it contains log σ, "
                "which goes to minus infinity at 0, and no finite gain in reconstruction "
                "makes up for that.",
            ),
            Option(
                "0 and 0.20",
                "1/(1 + ‖J‖²/σₓ²) = 0.2 is the best variance. The width is its square root.",
            ),
            Option(
                "0 and 0.45",
                "Alone, noise costs σ² ‖J‖²/2σₓ² nats and earns none, so σ collapses. With "
                "the second term the best variance is 1/(1 + ‖J‖²/σₓ²) = 0.2, whose root is "
                "0.45.",
                right=True,
            ),
            Option(
                "0.45 and 1, the width of the prior",
                "Width 1 is what the second term wants by itself; the ELBO strikes a balance "
                "below it. And with the reconstruction term alone nothing stops σ before 0.",
            ),
        ),
    ),
    Question(
        "A data set has two images, equally frequent, with q(z|x) = N((1, 1), 0.1² I) for the "
        "one and N((−1, −1), 0.1² I) for the other. What is the correlation of z₁ and z₂ over "
        "the data?",
        options=(
            Option(
                "About 0.99",
                "The means move z₁ and z₂ together, with a variance and a covariance of 1; "
                "the two Gaussians add a variance of 0.01 to each and no covariance: 1/1.01. "
                "Independent given x is not independent over the data.",
                right=True,
            ),
            Option(
                "0, since both covariances are diagonal",
                "They are, and given the image z₁ tells nothing about z₂. Forget the image, "
                "and z₁ = 0.95 tells which one it was, and with that where z₂ must be.",
            ),
            Option(
                "There is none: the mixture is not a Gaussian",
                "A correlation needs two variances and a covariance, which every mixture of "
                "Gaussians has. The shape of the density does not enter.",
            ),
        ),
    ),
)
