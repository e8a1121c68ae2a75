"""The questions of chapter 10."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "An image of 30 by 30 pixels passes three convolutions, each with a kernel of 4, a stride "
        "of 2 and a padding of 1. How many pixels are left on a side?",
        options=(
            Option(
                "4, since each layer halves and 30 / 8 is nearly 4",
                "15 is odd, and half of it is rounded down: a window that would reach beyond the "
                "padding is left out.",
            ),
            Option(
                "3",
                "30, 15, 7, 3: each layer halves and rounds down.",
                right=True,
            ),
            Option(
                "27, since each layer takes away one pixel",
                "That would be so with a stride of 1. Here every second window is left out.",
            ),
            Option(
                "12, since each layer takes away 4 and adds 2 on either side",
                "The kernel's width counts once in the size of a layer's output. It is the stride "
                "that makes the image small.",
            ),
        ),
    ),
    Question(
        "All images of a data set, for training and for testing, have their pixels shuffled in the "
        "same way. A VAE of MLPs is trained, over many seeds, once on the images and once on the "
        "shuffled ones. How do the held-out ELBOs compare?",
        options=(
            Option(
                "Lower on the shuffled ones, which have no shapes to learn",
                "An MLP cannot see shapes as such. What depends on what is as it was, under other "
                "numbers.",
            ),
            Option(
                "Higher on the shuffled ones, which are harder to overfit",
                "There are as many images as before, with as much noise. Shuffling them all in one "
                "way adds nothing and hides nothing.",
            ),
            Option(
                "Equal seed by seed, since the weights begin the same",
                "With the same first weights the two begin as different functions of the image, "
                "and single runs differ. It is over all seeds that they agree.",
            ),
            Option(
                "Equal in distribution, though a single seed may differ",
                "To each run on the images belongs one on the shuffled ones, with its weights "
                "shuffled too, that was as likely to begin.",
                right=True,
            ),
        ),
    ),
    Question(
        "A model of 8-bit images reports −0.3 bits per dimension on test images. Which of these "
        "can be said for certain?",
        options=(
            Option(
                "It gives no probability to levels: what was scored is a density",
                "A probability is at most 1, so its bits are never below 0. A density has no "
                "upper limit.",
                right=True,
            ),
            Option(
                "It compresses better than any model at 3 bits",
                "A message of less than no bits cannot be sent. The number is no message's length.",
            ),
            Option(
                "It has learned the training images by heart",
                "These are test images. And with a small scale a density is large on data that lie "
                "on a grid, whether or not anything was learned.",
            ),
            Option(
                "The sign was forgotten, and it is 0.3",
                "That may have happened, but not for certain: a density reaches −0.3 with no "
                "mistake in the code at all.",
            ),
        ),
    ),
)
