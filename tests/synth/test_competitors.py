"""Competitions drawn together: every one that stands at another's place is noticed."""

from collections.abc import Callable
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stimsynth import mad_set
from stimsynth.methods.mad_set import MADLevel
from stimsynth.plots import display_mad_image_all, display_mad_set, plot_loss_all
from stimuli_store.errors import InputError

IMAGE = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Metric = Callable[[Tensor, Tensor], Tensor]
PLOTS = (display_mad_image_all, plot_loss_all)


def absolute(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean(dim=(1, 2, 3))


def squared(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().mean(dim=(1, 2, 3))


def competition(pushed: Metric, held: Metric, minmax: str, image: Tensor = IMAGE) -> Any:
    losses = torch.full((3, 1), {"absolute": 1.0, "squared": 2.0}[pushed.__name__])
    return SimpleNamespace(
        image=image,
        initial_image=image,
        mad_image=1 - image,
        minmax=minmax,
        optimized_metric=pushed,
        reference_metric=held,
        optimized_metric_loss=losses,
        reference_metric_loss=3 - losses,
    )


PAIRS = ((absolute, squared), (squared, absolute))
FOUR = [competition(*pair, end) for end in ("min", "max") for pair in PAIRS]
#: As the plot names them, and with the names of the metrics exchanged everywhere.
IN_ORDER = ((0, 1, 2, 3), (1, 0, 3, 2))


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_every_exchange_is_noticed(plot: Callable[..., Figure], order: tuple[int, ...]) -> None:
    given = [FOUR[k] for k in order]
    if order in IN_ORDER:
        titles = " ".join(axes.get_title() for axes in plot(*given).axes)
        names = ("absolute", "squared") if order[0] == 0 else ("squared", "absolute")
        assert titles.index(names[0]) < titles.index(names[1])
        return
    with pytest.raises(InputError, match="in this order; "):
        plot(*given)


@pytest.mark.parametrize("order", IN_ORDER)
def test_values_stand_below_their_metric(order: tuple[int, ...]) -> None:
    for axes in plot_loss_all(*(FOUR[k] for k in order)).axes:
        values = {float(line.get_ydata()[0]) for line in axes.lines}
        assert values == {1.0 if axes.get_title() == "absolute" else 2.0}


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("place", range(4))
def test_one_of_another_set_is_noticed(plot: Callable[..., Figure], place: int) -> None:
    """It has another reference image, or another metric than its place says."""
    pushed, held, end = (getattr(FOUR[place], n) for n in _OWN)
    given = list(FOUR)
    given[place] = competition(pushed, held, end, IMAGE.flip(-1))
    with pytest.raises(InputError, match="the same reference image"):
        plot(*given)
    given[place] = SimpleNamespace(**{**vars(FOUR[place]), "reference_metric": pushed})
    with pytest.raises(InputError, match=f"{_PLACES[place]} holds {pushed.__name__} where"):
        plot(*given)


_OWN = ("optimized_metric", "reference_metric", "minmax")
_PLACES = ("mad_metric1_min", "mad_metric2_min", "mad_metric1_max", "mad_metric2_max")


def test_the_same_metric_twice_is_noticed() -> None:
    one, _, three, _ = FOUR
    with pytest.raises(InputError, match="optimize the same metric"):
        display_mad_image_all(one, one, three, three)


def test_a_metric_written_twice_is_one() -> None:
    """As a file or a loop makes them: each competition has functions of its own."""
    own = [SimpleNamespace(**vars(mad)) for mad in FOUR]
    for mad in own:
        for name in _OWN[:2]:
            function = getattr(mad, name)
            setattr(mad, name, lambda x, y, function=function: function(x, y))
    assert len(display_mad_image_all(*own, "one", "two").axes) == 6
    with pytest.raises(InputError, match="in this order; "):
        display_mad_image_all(own[0], own[1], own[3], own[2])


@pytest.fixture(scope="module")
def levels() -> tuple[MADLevel, ...]:
    return mad_set(IMAGE, absolute, squared, [0.05, 0.4], seed=3, max_iter=1)


def test_a_set_is_drawn_with_its_own_reference_only(levels: tuple[MADLevel, ...]) -> None:
    assert len(display_mad_set(levels, IMAGE).axes) == 12
    assert len(display_mad_set(levels, IMAGE.float()).axes) == 12
    others = {
        "another picture": IMAGE.flip(-1),
        "one of its images": levels[0].members["metric_1_max"].image,
        "a start": levels[1].initial_image,
        "a little brighter": IMAGE + 0.01,
    }
    for other in others.values():
        with pytest.raises(InputError, match="image is not the reference image of these levels"):
            display_mad_set(levels, other)
    for other in (IMAGE[..., :8], torch.rand(1, 1, 4, 4), IMAGE.expand(2, 1, 12, 16)):
        with pytest.raises(InputError, match=r"these levels has shape \(1, 1, 12, 16\); not"):
            display_mad_set(levels, other)
