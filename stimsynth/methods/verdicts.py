"""Verdicts on metamers and on the images of MAD competitions."""

from collections.abc import Mapping

import torch
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

#: Largest distance of a metamer's output to the target's, relative to the distance at the start.
REMAINS = 0.01
#: Distance, relative to the norm of the target's output, that is accepted in any case.
CLOSE = 1e-4


def metamer_figures(now: Tensor, began: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return the distance of a model's outputs to the target's, relative to two scales, shape (N,) each.

    Parameters
    ----------
    now, began
        Model outputs for the metamers and for their starts, minus the target's, shape (N, …).
    target
        Model output for the target, shape (N, …).

    Returns
    -------
    dict
        ``"relative error"``, relative to the norm of the target's output (to the distance at the start if
        that is 0), and ``"share of start"``, relative to the distance at the start.
    """
    distance, at_first, own = (
        outputs.flatten(1).abs().double().norm(dim=1) for outputs in (now, began, target)
    )
    tiny = torch.finfo(distance.dtype).tiny
    return {
        "relative error": distance / own.where(own > 0, at_first).clamp_min(tiny),
        "share of start": distance / at_first.clamp_min(tiny),
    }


def judged_metamer(figures: Mapping[str, float], status: Status) -> Quality:
    """Return the verdict on a metamer, from its figures and the status of its run."""
    error, of_start = figures["relative error"], figures["share of start"]
    advice = (
        "lower stop_criterion or stop_loss, try another start, or a wider allowed_range"
        if status.finished
        else "take more steps, another start, balanced_by_sensitivity, or MetamerCTF"
    )
    findings = {
        "the model's output is not finite": not error < float("inf"),
        f"{of_start:.1%} of the distance at the start remains; {advice}": (
            of_start > REMAINS and error > CLOSE
        ),
    }
    return judge(findings, figures, status)


def competition_figures(
    drift: Tensor, moved: Tensor, images: Tensor, reference: Tensor, bounds: tuple[float, float]
) -> list[dict[str, float]]:
    """Return the figures, name to number, of each image of a competition.

    Parameters
    ----------
    drift
        Relative error of the held metric, shape (N,).
    moved
        The optimized metric, relative to its value at the start, shape (N,).
    images, reference
        The synthesized images and the reference, shape (N, …).
    bounds
        Range of pixel values.
    """
    return columns(
        **{
            "drift": drift,
            "optimized, of start": moved,
            OUTSIDE: share_outside(images, bounds),
            **pixel_distances(images, reference, bounds),
        }
    )


def judged_competitor(figures: Mapping[str, float], minmax: str, status: Status) -> Quality:
    """Return the verdict on an image of a competition, from its figures and the status of its run."""
    drift, moved = figures["drift"], figures["optimized, of start"]
    gained = moved < 1 if minmax == "min" else moved > 1
    findings = {
        f"the reference metric drifted by {drift:.2%}; leave metric_tradeoff_lambda out to hold it": (
            not abs(drift) <= DRIFT
        ),
        f"the optimized metric is {moved:.4g} times its value at the start": not gained,
    }
    return judge(findings, figures, status, to_the_end=True, target="the reference")
