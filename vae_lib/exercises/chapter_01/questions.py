"""The questions of chapter 1."""

from vae_lib.exercises import Option, Question

QUESTIONS = (
    Question(
        "A trained autoencoder is changed: its encoder now multiplies every code by 5, and "
        "its decoder first divides what it is given by 5. What is different?",
        options=(
            Option(
                "The squared error, which grows, since the codes lie five times as far apart",
                "The error compares images. The division undoes the stretch before the rest "
                "of the decoder sees it, so the codes' distances never reach the loss.",
            ),
            Option(
                "Nothing at all: the two autoencoders are one and the same",
                "To the objective they are, and only to it. A draw from N(0, I) was not "
                "stretched, so the new decoder divides it by 5 and decodes a point much "
                "nearer to the origin.",
            ),
            Option(
                "What draws from N(0, I) decode to, but no reconstruction",
                "The stretch cancels wherever a code comes from the encoder, and nowhere "
                "else. The objective leaves the distribution of the codes undetermined, and "
                "one that is named beforehand fits it by chance at best.",
                right=True,
            ),
            Option(
                "The capacity of the codes: larger numbers hold more detail",
                "A coordinate holds as much at one scale as at another, like a length in "
                "metres or in millimetres. The stretch can be undone, and is.",
            ),
        ),
    ),
    Question(
        "Half of the data are the number −1, the other half are +1. A generator always "
        "returns their mean, 0. What is its energy distance to the data, 2 E|X − Y| − E|X − "
        "X′| − E|Y − Y′|?",
        options=(
            Option(
                "0, because the means agree",
                "That is the value with squared distances, of which only the means survive. "
                "Without the squares it is 0 only between equal distributions.",
            ),
            Option(
                "1",
                "Every datum is 1 away, which makes 2. The draws do not differ from each "
                "other, which takes off nothing, and two data differ by 2 in half of all "
                "cases, which takes off 1. What is left is the spread that the generator "
                "lacks.",
                right=True,
            ),
            Option(
                "2",
                "That is the first term alone. The data differ among themselves as well, and "
                "what two samples of data would show must not be held against a generator.",
            ),
        ),
    ),
    Question(
        "A generator draws sevens that cannot be told from real ones, and never anything "
        "else. One tenth of the data are sevens. Which score does not notice?",
        options=(
            Option(
                "The mean distance from a draw to the nearest real digit",
                "Each draw has real sevens beside it, as a real seven has, so by this score "
                "the generator is perfect. That is why the distance is also taken the other "
                "way round.",
                right=True,
            ),
            Option(
                "The mean distance from a real digit to the nearest draw",
                "An eight finds only sevens among the draws, and is far from all of them. "
                "This is the direction that sees what is missing.",
            ),
            Option(
                "The energy distance",
                "It compares distributions as wholes. The draws lie much closer together than "
                "digits of ten kinds do, which leaves its three terms out of balance.",
            ),
            Option(
                "The share of images whose nearest neighbours give away where they come from",
                "A real eight has real eights about it and no draw, so its neighbours give it "
                "away; and round a draw there are ten draws for each real seven. The score is "
                "close to 1.",
            ),
        ),
    ),
)
