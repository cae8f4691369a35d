"""SimpleMetamer: five lines, and the same results as Metamer."""

from pathlib import Path

import torch

from stimsynth import Gaussian, Metamer, SimpleMetamer, images, remove_grad


def make() -> SimpleMetamer:
    return SimpleMetamer(images.load("camera", size=32), remove_grad(Gaussian(7, 1.5)), seed=2)


def test_it_returns_the_metamer_and_goes_on() -> None:
    simple, image = make(), images.load("camera", size=32)
    full = Metamer(image, remove_grad(Gaussian(7, 1.5)), seed=2)
    first = simple.synthesize(10)
    second = simple.synthesize(15)
    full.synthesize(25)
    assert torch.equal(second, full.metamer)
    assert torch.equal(simple.losses, full.losses)
    assert len(simple.losses) == 26
    assert simple.losses[-1] < simple.losses[10]
    assert not torch.equal(first, second)


def test_it_is_saved_loaded_and_moved(tmp_path: Path) -> None:
    simple, later = make(), make()
    simple.synthesize(5, torch.optim.Adam)
    simple.save(tmp_path / "s.pt")
    later.load(tmp_path / "s.pt")
    assert torch.equal(later.metamer, simple.metamer)
    later.to(torch.float64)
    assert later.synthesize(5).dtype == later.model.state_dict()["std"].dtype == torch.float64
    assert later.losses[-1] < later.losses[5]
