"""Whether a synthesis came out well: what a person would check by eye, as numbers and a verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.engine.run import Status
from stimsynth.methods.base.on_grid import rms, screen_grid

#: A held quantity that is further from its target than this, relative to it, is not held.
DRIFT = 1e-3
#: Images whose frames of 8 bits differ by less than so many levels (root mean square) are one image.
SAME = 0.5

FAULTLESS = "nothing stands against it"
OUTSIDE = "outside range"
DISTANCE, LEVELS = "pixel distance", "pixel distance, 8-bit levels"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What can be said of one item of a synthesis.

    Attributes
    ----------
    good
        Whether it can be used as it is.
    verdict
        The sentence on it: what is right, or all that is not and what would help.
    figures
        Name to number; NaN for what there is not.
    status
        How the run ended.
    """

    good: bool
    verdict: str
    figures: Mapping[str, float]
    status: Status

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in self.figures.items())
        return f"{'good' if self.good else 'NOT good'}: {self.verdict} ({numbers}; {self.status.value})"


def judge(
    findings: Mapping[str, bool],
    figures: Mapping[str, float],
    status: Status,
    *,
    to_the_end: bool = False,
    target: str = "the target",
    praise: str = FAULTLESS,
) -> Quality:
    """Return the quality of an item from what was found, and from what counts for every synthesis.

    That is a run that did not begin, was interrupted or got lost; pixels out of range (`OUTSIDE`); and a
    result that is the image it was to differ from (`LEVELS`).

    Parameters
    ----------
    findings
        Sentence to whether it applies; those that do make the verdict, and there is no praise.
    figures, status
        As in `Quality`.
    to_the_end
        Whether only a run that came to its end is worth anything, since nothing else tells how far it is.
    target
        What the image of `LEVELS` is called.
    praise
        The verdict where nothing applies.

    Examples
    --------
    >>> from stimsynth.engine.run import Status
    >>> print(judge({"it drifts; run longer": False}, {"drift": 1e-7}, Status.CONVERGED))
    good: nothing stands against it (drift 1e-07; converged: the stop criterion is met)
    >>> print(judge({}, {OUTSIDE: 0.5}, Status.OUT_OF_STEPS).verdict)
    50.00% of the pixels lie outside the allowed range and would be clipped
    """
    outside, levels = figures.get(OUTSIDE, 0.0), figures.get(LEVELS, math.inf)
    every = {
        "there is no result yet; call synthesize": status is Status.RUNNING,
        f"{status.value}; call synthesize again to go on": (
            status is Status.INTERRUPTED or (to_the_end and status is Status.OUT_OF_STEPS)
        ),
        status.value: status in (Status.UNREACHED, Status.NOT_FINITE),
        **findings,
        f"it is {target}: on a screen of 8 bits the two differ by {levels:.2g} levels": levels
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
    """Return the share of values outside of a range for every item, float64 (N,); NaN for complex images.

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
    """Return how far images are from the image that they are to differ from.

    Parameters
    ----------
    images
        Shape (N, …).
    target
        Shape (N, …), or (1, …) for one that serves all; None if there is none.
    bounds
        Range of the pixels of a screen.

    Returns
    -------
    dict
        Two root mean squares for every item, float64 (N,): `DISTANCE`, of the images as they are; and
        `LEVELS`, of their frames of 8 bits, in levels. NaN where there is nothing to compare.

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
    if images.is_complex():
        return {DISTANCE: distance, LEVELS: nothing}
    grid = screen_grid(8, bounds)
    return {DISTANCE: distance, LEVELS: rms(grid.numbers(images) - grid.numbers(target))}
