"""Maximum differentiation: images that differ strongly by one metric and not by another."""

import copy
import math
import os
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from stimsynth.engine.constrained.descent import Constrained
from stimsynth.engine.descent import Descent
from stimsynth.engine.loop import Method
from stimsynth.engine.problem import Held, Problem, Terms, of_items
from stimsynth.engine.quantized.hold import hold_on_grid
from stimsynth.engine.stop import LossConvergence, loss_goal
from stimsynth.images.noise import gaussian_noise
from stimsynth.methods.base.fingerprints import fingerprint
from stimsynth.methods.base.on_grid import OnGrid, columns, on_grid, screen_grid
from stimsynth.methods.base.optimizers import ADAM
from stimsynth.methods.base.penalties import GivenPenalties, as_penalties
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.quality import Quality
from stimsynth.methods.base.resumable_run import ResumableRun, check_steps
from stimsynth.methods.base.synthesis import Cast, Move, OptimizedSynthesis
from stimsynth.methods.verdicts import competition_figures, judged_competitor
from stimsynth.numerics.numbers import real_number
from stimsynth.seeding import seed_of_start
from stimsynth.validate import validate_allowed_range
from stimsynth.validate.functions import check_metric, check_start_slopes
from stimsynth.validate.images import IMAGE_FIRST, checked_tensor, kept_image
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

Metric = Callable[[Tensor, Tensor], Tensor]


