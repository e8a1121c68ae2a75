"""The questions of chapter 3."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A decoder for images of 784 pixels is p(x|z) = N(g(z), 0.1² I). How far from g(z), "
        "in Euclidean distance, does a draw of x typically lie?",
        options=(
            Option(
                "Close to 0, where the density is highest",
                "The density is high there, but there is next to no volume. In 784 dimensions "
                "practically all draws lie on a thin shell round the mean, far from it.",
            ),
            Option(
                "About 0.1",
                "That is how far off one pixel is. The squares of 784 such errors add up.",
            ),
            Option(
                "About 2.8",
                "σ√D = 0.1 · 28. The squared distance has a relative spread of √(2/784), some "
                "5 per cent, so that no draw is anywhere near the mean, or looks like it.",
                right=True,
            ),
            Option(
                "About 7.8",
                "7.84 is Dσ², the squared distance. Its root is asked for.",
            ),
        ),
    ),
    Question(
        "log p(x) is estimated by the logarithm of the mean of K values p(x|z), with z drawn "
        "from the prior. This is repeated very often, for K = 10 and for K = 1,000. Where do "
        "the averages of the estimates lie?",
        options=(
            Option(
                "Both at log p(x); with K = 10 the estimates only scatter more",
                "Unbiased is the mean inside the logarithm. The logarithm is concave: it "
                "loses more by a mean that is too small than it gains by one that is as much "
                "too large.",
            ),
            Option(
                "Both below log p(x), that of K = 10 further",
                "By Jensen's inequality E[log p̂] ≤ log E[p̂] = log p(x), and the less p̂ "
                "scatters the less is lost.",
                right=True,
            ),
            Option(
                "Both below log p(x), and equally far",
                "The bias is due to the scatter of the mean inside the logarithm, so it "
                "shrinks as the scatter does: for large K like 1/K.",
            ),
            Option(
                "Both above log p(x), since lucky draws count most",
                "They do dominate the mean, but most sets of draws contain none and end far "
                "below. The logarithm takes that more seriously than a lucky set.",
            ),
        ),
    ),
    Question(
        "The posterior of z is N(0, 1). Importance sampling estimates p(x) with draws either "
        "from q = N(0, 0.5²) or from q = N(0, 2²). Which is the better proposal, and why?",
        options=(
            Option(
                "The narrow one: all its draws fall where the posterior is high",
                "What it hardly ever visits it cannot count. Outwards the posterior exceeds q "
                "by more and more, and those rare draws carry weights without limit.",
            ),
            Option(
                "The wide one: the narrow one's estimate is biased",
                "A Gaussian is positive everywhere, so both estimates are unbiased. What the "
                "narrow one lacks is a finite variance.",
            ),
            Option(
                "Neither: both are wrong by a factor of two",
                "The two errors are not alike. Too wide costs a factor in the number of "
                "draws; too narrow, and the integral for the variance diverges.",
            ),
            Option(
                "The wide one: the narrow one's weights have an infinite variance",
                "The wide one wastes a third of its draws, since ρ = 4/√7 ≈ 1.5. The narrow "
                "one, below 1/√2 of the posterior's width, looks stable until a rare draw "
                "upsets everything.",
                right=True,
            ),
        ),
    ),
)
