"""Whether the images of a competition can be used."""

from collections.abc import Mapping

from torch import Tensor

from stimsynth.engine.run import Status
from stimsynth.methods.base.on_grid import columns
from stimsynth.methods.base.quality import (
    DRIFT,
    OUTSIDE,
    Quality,
    judge,
    pixel_distances,
    share_outside,
)


def competition_figures(
    drift: Tensor, moved: Tensor, images: Tensor, reference: Tensor, bounds: tuple[float, float]
) -> list[dict[str, float]]:
    """Return what there is to say of every image of a competition.

    Parameters
    ----------
    drift
        How far the held metric is from its target, relative to it, shape (N,).
    moved
        The optimized metric, relative to its start, shape (N,).
    images, reference
        What was synthesized, and what it is compared with, shape (N, …).
    bounds
        Range of pixels.
    """
    return columns(
        **{
            "drift": drift,
            "optimized, of start": moved,
            OUTSIDE: share_outside(images, bounds),
            **pixel_distances(images, reference, bounds),
        }
    )


def judged(figures: Mapping[str, float], minmax: str, status: Status) -> Quality:
    """Return whether an image of a competition can be used."""
    drift, moved = figures["drift"], figures["optimized, of start"]
    gained = moved < 1 if minmax == "min" else moved > 1
    findings = {
        f"the reference metric drifted by {drift:.2%}; leave metric_tradeoff_lambda out, and it does not": (
            not abs(drift) <= DRIFT
        ),
        f"the optimized metric is {moved:.4g} times that of the start": not gained,
    }
    return judge(findings, figures, status, to_the_end=True, target="the reference")