class MADCompetition(OptimizedSynthesis):
    r"""Synthesize an image that changes one metric as much as possible and keeps another constant.

    Starting from the image with added noise, `optimized_metric` is minimized or maximized, while
    `reference_metric` keeps its value at the start. A competition between two metrics needs four such
    images: see `stimsynth.mad_set`.

    Parameters
    ----------
    image
        The reference image, shape (batch, channel, height, width), inside `allowed_range`. Each image of
        the batch is an independent problem.
    optimized_metric, reference_metric
        Functions or modules of two images that return a scalar, 0 for equal images and larger for others,
        such as ``lambda x, y: 1 - stimsynth.metrics.ssim(x, y)``. They are called on one pair at a time,
        with a batch dimension of 1; `image` is the first argument.
    minmax
        ``"min"`` to minimize `optimized_metric`, ``"max"`` to maximize it.
    initial_noise
        Standard deviation of the Gaussian noise in the start image, in the image's units.
    metric_tradeoff_lambda
        None to hold the reference metric exactly, without any weight. A number is the weight
        :math:`\lambda_1` of the objective
        :math:`t L_1(x, \hat x) + \lambda_1 [L_2(x, x + \epsilon) - L_2(x, \hat x)]^2 +
        \lambda_2 B(\hat x)`, in which the reference metric drifts. ``"auto"`` is the power of ten that makes
        both terms about equal at the start; a warning states it.
    range_penalty_lambda
        Weight :math:`\lambda_2` of the penalty on pixels outside `allowed_range`. Without a
        `metric_tradeoff_lambda`, pixels are kept inside exactly and the penalty is zero.
    allowed_range
        (low, high) for pixels, inclusive.
    initial_image
        Start image used instead of image and noise, shaped like `image` and inside `allowed_range`.
    penalties
        Further terms of the objective, as in `Metamer`; they are always minimized, for either `minmax`.
    seed
        Seed of the noise, as in `Metamer`.

    Attributes
    ----------
    mad_image
        The result so far.
    initial_image
        Start image.
    losses, optimized_metric_loss, reference_metric_loss, gradient_norm, pixel_change_norm
        Tensors of shape (steps + 1, batch): row i was measured at iterate i, row 0 at the start.
    saved_mad_image
        Iterates kept by `store_progress`, shape (kept, batch, channel, height, width), on the CPU.
    status
        Status of each image of the batch, a `stimsynth.engine.run.Status`.

    Raises
    ------
    InputError
        (a ValueError) if an argument is invalid, or the reference metric is 0 at the start.

    References
    ----------
    Z. Wang & E. P. Simoncelli (2008), "Maximum differentiation (MAD) competition: A methodology for comparing
    computational models of perceptual quantities", J. Vision 8(12):8.

    Examples
    --------
    >>> from stimsynth import MADCompetition, images
    >>> from stimsynth.metrics import mse, ssim
    >>> mad = MADCompetition(
    ...     images.load("camera", size=32).double(), lambda x, y: 1 - ssim(x, y), mse, "max", seed=1
    ... )
    >>> mad.synthesize(max_iter=10)
    >>> bool(mad.optimized_metric_loss[-1] > 1.2 * mad.optimized_metric_loss[0])
    True
    >>> drift = mad.reference_metric_loss[-1] / mad.reference_metric_loss[0] - 1
    >>> bool(drift.abs() < 1e-6)
    True
    """

    _shared = OptimizedSynthesis._shared | {
        "image": "_image",
        "minmax": "_minmax",
        "metric_tradeoff_lambda": "_tradeoff",
    }

    def __init__(
        self,
        image: Tensor,
        optimized_metric: Metric,
        reference_metric: Metric,
        minmax: Literal["min", "max"],
        initial_noise: float = 0.1,
        metric_tradeoff_lambda: float | Literal["auto"] | None = None,
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        *,
        initial_image: Tensor | None = None,
        penalties: GivenPenalties = (),
        seed: int | None = None,
    ) -> None:
        bounds = validate_allowed_range(allowed_range)
        self._image = kept_image(image, bounds=bounds, order=IMAGE_FIRST)
        for metric in (optimized_metric, reference_metric):
            check_metric(metric, self._image)
        if not isinstance(minmax, str) or minmax not in ("min", "max"):
            raise InputError(f"minmax must be 'min' or 'max'; not {briefly(minmax)}")
        self._optimized, self._reference = optimized_metric, reference_metric
        self._minmax = minmax
        self._seed = seed_of_start(seed, given=initial_image is not None)
        if initial_image is None:
            start = noisy(self._image, initial_noise, self._seed, bounds)
        else:
            start = _as_start(initial_image, self._image, bounds)
        self._tradeoff = self._weight(metric_tradeoff_lambda, start)
        resumable = ResumableRun(start, default=_default(self._tradeoff, bounds))
        taken = ["optimized_metric", "reference_metric", "tradeoff"]
        added = as_penalties(penalties, start, taken)
        super().__init__(resumable, range_penalty_lambda, bounds, added)
        check_start(self._held_value(), "reference_metric")
        for metric in (optimized_metric, reference_metric):
            check_start_slopes(metric, self._image, start)

    def synthesize(
        self,
        max_iter: int = 100,
        optimizer: Any = None,
        scheduler: Any = None,
        store_progress: bool | int = False,
        stop_criterion: float = 1e-4,
        stop_iters_to_check: int = 50,
        *,
        optimizer_kwargs: Mapping[str, Any] | None = None,
        progress_file: str | os.PathLike[str] | None = None,
        stop_loss: float | None = None,
    ) -> None:
        """Synthesize, or continue where the last call stopped.

        Warns "Loss has converged, stopping synthesis" when all images have converged.

        Parameters
        ----------
        max_iter
            Largest number of steps to take in this call.
        optimizer
            None for descent along the constraint, or, with a `metric_tradeoff_lambda`, for
            ``Adam(lr=0.01, amsgrad=True)``. With a `metric_tradeoff_lambda` also a torch optimizer class,
            any function that makes an optimizer from a list with one tensor, or an optimizer built on
            ``[mad.mad_image]``. Must be None when continuing.
        scheduler
            Function of the optimizer that returns a learning-rate scheduler, or one built on the
            optimizer instance. Must be None when continuing.
        store_progress
            Store every k-th iterate in `saved_mad_image`; True is 1 and False is 0.
        stop_criterion
            An image stops when the relative change of its objective over `stop_iters_to_check` steps is
            less than this.
        stop_iters_to_check
            Number of steps for `stop_criterion`.
        optimizer_kwargs
            Arguments for an optimizer class.
        progress_file
            HDF5 file for the iterates of `store_progress`, written during the run; None to keep them in
            memory.
        stop_loss
            An image also stops once its loss is at most this (a row of `losses`: the optimized metric, its
            negative for ``"max"``); None for no such rule.

        Raises
        ------
        InputError
            If an argument is invalid, or the objective or its gradient became NaN or infinite (the run so
            far is kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        if self._tradeoff is None and optimizer is not None:
            raise InputError(
                "a torch optimizer cannot hold the reference metric; give a metric_tradeoff_lambda with it, "
                "or leave both out"
            )
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        rule = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        self._resumable.advance(self._problem(), max_iter, rule, _fields, goal=loss_goal(stop_loss))

    def objective_function(
        self, mad_image: Tensor | None = None, image: Tensor | None = None
    ) -> Tensor:
        """Return the objective of each image of the batch, shape (batch,).

        If the reference metric is held exactly, it is not a term of the objective.

        Parameters
        ----------
        mad_image
            An image to use instead of the current one.
        image
            An image to use instead of the reference.
        """
        mad_image = self.mad_image if mad_image is None else mad_image
        image = self._image if image is None else image
        for given in (mad_image, image):
            if checked_tensor(given, "objective_function").shape != self._image.shape:
                raise InputError(
                    f"images must have shape {tuple(self._image.shape)}; not {tuple(given.shape)}"
                )
        pushed = per_item(self._optimized, image, mad_image)
        total, added = self._sign * pushed, self._penalty_terms(mad_image)
        for name, weight in self._weights().items():
            total = total + weight * added[name]
        if self._tradeoff is None:
            return total
        off = self._held_value() - per_item(self._reference, image, mad_image)
        return total + self._tradeoff * off**2

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each image of the batch: numbers, and a sentence.

        The numbers are: the relative change of the reference metric since the start; the optimized metric
        relative to its value at the start; the share of pixels outside the allowed range; and the
        root-mean-square distance of the pixels to the reference, as they are and on an 8-bit screen.
        """
        with torch.no_grad():
            now, image = self.mad_image.detach(), self._image
            began = per_item(self._optimized, image, self._resumable.origin)
            moved = per_item(self._optimized, image, now) / began
            drift = per_item(self._reference, image, now) / self._held_value() - 1
        rows = competition_figures(drift, moved, now, image, self._range)
        return tuple(
            judged_competitor(row, self._minmax, s)
            for row, s in zip(rows, self.status, strict=True)
        )

    def on_grid(self, bits: int = 8) -> OnGrid:
        """Return the result quantized to a screen's levels, with the reference metric kept.

        The reference is rounded, as a screen shows it rounded too. The image is rounded such that the
        reference metric between the two keeps the value that it had before quantization.

        Parameters
        ----------
        bits
            Depth of the screen: ``2 ** bits`` levels over `allowed_range`.

        Returns
        -------
        OnGrid
            With both metrics as figures, measured in float64: between the images before quantization,
            between the plainly rounded images, and between the rounded reference and this image.

        Raises
        ------
        InputError
            If bits is not a whole number from 1 to 16.
        """
        grid = screen_grid(bits, self._range)
        base, before = grid.nearest(self._image.double()), self.mad_image.detach().double()
        held, pushed = (
            partial(per_item, _in_double(metric, self._image))
            for metric in (self._reference, self._optimized)
        )
        target = held(self._image.double(), before)
        shown = hold_on_grid(partial(held, base), before, target, grid)
        pairs = {
            "float": (self._image.double(), before),
            "rounded": (base, grid.nearest(before)),
            "refined": (base, shown),
        }
        measured = {f"reference metric, {name}": held(*pair) for name, pair in pairs.items()}
        measured |= {f"optimized metric, {name}": pushed(*pair) for name, pair in pairs.items()}
        return on_grid(shown.to(self._image.dtype), grid, 0, columns(**measured))

    @property
    def image(self) -> Tensor:
        """A copy of the reference image, shape (batch, channel, height, width)."""
        return self._image.clone()

    @property
    def optimized_metric(self) -> Metric:
        """The metric that is minimized or maximized."""
        return self._optimized

    @property
    def reference_metric(self) -> Metric:
        """The metric that keeps its value."""
        return self._reference

    @property
    def minmax(self) -> str:
        """Direction of the optimized metric: ``"min"`` or ``"max"``."""
        return self._minmax

    @property
    def metric_tradeoff_lambda(self) -> float | None:
        """Weight of the reference metric's squared change; None where it is held exactly."""
        return self._tradeoff

    @property
    def initial_image(self) -> Tensor:
        """A copy of the start image, shape (batch, channel, height, width)."""
        return self._resumable.origin.clone()

    @property
    def mad_image(self) -> Tensor:
        """The result so far, shape (batch, channel, height, width).

        Before the first call it is the start image, a leaf tensor on which an optimizer can be built.
        """
        return self._resumable.points

    @property
    def saved_mad_image(self) -> Tensor:
        """Stored iterates, shape (kept, batch, channel, height, width), on the CPU."""
        return self._resumable.saved()

    @property
    def optimized_metric_loss(self) -> Tensor:
        """The optimized metric at every iterate, shape (steps + 1, batch)."""
        return self._resumable.history("optimized_metric")

    @property
    def reference_metric_loss(self) -> Tensor:
        """The reference metric at every iterate, shape (steps + 1, batch)."""
        return self._resumable.history("reference_metric")

    @property
    def _sign(self) -> float:
        return 1.0 if self._minmax == "min" else -1.0

    def _weight(self, given: float | str | None, start: Tensor) -> float | None:
        if given is None:
            return None
        if isinstance(given, str) and given == "auto":
            with torch.no_grad():
                pushed = per_item(self._optimized, self._image, start).mean()
                held = per_item(self._reference, self._image, start).mean()
            check_start(held[None], "reference_metric")
            check_start(pushed[None], "optimized_metric")
            found = 10.0 ** round(math.log10(float(pushed / held)))
            warnings.warn(
                f"Since metric_tradeoff_lambda was 'auto', automatically set to {found:g} to roughly balance "
                "metrics.",
                stacklevel=3,
            )
            return found
        return real_number(given, "metric_tradeoff_lambda, if not None or 'auto',", 0)

    def _held_value(self) -> Tensor:
        """Return the reference metric at the start, shape (batch,)."""
        with torch.no_grad():
            return per_item(self._reference, self._image, self._resumable.origin)

    def _problem(self) -> Problem:
        image, target, weight = self._image, self._held_value(), self._tradeoff

        weights = {"optimized_metric": self._sign, **self._weights()}

        def pushed(points: Tensor, items: Tensor) -> Terms:
            metric = per_item(self._optimized, of_items(image, items), points)
            return {"optimized_metric": metric, **self._penalty_terms(points)}

        def held(points: Tensor, items: Tensor) -> Terms:
            return {"reference_metric": per_item(self._reference, of_items(image, items), points)}

        def weighed(points: Tensor, items: Tensor) -> Terms:
            terms = {**pushed(points, items), **held(points, items)}
            off = (of_items(target, items) - terms["reference_metric"]) ** 2
            return {**terms, "tradeoff": off}

        if weight is None:
            return Problem(
                terms=pushed,
                weights=weights,
                held=Held(terms=held, targets={"reference_metric": target}),
                nonsmooth_at=image,
            )
        return Problem(terms=weighed, weights={**weights, "tradeoff": weight})

    def _functions(self) -> dict[str, Any]:
        metrics = {"optimized_metric": self._optimized, "reference_metric": self._reference}
        told = {
            name: fingerprint(metric, self._image[:1], self._range, n_images=2)
            for name, metric in metrics.items()
        }
        return {**super()._functions(), **told}

    def _default_method(self) -> Method:
        return _default(self._tradeoff, self._range)

    def _move(self, cast: Cast, move: Move) -> None:
        self._optimized, self._reference = move(self._optimized), move(self._reference)
        self._image = cast(self._image)


