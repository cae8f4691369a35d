"""Metamers: images with the same model output as a target image."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.problem import Problem, Terms, of_items
from stimsynth.engine.quantized.descent import descend_to_grid
from stimsynth.engine.stop import LossConvergence, loss_goal
from stimsynth.images import uniform_noise
from stimsynth.losses import mse
from stimsynth.methods.base.fingerprints import fingerprint, summed
from stimsynth.methods.base.on_grid import OnGrid, columns, exactly, on_grid, rms, screen_grid
from stimsynth.methods.base.penalties import GivenPenalties, as_penalties
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.quality import OUTSIDE, Quality, pixel_distances, share_outside
from stimsynth.methods.base.resumable_run import ResumableRun, check_steps
from stimsynth.methods.base.synthesis import Cast, Move, OptimizedSynthesis
from stimsynth.methods.verdicts import judged_metamer, metamer_figures
from stimsynth.seeding import checked_seed, seed_of_start
from stimsynth.validate import checked_output, validate_allowed_range
from stimsynth.validate.functions import check_loss
from stimsynth.validate.images import IMAGE_FIRST, checked_tensor, kept_image
from stimsynth.validate.models import check_each_alone, target_output
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole

Loss = Callable[[Tensor, Tensor], Tensor]


class MetamerObjective(OptimizedSynthesis):
    """Base class of searches for metamers: target, model, loss and start.

    Parameters
    ----------
    image, model, loss_function, range_penalty_lambda, allowed_range, initial_image
        As in `Metamer`.
    target_representation, penalties, seed
        As in `Metamer`.

    Raises
    ------
    InputError
        As in `Metamer`.

    Examples
    --------
    >>> from stimsynth import Metamer, MetamerCTF
    >>> issubclass(Metamer, MetamerObjective), issubclass(MetamerCTF, MetamerObjective)
    (True, True)
    """

    _shared = OptimizedSynthesis._shared | {
        "image": "_image",
        "target_representation": "_target",
    }
    _origins = OptimizedSynthesis._origins | {"target_is_given": "_target_is_given"}

    def __init__(
        self,
        image: Tensor | None,
        model: nn.Module,
        loss_function: Loss,
        range_penalty_lambda: float,
        allowed_range: tuple[float, float],
        initial_image: Tensor | None,
        *,
        target_representation: Tensor | None,
        penalties: GivenPenalties,
        seed: int | None,
    ) -> None:
        bounds = validate_allowed_range(allowed_range)
        self._image = None if image is None else kept_image(image, bounds=bounds, order=IMAGE_FIRST)
        self._model, self._loss = model, loss_function
        self._seed = seed_of_start(seed, given=initial_image is not None)
        start, given = self._first(initial_image, bounds), None
        self._target_is_given = target_representation is not None
        if self._target_is_given:
            given = kept_image(
                target_representation, "a target_representation", any_dims=True, complex_too=True
            )
        target = self._goal(start, given, drawn=initial_image is None)
        check_loss(loss_function, target[:1])
        self._target = target.expand(len(start), *target.shape[1:])
        resumable = ResumableRun(start, default=LBFGS(bounds=bounds))
        added = as_penalties(penalties, start, ["loss"])
        super().__init__(resumable, range_penalty_lambda, bounds, added)

    @property
    def image(self) -> Tensor | None:
        """A copy of the target image; None if only its representation was given."""
        return None if self._image is None else self._image.clone()

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._model

    @property
    def target_representation(self) -> Tensor:
        """A copy of the model's output for the target, which the metamer's output should match."""
        return self._target.clone()

    @property
    def metamer(self) -> Tensor:
        """The result so far, shape (batch, channel, height, width).

        Before the first call it is the start image, a leaf tensor on which an optimizer can be built.
        """
        return self._resumable.points

    @property
    def saved_metamer(self) -> Tensor:
        """Stored iterates, shape (kept, batch, channel, height, width), on the CPU."""
        return self._resumable.saved()

    def objective_function(
        self,
        metamer_representation: Tensor | None = None,
        target_representation: Tensor | None = None,
    ) -> Tensor:
        """Return loss plus weighted penalties of each image of the batch, shape (batch,).

        Parameters
        ----------
        metamer_representation
            A model output to use instead of the current metamer's.
        target_representation
            A model output to use instead of the target's.
        """
        metamer = self.metamer
        given = (
            self.model(metamer)
            if metamer_representation is None
            else self._as_output(metamer_representation)
        )
        wanted = (
            self._target
            if target_representation is None
            else self._as_output(target_representation)
        )
        total = per_item(self._loss, given, wanted)
        penalties = self._penalty_terms(metamer)
        for name, weight in self._weights().items():
            total = total + weight * penalties[name]
        return total

    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each image, whether it is a metamer: numbers, and a sentence.

        The numbers are: the distance of the metamer's model output to the target's, relative to the norm of
        the target's output and to the distance at the start; the share of pixels outside the allowed range;
        and the root-mean-square distance of the pixels to the target, as they are and on an 8-bit screen. An
        image equal to the target is not a metamer of it.
        """
        points = self.metamer.detach()
        with torch.no_grad():
            now, began = (self.model(x) - self._target for x in (points, self._resumable.origin))
        figures = {
            **metamer_figures(now, began, self._target),
            OUTSIDE: share_outside(points, self._range),
            **pixel_distances(points, self._target_image(), self._range),
        }
        return tuple(map(judged_metamer, columns(**figures), self.status))

    def _target_image(self) -> Tensor | None:
        """Return the target image; None if the target was given as a representation."""
        return None if self._target_is_given else self._image

    def on_grid(self, bits: int = 8, *, seed: int = 0, rounds: int = 12, steps: int = 20) -> OnGrid:
        """Return the metamer quantized to a screen's levels, and optimized there to remain a metamer.

        Rounding all pixels at the end adds an error. Therefore pixels are rounded in several rounds, and the
        remaining ones are optimized after each, with the same objective (see
        `stimsynth.engine.quantized.descent`). The run itself does not change.

        Parameters
        ----------
        bits
            Depth of the screen: ``2 ** bits`` levels over `allowed_range`.
        seed
            Seed of the random choice of pixels that are moved by single levels at the end.
        rounds, steps
            Number of times that half of the remaining pixels are rounded, and of L-BFGS steps after each.

        Returns
        -------
        OnGrid
            With the root-mean-square distance of the model's output to the target's as figures, measured in
            float64 for the metamer before quantization, rounded, and refined.

        Raises
        ------
        InputError
            If bits is not a whole number from 1 to 16.

        Examples
        --------
        >>> from stimsynth import Metamer, PortillaSimoncelli, images
        >>> met = Metamer(images.load("grass", size=32), PortillaSimoncelli((32, 32), n_scales=1))
        >>> met.synthesize(max_iter=10)
        >>> (figures,) = met.on_grid(rounds=4).figures
        >>> figures["refined"] < figures["rounded"]
        True
        """
        rounds, steps = whole(rounds, "rounds", 0), whole(steps, "steps", 0)
        seed, grid = checked_seed(seed), screen_grid(bits, self._range)
        problem = self._terms(self._model, self._target)
        before = self.metamer.detach()
        refined = descend_to_grid(problem, before, grid, seed=seed, rounds=rounds, steps=steps)
        model = exactly(self._model, before)
        image = self._target_image()
        goal = self._target.to(model(before[:1])) if image is None else model(image)
        shown = {"float": before, "rounded": grid.nearest(before), "refined": refined}
        distances = {name: rms(model(x) - goal) for name, x in shown.items()}
        return on_grid(refined, grid, seed, columns(**distances))

    def _terms(self, model: Callable[[Tensor], Tensor], target: Tensor) -> Problem:
        """Return the problem of matching `model`'s output to `target`, one row for each image."""

        def terms(points: Tensor, items: Tensor) -> Terms:
            loss = per_item(self._loss, model(points), of_items(target, items))
            return {"loss": loss, **self._penalty_terms(points)}

        return Problem(terms=terms, weights={"loss": 1.0, **self._weights()})

    def _goal(self, start: Tensor, given: Tensor | None, drawn: bool) -> Tensor:
        """Return the target's representation, after checking that it fits the start."""
        if self._image is None and given is None:
            raise InputError("a metamer needs a target: give an image or a target_representation")
        if drawn and given is None:
            assert self._image is not None
            # If the gradient is 0 at the target (a variance of a uniform image), it is not at the noise.
            return checked_output(self._model, self._image, otherwise=start[:1])
        output = checked_output(self._model, start[:1], otherwise=start if len(start) > 1 else None)
        goal = self._joined_target(len(start)) if given is None else given
        if goal.shape[1:] != output.shape[1:]:
            raise InputError(
                f"for an initial_image of shape {tuple(start.shape)} the model's output has shape "
                f"{tuple(output.shape[1:])}; it must have the shape of the target's, {tuple(goal.shape[1:])}"
            )
        if goal.is_complex() != output.is_complex():
            raise InputError(
                f"the model's output has dtype {output.dtype} and the target's representation {goal.dtype}; "
                "both must be real, or both complex"
            )
        if len(goal) not in (1, len(start)):
            raise InputError(
                f"there are {len(goal)} targets and {len(start)} start images; give one target, or one for "
                "each image"
            )
        check_each_alone(self._model, start[:2])
        return goal.to(output)

    def _joined_target(self, n_starts: int) -> Tensor:
        """Return the model's output for the target images; one output if the model mixes several."""
        assert self._image is not None
        goal = target_output(self._model, self._image)
        if len(goal) != len(self._image) and n_starts != 1:
            raise InputError(
                f"the model makes {len(goal)} outputs from {len(self._image)} target images, which needs one "
                f"initial_image; not {n_starts}"
            )
        return goal

    def _as_output(self, given: Tensor) -> Tensor:
        """Return a given representation, after checking that it has the shape of this model's output."""
        checked_tensor(given, "objective_function", "(batch, …)", kind="any")
        if given.shape != self._target.shape:
            raise InputError(
                f"a representation must have the shape of this model's output, {tuple(self._target.shape)}; "
                f"not {tuple(given.shape)}"
            )
        return given

    def _first(self, initial_image: Tensor | None, bounds: tuple[float, float]) -> Tensor:
        if initial_image is None:
            if self._image is None:
                raise InputError(
                    "a metamer without an image needs an initial_image, which gives its size; give one with "
                    "the target_representation"
                )
            shape, dtype = tuple(self._image.shape), self._image.dtype
            return uniform_noise(shape, self._seed, bounds, dtype=dtype).to(self._image)
        start = kept_image(
            initial_image, "an initial_image", bounds=bounds, like=self._image, any_dims=True
        )
        if start.dim() == 0:
            raise InputError(
                "an initial_image needs the batch as its first dimension; this one has no dimensions"
            )
        return start

    def _functions(self) -> dict[str, Any]:
        one, total = self._resumable.origin[:1], summed(self._model)
        return {
            **super()._functions(),
            "model": fingerprint(total, one, self._range, beyond=False),
            "loss_function": fingerprint(self._loss, self._target[:1], n_images=2),
        }

    def _default_method(self) -> LBFGS:
        return LBFGS(bounds=self._range)

    def _move(self, cast: Cast, move: Move) -> None:
        self._model, self._loss = move(self._model), move(self._loss)
        self._image = None if self._image is None else cast(self._image)
        self._target = cast(self._target)


