"""Verdicts on synthesis results: whether they can be used, with the numbers that decide it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.engine.run import Status
from stimsynth.methods.base.on_grid import rms, screen_grid

#: Largest relative error of a held quantity that still counts as held.
DRIFT = 1e-3
#: Two images count as the same if their 8-bit versions differ by less than this (root mean square, levels).
SAME = 0.5

FAULTLESS = "no fault found"
OUTSIDE = "outside range"
DISTANCE, LEVELS = "pixel distance", "pixel distance, 8-bit levels"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Verdict on the result for one image of a batch.

    Attributes
    ----------
    good
        Whether the result can be used as it is.
    verdict
        A sentence: the faults that were found and what would mend them, or that there are none.
    figures
        Numbers by name; NaN for those that do not apply.
    status
        Status of the run.
    """

    good: bool
    verdict: str
    figures: Mapping[str, float]
    status: Status

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in self.figures.items())
        begun = numbers and self.status is not Status.RUNNING
        details = f"{numbers}; {self.status.value}" if begun else self.status.value
        return f"{'good' if self.good else 'NOT good'}: {self.verdict} ({details})"


def judge(
    findings: Mapping[str, bool],
    figures: Mapping[str, float],
    status: Status,
    *,
    to_the_end: bool = False,
    target: str = "the target",
    praise: str = FAULTLESS,
) -> Quality:
    """Return the verdict on one result, from findings of its method and checks common to all methods.

    The common checks are: a run that did not begin, was interrupted or failed; pixels out of range
    (`OUTSIDE`); and a result equal to the image that it should differ from (`LEVELS`).

    Parameters
    ----------
    findings
        Sentences about faults, and for each whether it applies. Those that apply make up the verdict.
    figures, status
        As in `Quality`.
    to_the_end
        Whether a run that stopped at ``max_iter`` counts as a fault.
    target
        Name of the image that the result should differ from.
    praise
        The verdict if there is no fault.

    Examples
    --------
    >>> from stimsynth.engine.run import Status
    >>> print(judge({"it drifts; run longer": False}, {"drift": 1e-7}, Status.CONVERGED))
    good: no fault found (drift 1e-07; converged: the stop criterion is met)
    >>> print(judge({}, {OUTSIDE: 0.5}, Status.OUT_OF_STEPS).verdict)
    50.00% of the pixels lie outside the allowed range and would be clipped
    """
    if status is Status.RUNNING:  # the findings would be about the start
        verdict = "there is no result yet; call synthesize"
        return Quality(good=False, verdict=verdict, figures=dict(figures), status=status)
    outside, levels = figures.get(OUTSIDE, 0.0), figures.get(LEVELS, math.inf)
    every = {
        f"{status.value}; call synthesize again to continue": (
            status is Status.INTERRUPTED or (to_the_end and status is Status.OUT_OF_STEPS)
        ),
        status.value: status in (Status.UNREACHED, Status.NOT_FINITE),
        **findings,
        f"it equals {target}: on an 8-bit screen the two differ by {levels:.2g} levels": levels
        < SAME,
        f"{outside:.2%} of the pixels lie outside the allowed range and would be clipped": outside
        > 0,
    }
    wrong = [sentence for sentence, applies in every.items() if applies]
    return Quality(
        good=not wrong,
        verdict=". Also: ".join(wrong) or praise,
        figures=dict(figures),
        status=status,
    )


def share_outside(images: Tensor, bounds: tuple[float, float]) -> Tensor:
    """Return the share of each image's values that lie outside a range, float64 (N,); NaN if complex.

    Examples
    --------
    >>> share_outside(torch.tensor([[0.0, 1.0], [-0.1, 0.5]]), (0, 1)).tolist()
    [0.0, 0.5]
    """
    if images.is_complex():
        return torch.full((len(images),), math.nan, dtype=torch.float64)
    outside = (images < bounds[0]) | (images > bounds[1])
    return outside.flatten(1).double().mean(dim=1)


def pixel_distances(
    images: Tensor, target: Tensor | None, bounds: tuple[float, float]
) -> dict[str, Tensor]:
    """Return the root-mean-square pixel distances of images to a target, by name, float64 (N,).

    Parameters
    ----------
    images
        Shape (N, …).
    target
        Shape (N, …), or (1, …) for one target of all images; None for no target.
    bounds
        (low, high), the range of the screen's levels.

    Returns
    -------
    dict
        `DISTANCE` between the images as they are, and `LEVELS` between their 8-bit versions, in levels. NaN
        without a target of the same shape; `LEVELS` also for complex images and for an infinite range.

    Examples
    --------
    >>> found = pixel_distances(torch.tensor([[0.5, 0.6]]), torch.tensor([[0.5, 0.601]]), (0, 1))
    >>> round(float(found[DISTANCE]), 6), float(found[LEVELS])
    (0.000707, 0.0)
    """
    nothing = torch.full((len(images),), math.nan, dtype=torch.float64, device=images.device)
    comparable = (
        target is not None
        and target.shape[1:] == images.shape[1:]
        and len(target) in (1, len(images))
    )
    if not comparable:
        return {DISTANCE: nothing, LEVELS: nothing}
    assert target is not None
    distance = rms(images - target).double()
    if images.is_complex() or not math.isfinite(bounds[1] - bounds[0]):
        return {DISTANCE: distance, LEVELS: nothing}
    grid = screen_grid(8, bounds)
    return {DISTANCE: distance, LEVELS: rms(grid.numbers(images) - grid.numbers(target))}