def _in_double(metric: Metric, image: Tensor) -> Metric:
    """Return a metric that computes in float64, or else in the precision of `image`."""
    exact = copy.deepcopy(metric).double() if isinstance(metric, nn.Module) else metric
    one = image[:1].double()
    try:
        exact(one, one)
    except RuntimeError:
        return lambda x, y: metric(x.to(image.dtype), y.to(image.dtype)).double()
    return exact


def noisy(image: Tensor, noise: float, seed: int, bounds: tuple[float, float]) -> Tensor:
    """Return `image` (N, …) with Gaussian noise of standard deviation `noise`, clipped to the bounds.

    The noise pattern is the same for every standard deviation.
    """
    noise = real_number(noise, "initial_noise, a standard deviation,", 0)
    pattern = gaussian_noise(tuple(image.shape), seed).to(image)
    return (image + noise * pattern).clamp(*bounds)


def check_start(values: Tensor, name: str) -> None:
    """Check that a metric is above 0 and finite at the start of each image, shape (N,)."""
    if not bool(((values > 0) & torch.isfinite(values)).all()):
        raise InputError(
            f"{name} must be finite and above 0 between the images and the start images; not "
            f"{values.tolist()}; use more initial_noise, or an initial_image that differs more"
        )


def constrained(bounds: tuple[float, float]) -> Constrained:
    """Return the constrained-descent method for images within `bounds`."""
    return Constrained(bounds=bounds, first_step=0.1 * (bounds[1] - bounds[0]))


def _default(weight: float | None, bounds: tuple[float, float]) -> Method:
    if weight is None:
        return constrained(bounds)
    return Descent(optimizer=partial(torch.optim.Adam, **ADAM))


def _as_start(initial_image: Tensor, image: Tensor, bounds: tuple[float, float]) -> Tensor:
    start = kept_image(initial_image, "an initial_image", bounds=bounds, like=image)
    if start.shape != image.shape:
        raise InputError(
            f"initial_image must have the shape of the image, {tuple(image.shape)}; not "
            f"{tuple(start.shape)}"
        )
    return start


def _fields(state: Any) -> dict[str, Any]:
    return {
        name: f"{float(state.terms[name].mean()):.4e}"
        for name in ("optimized_metric", "reference_metric")
    }
