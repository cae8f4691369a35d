"""The page on reproducibility: what decides the numbers of a synthesis, and what is noted with it."""

import platform
from pathlib import Path

import pytest
import torch
from torch import Tensor

import stimsynth as ss
from stimsynth.images import uniform_noise


def img() -> Tensor:
    return ss.images.load("camera", size=32)


def synthesized(seed: int = 0) -> Tensor:
    met = ss.Metamer(img(), ss.remove_grad(ss.OnOff((7, 7))), seed=seed)
    met.synthesize(20)
    return met.metamer


def test_set_seed_repeats_what_torch_draws() -> None:
    ss.set_seed(1)
    first = torch.rand_like(img())
    ss.set_seed(1)
    assert torch.equal(torch.rand_like(img()), first)


@pytest.mark.parametrize("in_between", [1, 2])
def test_the_same_call_gives_the_same_metamer_whatever_was_drawn_before(in_between: int) -> None:
    """With a seed, the global state is neither read nor changed."""
    first = synthesized()
    ss.set_seed(in_between)
    expected = torch.rand(3)
    ss.set_seed(in_between)
    assert torch.equal(synthesized(), first)
    assert torch.equal(torch.rand(3), expected)


def test_another_seed_gives_another_metamer() -> None:
    assert (synthesized(1) - synthesized(0)).abs().mean() > 0.05


def test_a_batch_starts_from_the_noise_of_its_seed() -> None:
    model = ss.remove_grad(ss.OnOff((7, 7)))
    met = ss.Metamer(img().repeat(2, 1, 1, 1), model, seed=7)
    assert torch.equal(met.metamer.detach(), uniform_noise((2, 1, 32, 32), 7, (0, 1)))
    assert torch.equal(met.metamer[:1].detach(), uniform_noise((1, 1, 32, 32), 7, (0, 1)))


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam], ids=["default", "Adam"])
def test_a_run_that_was_saved_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, optimizer: object
) -> None:
    model = ss.remove_grad(ss.OnOff((7, 7)))
    whole, first = (ss.Metamer(img(), model, seed=3) for _ in range(2))
    second = ss.Metamer(img(), model)
    whole.synthesize(20, optimizer=optimizer)
    first.synthesize(8, optimizer=optimizer)
    first.save(tmp_path / "met.pt")
    ss.set_seed(99)  # what others draw in the meantime plays no part
    second.load(tmp_path / "met.pt")
    second.synthesize(12)
    assert torch.equal(second.metamer, whole.metamer)


def test_versions_are_noted_with_each_synthesis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    met = ss.Metamer(img(), ss.remove_grad(ss.OnOff((7, 7))))
    met.save(tmp_path / "met.pt")
    ss.examine_saved_synthesis(tmp_path / "met.pt")
    first = capsys.readouterr().out.splitlines()[0]
    assert f"torch {torch.__version__}" in first
    assert f"python {platform.python_version()}" in first
    assert "stimsynth " in first


def test_the_slope_of_a_minimum_is_defined_where_it_is_reached_twice() -> None:
    """Releases of torch shared a tied minimum's slope differently; it must be finite and sum to one."""
    model = ss.PortillaSimoncelli((32, 32), n_scales=2, spatial_corr_width=5)
    image = img().clone()
    image[0, 0, 3, 4] = image[0, 0, 20, 9] = 0.0
    image.requires_grad_(True)
    smallest = model.convert_to_dict(model(image))["pixel_statistics"][0, 0, 4]
    (slope,) = torch.autograd.grad(smallest, image)
    assert slope.sum().item() == pytest.approx(1, abs=1e-5)
    assert slope[0, 0, 3, 4].item() == pytest.approx(slope[0, 0, 20, 9].item())
