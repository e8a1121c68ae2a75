"""A run that goes on from its file is the run that was never interrupted, or it is refused."""

import pytest
import torch
from training_models import DATA, Location, closeness, run, small_vae

from vae_lib.objectives import elbo
from vae_lib.training import History


def test_resumes_to_the_numbers_of_an_uninterrupted_run(tmp_path):
    path = tmp_path / "run" / "vae.pt"
    whole, first_half = small_vae(), small_vae()
    expected = run(whole, elbo, epochs=6, held_out=DATA)
    run(first_half, elbo, epochs=3, held_out=DATA, checkpoint=path)
    torch.manual_seed(99)
    resumed = small_vae()
    history = run(resumed, elbo, epochs=6, held_out=DATA, checkpoint=path)
    assert history.train == expected.train
    assert history.held_out == expected.held_out
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)
    assert [file.name for file in path.parent.iterdir()] == ["vae.pt"]


def test_a_finished_run_is_only_loaded(tmp_path):
    path = tmp_path / "vae.pt"
    first = small_vae()
    expected = run(first, elbo, checkpoint=path)
    again = small_vae()
    assert run(again, elbo, checkpoint=path).train == expected.train
    torch.testing.assert_close(again.state_dict(), first.state_dict())


def test_a_checkpoint_of_another_run_is_refused_and_kept(tmp_path):
    path = tmp_path / "vae.pt"
    run(small_vae(), elbo, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="belongs to another run"):
        run(small_vae(), elbo, checkpoint=path, seed=3)
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "vae.pt"
    run(small_vae(), elbo, checkpoint=path)
    before = path.read_bytes()

    def full_disk(state, file):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space"):
        run(small_vae(), elbo, epochs=5, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["vae.pt"]


def test_a_checkpoint_holds_no_code(tmp_path):
    """A pickle that would run code on loading is refused: weights_only."""
    path = tmp_path / "vae.pt"
    torch.save({"settings": History()}, path)
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        run(small_vae(), elbo, checkpoint=path)


def test_a_resumed_one_cycle_run_follows_the_same_cycle(tmp_path):
    def interrupted(model, x):
        interrupted.calls += 1
        if interrupted.calls == 9:  # the third epoch's first batch
            raise KeyboardInterrupt
        return closeness(model, x)

    interrupted.calls = 0
    settings = {"epochs": 4, "lr": 0.3, "one_cycle": True}
    whole, resumed = Location(), Location()
    expected = run(whole, closeness, **settings)
    with pytest.raises(KeyboardInterrupt):
        run(resumed, interrupted, checkpoint=tmp_path / "run.pt", **settings)
    history = run(resumed, closeness, checkpoint=tmp_path / "run.pt", **settings)
    assert torch.equal(resumed.mu, whole.mu)
    assert history.train == expected.train
    with pytest.raises(ValueError, match="another run"):
        run(resumed, closeness, checkpoint=tmp_path / "run.pt", **(settings | {"epochs": 5}))
