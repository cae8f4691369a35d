"""Checks that competitions drawn together belong together, in the order in which a plot names them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimsynth.images.arrays import to_numpy
from stimsynth.images.noise import gaussian_noise
from stimsynth.plots.checks import check_kind
from stimsynth.plots.syntheses.views import Synthesis
from stimsynth.validate.functions import function_name
from stimuli_store.errors import InputError

_SHOWN = (
    *("image", "mad_image", "minmax", "optimized_metric", "reference_metric"),
    "optimized_metric_loss",
)
_ORDER = "mad_metric1_min, mad_metric2_min, mad_metric1_max and mad_metric2_max, in this order"


def checked_four(four: Mapping[str, Synthesis]) -> tuple[Any, Any]:
    """Return the two metrics of four competitions, after checking that each stands at its place.

    Parameters
    ----------
    four
        Competitions by the names of their places, ``mad_metric1_min`` and so on.

    Raises
    ------
    InputError
        If one has another direction, metric or reference image than its place says.
    """
    for mad in four.values():
        check_kind(mad, _SHOWN, "MADCompetition")
    for name, mad in four.items():
        wanted = name.rpartition("_")[2]
        if mad.minmax != wanted:
            raise InputError(
                f"the four competitions are {_ORDER}; a {mad.minmax!r} stands where {wanted!r} belongs"
            )
    first, second = four["mad_metric1_min"], four["mad_metric2_min"]
    if _same(first.optimized_metric, second.optimized_metric, first):
        raise InputError(
            "mad_metric1_min and mad_metric2_min optimize the same metric; give both orders"
        )
    reference = to_numpy(first.image)
    if any(not np.array_equal(reference, to_numpy(mad.image)) for mad in four.values()):
        raise InputError(
            "the four competitions must have the same reference image; these have different ones"
        )
    metrics = (first.optimized_metric, second.optimized_metric)
    for name, mad in four.items():
        pushed, held = metrics if "metric1" in name else metrics[::-1]
        _check_metric(name, "optimizes", mad.optimized_metric, pushed, mad)
        _check_metric(name, "holds", mad.reference_metric, held, mad)
    return metrics


def _check_metric(name: str, does: str, metric: Any, wanted: Any, mad: Synthesis) -> None:
    if not _same(metric, wanted, mad):
        raise InputError(
            f"the four competitions are {_ORDER}; {name} {does} {function_name(metric)} where "
            f"{function_name(wanted)} belongs"
        )


def _same(one: Any, other: Any, mad: Synthesis) -> bool:
    """Return whether two metrics are one: the same function, or equal for the images of a competition."""
    if one is other:
        return True
    with torch.no_grad():
        first, second = (to_numpy(metric(mad.image, mad.mad_image)) for metric in (one, other))
    return first.shape == second.shape and np.allclose(first, second, rtol=1e-5, atol=0)


def check_reference(levels: Sequence[Any], image: Tensor) -> None:
    """Check that an image is the reference of a set: with the noise of each level it gives the start.

    Raises
    ------
    InputError
        If it is another one.
    """
    for level in levels:
        start = level.initial_image
        if tuple(image.shape) != tuple(start.shape):
            raise InputError(
                f"the reference image of these levels has shape {tuple(start.shape)}; not "
                f"{tuple(image.shape)}"
            )
        pattern = gaussian_noise(tuple(start.shape), level.seed).to(start)
        # Bounds that clipped a pixel are the least or largest value; others change nothing.
        made = (image.to(start) + level.noise_level * pattern).clamp(start.min(), start.max())
        if not torch.allclose(made, start, rtol=0, atol=1e-4 * float(start.max() - start.min())):
            raise InputError(
                "image is not the reference image of these levels: with their noise it does not give "
                "their start; give the image that mad_set was given"
            )
