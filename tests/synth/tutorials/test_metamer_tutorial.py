"""The tutorial on metamers: run, go on, look back, save, load, and choose the optimization."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import stimsynth as ss
from stimsynth.engine.run import Status


def img() -> Tensor:
    return ss.images.load("chelsea", size=128)


def model() -> torch.nn.Module:
    return ss.remove_grad(ss.OnOff((7, 7)))


@cache
def finished() -> ss.Metamer:
    met = ss.Metamer(img(), model())
    met.synthesize(store_progress=True, max_iter=50)
    met.synthesize(store_progress=True, max_iter=100)
    return met


def test_the_representation_is_two_images() -> None:
    assert model()(img()).shape == (1, 2, 128, 128)


@pytest.mark.long
def test_fifty_steps_and_a_hundred_more() -> None:
    met = finished()
    assert met.run is not None
    assert met.run.n_steps == 150 or met.status[0].finished
    # The tutorial's loss was 9.4e-6 after 50 steps, and 7.5e-6 at its end.
    assert met.losses[50] < 9.4e-6
    assert met.losses[-1] < 0.5 * met.losses[50]
    # Everything that tells of the way lasts from call to call.
    rows = len(met.losses)
    assert len(met.gradient_norm) == len(met.pixel_change_norm) == len(met.saved_metamer) == rows
    moved = (met.saved_metamer[1:] - met.saved_metamer[:-1]).flatten(1).norm(dim=1)
    torch.testing.assert_close(met.pixel_change_norm[1:, 0], moved, rtol=1e-4, atol=1e-5)


def test_a_moment_before_the_end_can_be_looked_at() -> None:
    met = finished()
    then = met.saved_metamer[-10]
    error = (model()(then) - met.target_representation).square().mean()
    assert error.item() == pytest.approx(met.losses[-10].item(), rel=1e-3)


def test_later_calls_take_no_optimizer_and_the_same_storage() -> None:
    met = ss.Metamer(img(), model())
    met.synthesize(2, store_progress=True)
    with pytest.raises(ValueError, match="keeps its optimizer and scheduler"):
        met.synthesize(2, optimizer=torch.optim.Adam([met.metamer]), store_progress=True)
    with pytest.raises(ValueError, match="store_progress"):
        met.synthesize(2, store_progress=2)


def test_the_image_can_be_saved_without_clipping(tmp_path: Path) -> None:
    """The tutorial's range is (-0.00024, 1.00051); pixels here are inside, so that clipping is harmless."""
    met_image = ss.images.to_numpy(finished().metamer).squeeze()
    assert met_image.min() >= 0
    assert met_image.max() <= 1
    clipped = ss.images.convert_float_to_int(np.clip(met_image, 0, 1))
    Image.fromarray(clipped).save(tmp_path / "test.png")
    again = ss.images.load_images(tmp_path / "test.png")
    assert np.abs(again.numpy().squeeze() - met_image).max() <= 0.5 / 255 + 1e-6


def test_a_penalty_keeps_adams_pixels_near_the_range_and_its_weight_matters() -> None:
    def excess(weight: float) -> float:
        met = ss.Metamer(img(), model(), range_penalty_lambda=weight)
        met.synthesize(60, optimizer=torch.optim.Adam)
        return (met.metamer - met.metamer.clamp(0, 1)).abs().max().item()

    free, usual = excess(0.0), excess(0.1)
    assert free > 0.02
    assert usual < 0.01


def test_all_can_be_saved_and_loaded(tmp_path: Path) -> None:
    met = finished()
    met.save(tmp_path / "test.pt")
    met_copy = ss.Metamer(img(), model())
    assert met_copy.load(tmp_path / "test.pt") is None
    assert bool((met_copy.saved_metamer == met.saved_metamer).all())
    assert torch.equal(met_copy.losses, met.losses)
    with pytest.raises(ValueError, match="image differs"):
        ss.Metamer(1 - img(), model()).load(tmp_path / "test.pt")


def test_a_metamer_moves_as_a_tensor_does() -> None:
    met = ss.Metamer(img(), model())
    met.synthesize(5)
    met.to(torch.float64)
    assert met.metamer.dtype == torch.float64
    met.synthesize(5)
    assert met.losses[-1] < met.losses[5]


def test_a_slow_optimizer_is_not_taken_for_a_converged_one() -> None:
    """With this rate the tutorial stopped after 50 of 100 steps, eleven times above its other loss."""
    met = ss.Metamer(img(), model())
    opt = torch.optim.Adam([met.metamer], lr=0.001, amsgrad=True)
    met.synthesize(optimizer=opt)
    assert met.status == (Status.OUT_OF_STEPS,)
    assert len(met.losses) == 101
    assert met.losses[-1] < 0.95 * met.losses[50]
    assert not met.quality()[0].good


def test_a_scheduler_changes_the_rate_during_optimization() -> None:
    met, other = (ss.Metamer(img(), model(), seed=1) for _ in range(2))
    opt = torch.optim.Adam([met.metamer], lr=0.02, amsgrad=True)
    decay = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.9)
    met.synthesize(10, optimizer=opt, scheduler=decay)
    assert opt.param_groups[0]["lr"] == pytest.approx(0.02 * 0.9**10)
    other.synthesize(
        10,
        optimizer=partial(torch.optim.Adam, lr=0.02, amsgrad=True),
        scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.9),
    )
    assert torch.equal(met.metamer, other.metamer)


def test_the_start_is_noise_over_the_range_or_an_image_of_ones_own() -> None:
    met = ss.Metamer(img(), model(), allowed_range=(-1, 2))
    assert met.metamer.min().item() == pytest.approx(-1, abs=1e-2)
    assert met.metamer.max().item() == pytest.approx(2, abs=1e-2)
    own = ss.images.load("camera", size=128)
    assert torch.equal(ss.Metamer(img(), model(), initial_image=own).metamer.detach(), own)
    with pytest.raises(ValueError, match="initial_image"):
        ss.Metamer(img(), model(), initial_image=own[..., :64])
