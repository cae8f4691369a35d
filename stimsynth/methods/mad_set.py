"""Sets of all images of a competition between two metrics, synthesized in one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stimsynth.engine.interrupt import interruptible
from stimsynth.engine.loop import iterate
from stimsynth.engine.problem import Held, Problem, Terms
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import LossConvergence
from stimsynth.methods.base.in_notebook import first_values, image_row
from stimsynth.methods.base.penalties import GivenPenalties, Penalties, as_penalties
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.progress import synthesis_bar
from stimsynth.methods.base.quality import Quality
from stimsynth.methods.base.resumable_run import check_steps
from stimsynth.methods.mad import (
    Metric,
    check_start,
    constrained,
    noisy,
)
from stimsynth.methods.verdicts import competition_figures, judged_competitor
from stimsynth.seeding import checked_seed
from stimsynth.validate import validate_allowed_range
from stimsynth.validate.functions import check_metric, check_start_slopes
from stimsynth.validate.images import IMAGE_FIRST, kept_image
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.shown import FactSheet, ShownTuple, size_of


class _Role(NamedTuple):
    """Number of the metric that is optimized, and its direction: 1 minimizes it, -1 maximizes it."""

    pushed: int
    sign: int


_ROLES = {
    "metric_1_min": _Role(0, 1),
    "metric_1_max": _Role(0, -1),
    "metric_2_min": _Role(1, 1),
    "metric_2_max": _Role(1, -1),
}

#: Names of the four images of a set, after the metric that is optimized; the other one is held.
MEMBERS = tuple(_ROLES)


@dataclass(frozen=True, kw_only=True, repr=False)
class MADMember(FactSheet):
    """One kind of image of a set (one metric optimized in one direction), for every image of the batch.

    Attributes
    ----------
    image
        Shape (batch, channel, height, width).
    metric_1, metric_2
        Values of the two metrics between the reference and this image, shape (batch,).
    drift
        Relative change of the held metric since the start, shape (batch,).
    status
        Status of each image of the batch.
    quality
        Verdict on each image of the batch, as by `MADCompetition.quality`.
    """

    image: Tensor
    metric_1: Tensor
    metric_2: Tensor
    drift: Tensor
    status: tuple[Status, ...]
    quality: tuple[Quality, ...]

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("size", size_of(self.image.shape)),
            ("metric_1", first_values(self.metric_1)),
            ("metric_2", first_values(self.metric_2)),
            ("drift", first_values(self.drift)),
            ("status", "; ".join(dict.fromkeys(status.value for status in self.status))),
        ]

    def _pictures(self) -> str:
        return image_row(self.image)


@dataclass(frozen=True, kw_only=True, repr=False)
class MADLevel(FactSheet):
    """The four competing images at one noise level, with their start.

    Attributes
    ----------
    noise_level, seed
        Standard deviation of the noise, and its seed.
    initial_image
        Start image of all four members, shape (batch, channel, height, width).
    metric_1, metric_2
        Values of the metrics at the start, which are held, shape (batch,).
    members
        The four images by name (`MEMBERS`).
    """

    noise_level: float
    seed: int
    initial_image: Tensor
    metric_1: Tensor
    metric_2: Tensor
    members: Mapping[str, MADMember]

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("noise_level", f"{self.noise_level:g}"),
            ("size", size_of(self.initial_image.shape)),
            ("metric_1", first_values(self.metric_1)),
            ("metric_2", first_values(self.metric_2)),
            ("members", ", ".join(self.members)),
            ("seed", self.seed),
        ]

    def _pictures(self) -> str:
        return "".join(image_row(member.image[:1]) for member in self.members.values())


def mad_set(
    image: Tensor,
    metric_1: Metric,
    metric_2: Metric,
    noise_levels: Sequence[float] = (0.1,),
    *,
    allowed_range: tuple[float, float] = (0, 1),
    penalties: GivenPenalties = (),
    seed: int | None = None,
    max_iter: int = 300,
    stop_criterion: float = 1e-4,
    stop_iters_to_check: int = 50,
) -> tuple[MADLevel, ...]:
    """Return the images on which two metrics disagree most, for each noise level.

    Starting from the image with added noise, each metric is minimized and maximized while the other one keeps
    its value at the start. All images are computed as one batch, and each stops independently. Each result
    equals that of a `MADCompetition` with the same seed.

    Parameters
    ----------
    image
        The reference image, shape (batch, channel, height, width), inside `allowed_range`.
    metric_1, metric_2
        As the metrics of `MADCompetition`.
    noise_levels
        Standard deviations of the noise in the start images. Each image of the batch has its own noise
        pattern, which is the same at every level.
    allowed_range
        (low, high) for pixels, inclusive; pixels are kept inside exactly.
    penalties
        Further terms of each objective, as in `MADCompetition`.
    seed
        Seed of the noise, as in `Metamer`.
    max_iter
        Largest number of steps.
    stop_criterion, stop_iters_to_check
        As for `MADCompetition.synthesize`.

    Returns
    -------
    tuple of MADLevel
        In the order of `noise_levels`.

    Raises
    ------
    InputError
        (a ValueError) if an argument is invalid, or a metric is 0 at the start.
    KeyboardInterrupt
        After Ctrl-C, which ends the run between two steps. Its attribute `levels` holds what would have been
        returned for the images so far.

    References
    ----------
    Z. Wang & E. P. Simoncelli (2008), "Maximum differentiation (MAD) competition: A methodology for comparing
    computational models of perceptual quantities", J. Vision 8(12):8.

    Examples
    --------
    >>> from stimsynth import images, mad_set
    >>> from stimsynth.metrics import mse, ssim
    >>> image = images.load("camera", size=32).double()
    >>> (level,) = mad_set(image, lambda x, y: 1 - ssim(x, y), mse, [0.05], max_iter=10)
    >>> bool(level.members["metric_1_max"].metric_1 > 1.2 * level.metric_1)
    True
    >>> bool(level.members["metric_1_max"].drift.abs() < 1e-6)
    True
    """
    max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
    bounds = validate_allowed_range(allowed_range)
    image = kept_image(image, bounds=bounds, order=IMAGE_FIRST)
    metrics = (metric_1, metric_2)
    for metric in metrics:
        check_metric(metric, image)
    if isinstance(noise_levels, Tensor | np.ndarray):
        noise_levels = noise_levels.tolist()
    if not isinstance(noise_levels, Sequence) or isinstance(noise_levels, str) or not noise_levels:
        raise InputError(
            f"noise_levels must be a list of one standard deviation or more; not {briefly(noise_levels)}"
        )
    seed = checked_seed(seed)
    starts = torch.stack([noisy(image, level, seed, bounds) for level in noise_levels])
    values = torch.stack([torch.stack([_values(m, image, s) for m in metrics]) for s in starts])
    for name, value in zip(("metric_1", "metric_2"), values.unbind(1), strict=True):
        check_start(value.flatten(), name)
    for metric in metrics:
        for start in starts:
            check_start_slopes(metric, image, start)
    added = as_penalties(penalties, starts.flatten(0, 1), ["pushed", "held"])
    problem, start = _problem(image, metrics, starts, values, added)
    stop = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
    runs: list[Run] = []

    def found() -> tuple[MADLevel, ...]:
        return _levels(runs[0], image, metrics, noise_levels, starts, values, bounds, seed)

    try:
        with interruptible(), synthesis_bar(max_iter) as on_step:
            runs.append(
                iterate(
                    problem,
                    constrained(bounds),
                    start,
                    max_steps=max_iter,
                    stop=stop,
                    on_step=on_step,
                    on_error=runs.append,
                )
            )
    except KeyboardInterrupt as interrupt:
        # There is no object to keep the images; a notebook has the error as sys.last_value.
        interrupt.levels = found() if runs else ()  # type: ignore[attr-defined]
        raise
    return found()


def _problem(
    image: Tensor,
    metrics: tuple[Metric, Metric],
    starts: Tensor,
    values: Tensor,
    penalties: Penalties,
) -> tuple[Problem, Tensor]:
    """Return the problem of levels × members × images of the batch, and its start points.

    `starts` has shape (levels, batch, …), `values` (levels, 2, batch).
    """
    levels, batch = starts.shape[:2]
    roles = list(_ROLES.values())
    shape = (levels, len(roles), batch)

    def spread(numbers: Sequence[int]) -> Tensor:
        row = torch.tensor(numbers, device=image.device)
        return row.view(1, -1, 1).expand(shape).flatten()

    pushed, sign = spread([r.pushed for r in roles]), spread([r.sign for r in roles])
    references = image.expand(levels, len(roles), *image.shape).flatten(0, 2)
    held_at = values[:, [1 - r.pushed for r in roles]].flatten()

    def measured(which: Tensor, points: Tensor, items: Tensor) -> Tensor:
        """Return at each of `points` the metric whose number `which` gives for its problem, shape (n,)."""
        rows = [(which[items] == k).nonzero().squeeze(1) for k in range(len(metrics))]
        found = [
            per_item(metric, references[items[row]], points[row])
            for metric, row in zip(metrics, rows, strict=True)
            if len(row)
        ]
        return torch.cat(found)[torch.cat(rows).argsort()]

    def terms(points: Tensor, items: Tensor) -> Terms:
        own = zip(penalties.weights, penalties.functions, strict=True)
        added = {name: per_item(function, points) for name, function in own}
        return {"pushed": sign[items] * measured(pushed, points, items), **added}

    def held(points: Tensor, items: Tensor) -> Terms:
        return {"held": measured(1 - pushed, points, items)}

    problem = Problem(
        terms=terms,
        weights={"pushed": 1.0, **penalties.weights},
        held=Held(terms=held, targets={"held": held_at}),
        nonsmooth_at=references,
    )
    return problem, starts.unsqueeze(1).expand(*shape, *image.shape[1:]).flatten(0, 2)


def _levels(
    run: Run,
    image: Tensor,
    metrics: tuple[Metric, Metric],
    noise_levels: Sequence[float],
    starts: Tensor,
    values: Tensor,
    bounds: tuple[float, float],
    seed: int,
) -> tuple[MADLevel, ...]:
    batch = len(image)
    images = run.points.unflatten(0, (len(starts), len(MEMBERS), batch))

    def member(level: int, number: int) -> MADMember:
        now = images[level, number]
        one, two = (_values(metric, image, now) for metric in metrics)
        role, first = _ROLES[MEMBERS[number]], (level * len(MEMBERS) + number) * batch
        moved, kept = ((one, two)[k] / values[level, k] for k in (role.pushed, 1 - role.pushed))
        status = run.status[first : first + batch]
        figures = competition_figures(kept - 1, moved, now, image, bounds)
        minmax = "min" if role.sign == 1 else "max"
        return MADMember(
            image=now,
            metric_1=one,
            metric_2=two,
            drift=kept - 1,
            status=status,
            quality=tuple(
                judged_competitor(row, minmax, s) for row, s in zip(figures, status, strict=True)
            ),
        )

    return ShownTuple(
        MADLevel(
            noise_level=float(noise),
            seed=seed,
            initial_image=starts[level],
            metric_1=values[level, 0],
            metric_2=values[level, 1],
            members={name: member(level, k) for k, name in enumerate(MEMBERS)},
        )
        for level, noise in enumerate(noise_levels)
    )


def _values(metric: Metric, image: Tensor, other: Tensor) -> Tensor:
    with torch.no_grad():
        return per_item(metric, image, other)
