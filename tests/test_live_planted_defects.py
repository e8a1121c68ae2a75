"""Chapter 14's live figure: what it packs against the sets themselves, and what it shows."""

import numpy as np
import pytest
import torch
from browser import readout, values
from figures import JUDGED, judged_scores, judged_sets, small_planted_defects

from vae_lib.live import planted_defects
from vae_lib.live.planted_defects import planted

INK = """() => {
    const canvas = document.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3] / 255);
}"""


def figure_of(**options):
    defects, draws, held_out, floor = judged_sets()
    settings = {"names": JUDGED, "image_shape": (8, 8), **options}
    scores = options.pop("scores", lambda drawn: judged_scores(held_out, drawn))
    settings.pop("scores", None)
    return planted_defects(draws, defects, scores, floor, **settings)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_share_of_a_defect_is_a_mixture_or_so_many_rows(share):
    draws, spoilt = torch.rand(2, 20, 6, generator=torch.Generator().manual_seed(0))
    spoilt[5:10] = draws[5:10]  # fifteen differ
    mixed = planted(draws, spoilt, "mix", share)
    np.testing.assert_allclose(mixed, draws + share * (spoilt - draws), atol=1e-6)
    replaced = planted(draws, spoilt, "replace", share)
    changed = (replaced != draws).any(1)
    assert changed.sum() == round(15 * share)
    assert torch.equal(replaced[changed], spoilt[changed])
    assert torch.equal(planted(draws, spoilt, "replace", 1.0), spoilt)


def test_images_on_the_page_are_those_of_the_set(page_of):
    page = page_of(figure_of(start="others", n_shown=8))
    ink = np.array(page.evaluate(INK)).reshape(2 * 9 + 1, 4 * 9 + 1)
    defects, _, _, _ = judged_sets()
    rows = torch.linspace(0, 39, 8).round().long()
    for i, image in enumerate(defects["others"][0][rows].numpy()):
        top, left = 1 + 9 * (i // 4), 1 + 9 * (i % 4)
        shown = ink[top : top + 8, left : left + 8]
        np.testing.assert_allclose(shown, image.reshape(8, 8), atol=0.01)


def test_with_none_of_a_defect_all_defects_read_alike(page_of):
    page = page_of(small_planted_defects()[0])
    found = []
    page.get_by_role("slider", name="how much").press("Home")
    for name in ("noisy", "others"):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_function(
            "name => document.querySelector('.vae-live').dataset.values.includes(name)",
            arg=name,
        )
        shown = values(page)
        assert (shown["defect"], shown["share"]) == (name, 0)
        pressed = page.get_by_role("button", pressed=True).all_inner_texts()
        assert pressed == [name]
        found.append(shown["deviations"])
    assert found[0] == found[1]


def test_what_rings_is_said_in_words(page_of):
    _, _, _, floor = judged_sets()
    middle, spread = floor.mean(0), floor.std(0)
    far = (middle + spread * torch.tensor([0.0, 4.5, -3.9])).tolist()
    page = page_of(figure_of(scores=lambda drawn: far))
    assert "energy rings; 2 of 3 scores are silent" in readout(page)
    silent = (middle + 0.5 * spread).tolist()
    page = page_of(figure_of(scores=lambda drawn: silent))
    assert "none of the 3 scores rings" in readout(page)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "blurred"}, "start"),
        ({"names": ("one", "two")}, "3"),
        ({"names": ()}, "floor"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        figure_of(**change)


def test_defects_of_another_shape_and_floors_without_spread_are_refused():
    defects, draws, held_out, floor = judged_sets()
    settings = {"names": JUDGED, "image_shape": (8, 8)}

    def scores(drawn):
        return judged_scores(held_out, drawn)

    for wrong in ((draws[:3], "mix"), (draws, "some")):
        with pytest.raises(ValueError, match="expected spoilt images"):
            planted_defects(draws, {"one": wrong}, scores, floor, **settings)
    with pytest.raises(ValueError, match="nothing rings"):
        planted_defects(draws, defects, scores, torch.ones(4, 3), **settings)
    with pytest.raises(ValueError, match="one of the defects"):
        planted_defects(draws, {"one": (draws, "mix")}, scores, floor, start="two", **settings)