class Metamer(MetamerObjective):
    """Synthesize metamers: change pixels until the model's output matches the target's.

    Parameters
    ----------
    image
        Target image, shape (batch, channel, height, width), inside `allowed_range`. Each image of the batch
        is an independent problem.
    model
        Any `torch.nn.Module` without learnable parameters (see `stimsynth.remove_grad`).
    loss_function
        Function of two outputs (metamer's, target's) that returns a scalar. It is called on one pair at a
        time, with a batch dimension of 1.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, for torch optimizers. The default
        method keeps pixels inside exactly, so that the penalty is zero.
    allowed_range
        (low, high) for pixels, inclusive.
    initial_image
        Start image; None for uniform noise inside `allowed_range`. Its height and width may differ from the
        target's if the model's output has the same shape for both, as with texture statistics. A batch of N
        start images can share one target. A model that makes one output from several targets (a mixture)
        needs one start image.
    target_representation
        The model output to match, instead of the target image's; `image` may then be None, and an
        `initial_image` is needed. Mixtures of two textures are made in this way.
    penalties
        Further terms of the objective: functions of one image (batch of 1) that return a scalar, or pairs of
        weight and function; in a list, or by name in a dict.
    seed
        Seed of the noise in the start image, ``images.uniform_noise(shape, seed, allowed_range)``. None to
        draw one from torch's global generator (see `stimsynth.set_seed`), so that each object has another
        start. The attribute `seed` and the saved file hold it.

    Attributes
    ----------
    metamer
        The result so far, shaped like the start.
    target_representation
        The model's output for the target.
    losses, gradient_norm, pixel_change_norm
        Tensors of shape (steps + 1, batch): row i was measured at iterate i, row 0 at the start.
    saved_metamer
        Iterates kept by `store_progress`, shape (kept, batch, channel, height, width), on the CPU.
    status
        Status of each image of the batch, a `stimsynth.engine.run.Status`.

    Raises
    ------
    InputError
        (a ValueError) if image, model, loss or start do not fit together, or the image is not inside
        `allowed_range`.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint statistics of
    complex wavelet coefficients", Int. J. Computer Vision 40(1), 49–71.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=64), remove_grad(Gaussian(7, std=2.0)), seed=1)
    >>> met.synthesize(max_iter=30)
    >>> bool(met.losses[-1] < 1e-4 * met.losses[0])
    True
    """

    def __init__(
        self,
        image: Tensor | None,
        model: nn.Module,
        loss_function: Loss = mse,
        range_penalty_lambda: float = 0.1,
        allowed_range: tuple[float, float] = (0, 1),
        initial_image: Tensor | None = None,
        *,
        target_representation: Tensor | None = None,
        penalties: GivenPenalties = (),
        seed: int | None = None,
    ) -> None:
        super().__init__(
            image,
            model,
            loss_function,
            range_penalty_lambda,
            allowed_range,
            initial_image,
            target_representation=target_representation,
            penalties=penalties,
            seed=seed,
        )

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
            None for batched L-BFGS with pixels kept inside `allowed_range`. Otherwise a torch optimizer
            class (`torch.optim.Adam` gets ``lr=0.01, amsgrad=True`` unless `optimizer_kwargs` are given),
            any function that makes an optimizer from a list with one tensor, an optimizer built on
            ``[met.metamer]``, or a method of the engine. Must be None when continuing.
        scheduler
            Function of the optimizer that returns a learning-rate scheduler, or one built on the
            optimizer instance. Must be None when continuing.
        store_progress
            Store every k-th iterate in `saved_metamer`; True is 1 and False is 0.
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
            An image also stops once its loss (a row of `losses`) is at most this; None for no such rule.
            Components to which a model is hardly sensitive (such as high frequencies for a blur) approach
            the target last. With a `stop_loss` they keep more of the start image.

        Raises
        ------
        InputError
            If an argument is invalid, or the loss or its gradient became NaN or infinite (the run so far is
            kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        rule = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        self._resumable.advance(
            self._terms(self._model, self._target), max_iter, rule, goal=loss_goal(stop_loss)
        )
