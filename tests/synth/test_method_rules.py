"""Rules that every synthesis method keeps: names and order of arguments, what is returned, what is public."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stimsynth import (
    Eigendistortion,
    Gaussian,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    PortillaSimoncelli,
    SimpleMetamer,
    images,
    plots,
    remove_grad,
)
from stimsynth.losses import mse
from stimsynth.methods.base.savable import SavableSynthesis
from stimsynth.methods.base.synthesis import OptimizedSynthesis


def picture() -> torch.Tensor:
    return images.load("camera", size=16)


def blur() -> torch.nn.Module:
    return remove_grad(Gaussian(3))


def texture() -> PortillaSimoncelli:
    return PortillaSimoncelli((16, 16), n_scales=1, n_orientations=2, spatial_corr_width=3)


def mean_change(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    return (one - two).abs().mean()


#: Each method with what its arguments begin with, and the name of its result.
METHODS: dict[str, tuple[Callable[[], Any], list[str], str]] = {
    "Metamer": (lambda: Metamer(picture(), blur()), ["image", "model"], "metamer"),
    "MetamerCTF": (lambda: MetamerCTF(picture(), texture()), ["image", "model"], "metamer"),
    "SimpleMetamer": (lambda: SimpleMetamer(picture(), blur()), ["image", "model"], "metamer"),
    "Eigendistortion": (
        lambda: Eigendistortion(picture(), blur()),
        ["image", "model"],
        "eigendistortions",
    ),
    "MADCompetition": (
        lambda: MADCompetition(picture(), mse, mean_change, "min"),
        ["image", "optimized_metric", "reference_metric"],
        "mad_image",
    ),
    "Geodesic": (
        lambda: Geodesic(picture(), picture().flip(-1), blur(), 3),
        ["image_a", "image_b", "model"],
        "geodesic",
    ),
    "OptimizedImage": (
        lambda: OptimizedImage(picture(), torch.std),
        ["initial_image", "objective"],
        "image",
    ),
}
BY_STEPS = [name for name in METHODS if name not in ("Eigendistortion", "SimpleMetamer")]


@pytest.mark.parametrize("name", METHODS)
def test_images_come_first_then_what_sees_them_and_all_is_kept_by_its_name(name: str) -> None:
    make, first, result = METHODS[name]
    made = make()
    assert list(inspect.signature(type(made)).parameters)[: len(first)] == first
    for argument in (one for one in first if one != "objective"):
        assert hasattr(made, argument)
    assert isinstance(getattr(made, result), torch.Tensor)
    with pytest.raises(AttributeError):
        setattr(made, result, None)


@pytest.mark.parametrize("name", METHODS)
def test_all_can_be_run_saved_loaded_and_moved(name: str, tmp_path: Path) -> None:
    make, _, result = METHODS[name]
    made, again = make(), make()
    assert isinstance(made, SavableSynthesis) or name == "SimpleMetamer"
    returned = made.synthesize(max_iter=3)
    assert (returned is None) == (name != "SimpleMetamer")
    made.save(tmp_path / "run.h5")
    assert again.load(tmp_path / "run.h5") is None
    assert torch.equal(getattr(again, result), getattr(made, result))
    assert again.to(torch.float64) is None
    assert getattr(again, result).dtype == torch.float64


@pytest.mark.parametrize("name", BY_STEPS)
def test_those_that_take_steps_say_when_they_stop_and_what_they_lower(name: str) -> None:
    made = METHODS[name][0]()
    assert isinstance(made, OptimizedSynthesis)
    arguments = inspect.signature(made.synthesize).parameters
    assert arguments["max_iter"].annotation is int
    assert arguments["stop_criterion"].annotation in (float, float | None)
    assert arguments["stop_iters_to_check"].annotation is int
    assert arguments["optimizer"].default is None
    made.synthesize(max_iter=2)
    value = made.objective_function()
    assert value.numel() == 1
    if name != "MetamerCTF":  # which lowers that of the scales in work
        assert value.item() == pytest.approx(made.losses[-1].item(), rel=1e-4, abs=1e-9)
    assert len(made.losses) == len(made.gradient_norm) == len(made.pixel_change_norm) == 3


@pytest.mark.parametrize("name", METHODS)
def test_what_a_user_does_not_need_is_private(name: str) -> None:
    """Public members have a docstring, and data are properties or arguments of the constructor."""
    made = METHODS[name][0]()
    arguments = inspect.signature(type(made)).parameters
    assert all(name.startswith("_") or name in arguments for name in vars(made))
    for attribute in (one for one in dir(type(made)) if not one.startswith("_")):
        assert inspect.getdoc(getattr(type(made), attribute)), attribute


def test_pictures_are_displayed_and_numbers_plotted() -> None:
    """`display_…` shows images and `plot_…` numbers; what fills one axes takes them as `ax`."""
    sheets = {"status", "all", "set", "MAD_results", "filters", "bank", "kernels"}
    for name in plots.__all__:
        if name.startswith(("display_", "plot_")) and not any(name.endswith(s) for s in sheets):
            assert "ax" in inspect.signature(getattr(plots, name)).parameters, name
    for old in ("imshow", "animshow", "pyrshow", "animate", "plot_synthesis_status"):
        assert old in plots.__all__
