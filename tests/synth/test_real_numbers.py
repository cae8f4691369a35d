"""The one gate for real numbers: what passes as one, and the sentence for what does not."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stimsynth import (
    Eigendistortion,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    convergence,
    images,
    mad_set,
    plots,
)
from stimsynth.losses import mse
from stimsynth.numerics.numbers import real_number
from stimuli_store.errors import InputError
from tests.synth.every_synthesis import Pooled, contrast, picture, response

IMAGE, OTHER = picture(), picture("grass")


def metamer(**arguments: Any) -> Metamer:
    return Metamer(IMAGE, Pooled(), seed=1, **arguments)


def coarse(**arguments: Any) -> MetamerCTF:
    return MetamerCTF(IMAGE, Pooled(), seed=1, **arguments)


def competition(**arguments: Any) -> MADCompetition:
    return MADCompetition(IMAGE, contrast, mse, "max", seed=1, **arguments)


def geodesic(**arguments: Any) -> Geodesic:
    return Geodesic(IMAGE, OTHER, Pooled(), 3, **arguments)


def best(**arguments: Any) -> OptimizedImage:
    return OptimizedImage(0.3 + 0.4 * IMAGE, response, **arguments)


def distorted(**arguments: Any) -> Eigendistortion:
    found = Eigendistortion(IMAGE, Pooled(), seed=1)
    found.synthesize(**arguments)
    return found


def ran() -> Metamer:
    found = metamer()
    found.synthesize(2)
    return found


CLASSES: Sequence[Callable[..., Any]] = (metamer, coarse, competition, geodesic, best)
#: Arguments whose type is a number, with what takes them.
TAKES: dict[str, Callable[[Any], object]] = {
    **{
        f"{make.__name__}.range_penalty_lambda": lambda x, make=make: make(range_penalty_lambda=x)
        for make in CLASSES
    },
    **{
        f"{make.__name__}.allowed_range": lambda x, make=make: make(allowed_range=(-1, x))
        for make in CLASSES
    },
    **{
        f"{make.__name__}.synthesize.{name}": lambda x, make=make, name=name: make().synthesize(
            2, **{name: x}
        )
        for make in CLASSES
        for name in ("stop_criterion", "stop_loss")
    },
    **{
        f"{make.__name__}.penalties": lambda x, make=make: make(penalties=[(x, torch.var)])
        for make in (metamer, coarse, competition, best)
    },
    "best.held": lambda x: best(held={"mean": (torch.mean, x)}),
    "coarse.synthesize.change_scale_criterion": lambda x: coarse().synthesize(
        2, change_scale_criterion=x
    ),
    "competition.initial_noise": lambda x: competition(initial_noise=x),
    "competition.metric_tradeoff_lambda": lambda x: competition(metric_tradeoff_lambda=x),
    "mad_set.noise_levels": lambda x: mad_set(IMAGE, contrast, mse, [0.1, x], max_iter=1),
    "mad_set.stop_criterion": lambda x: mad_set(IMAGE, contrast, mse, stop_criterion=x, max_iter=1),
    "mad_set.allowed_range": lambda x: mad_set(IMAGE, contrast, mse, allowed_range=(-1, x)),
    "distorted.stop_criterion": lambda x: distorted(stop_criterion=x),
    "distorted.residual_tolerance": lambda x: distorted(residual_tolerance=x),
    "distorted.on_grid.alpha": lambda x: distorted().on_grid(x),
    "display_eigendistortion.alpha": lambda x: plots.display_eigendistortion(distorted(), alpha=x),
    "uniform_noise.allowed_range": lambda x: images.uniform_noise((1, 1, 4, 4), 0, (-1, x)),
    "loss_convergence.stop_criterion": lambda x: convergence.loss_convergence(ran(), x, 1),
    "pixel_change_convergence.stop_criterion": lambda x: convergence.pixel_change_convergence(
        ran(), x, 1
    ),
}


@pytest.mark.parametrize("name", TAKES)
@pytest.mark.parametrize(
    "wrong", [True, np.True_, torch.tensor(True), "1", math.nan, [1.0], {}], ids=str
)
def test_what_is_no_number_is_said(name: str, wrong: Any) -> None:
    with pytest.raises(InputError, match="number"):
        TAKES[name](wrong)


@pytest.mark.parametrize("name", ["tensor_equality_atol", "tensor_equality_rtol"])
def test_tolerances_of_loading_are_numbers(tmp_path: Path, name: str) -> None:
    metamer().save(tmp_path / "m.h5")
    with pytest.raises(InputError, match=f"{name} must be a finite number of 0 or more; not True"):
        metamer().load(tmp_path / "m.h5", **{name: True})


@pytest.mark.parametrize("kind", [int, float, np.float32, np.int64, np.array, torch.tensor])
def test_numbers_of_any_type_become_plain(kind: Callable[[int], Any]) -> None:
    found = real_number(kind(2), "x", 2)
    assert found == 2
    assert type(found) is float


def test_limits_belong_to_the_range_and_infinity_only_on_request() -> None:
    level = partial(real_number, what="x", least=0)
    assert level(0) == 0
    assert level(math.inf, infinite=True) == math.inf
    for wrong in (-1e-9, math.inf):
        with pytest.raises(InputError, match=r"^x must be a finite number of 0 or more; not"):
            level(wrong)


def test_what_is_an_image_is_told_in_one_line() -> None:
    with pytest.raises(InputError, match=r"initial_noise.* not tensor\(.*…$") as caught:
        MADCompetition(IMAGE, mse, contrast, "min", initial_noise=OTHER)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
