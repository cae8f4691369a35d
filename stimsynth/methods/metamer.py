"""Metamers: images with the same model output as a target image."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.problem import Problem, Terms, of_items
from stimsynth.engine.quantized.descent import descend_to_grid
from stimsynth.engine.stop import LossConvergence, or_loss_reached
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
from stimsynth.validate.images import checked_tensor, kept_image
from stimsynth.validate.models import target_output
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
        self._image = None if image is None else kept_image(image, bounds=bounds)
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
        """The target image; None if only its representation was given."""
        return self._image

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self._model

    @property
    def target_representation(self) -> Tensor:
        """The model's output for the target, which the metamer's output should match."""
        return self._target

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
            A model output to use in place of that of the current metamer.
        target_representation
            A model output to use in place of the target's.
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

        The numbers are the distance of the model's outputs (metamer's to target's) relative to the target's
        own norm and to the start's distance; the share of pixels outside the allowed range; and how far the
        pixels are from those of the target, as they are and on a screen of 8 bits, since an image that is
        the target is no metamer of it.
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

        Rounding at the end adds an error that nobody answers. Here pixels are rounded in turns, and those
        that are still free make up for them, against the same objective (see
        `stimsynth.engine.quantized.descent`).
        The run itself stays as it is.

        Parameters
        ----------
        bits
            Depth of the screen: ``2 ** bits`` levels over `allowed_range`.
        seed
            Of the drawing of pixels that are moved by single levels at last.
        rounds, steps
            Times that half of the free pixels are rounded, and steps of L-BFGS after each.

        Returns
        -------
        OnGrid
            With the root-mean-square distance of the model's outputs to the target's, measured in
            float64: of the metamer as it was, rounded, and refined.

        Raises
        ------
        InputError
            If bits is not a whole number from 1 to 16.

        Examples
        --------
        >>> from stimsynth import Metamer, PortillaSimoncelli, images
        >>> met = Metamer(images.load("grass", size=32), PortillaSimoncelli((32, 32), n_scales=2))
        >>> met.synthesize(max_iter=50)
        >>> (figures,) = met.on_grid().figures
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
        """Return the problem of matching `model`'s output to `target`, one row for each item."""

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
            # Where the target has no slope, as a plain one has none for a variance, the noise has one.
            return checked_output(self._model, self._image, otherwise=start[:1])
        output = checked_output(self._model, start[:1], otherwise=start if len(start) > 1 else None)
        goal = self._joined_target(len(start)) if given is None else given
        if goal.shape[1:] != output.shape[1:]:
            raise InputError(
                f"for an initial_image of shape {tuple(start.shape)} the model's output has shape "
                f"{tuple(output.shape[1:])}, and the target's {tuple(goal.shape[1:])}; they must be the same"
            )
        if goal.is_complex() != output.is_complex():
            raise InputError(
                f"the model's output is of {output.dtype} and the target's representation of {goal.dtype}; "
                "both are real, or both complex"
            )
        if len(goal) not in (1, len(start)):
            raise InputError(
                f"there are {len(goal)} targets and {len(start)} images to start from; give one target, or "
                "as many as images"
            )
        return goal.to(output)

    def _joined_target(self, n_starts: int) -> Tensor:
        """Return the output for the target image, or the one that a mixture makes of several."""
        assert self._image is not None
        goal = target_output(self._model, self._image)
        if len(goal) != len(self._image) and n_starts != 1:
            raise InputError(
                f"the model makes {len(goal)} of {len(self._image)} images; what it joins is met by one "
                f"image at a time, so give one initial_image, not {n_starts}"
            )
        return goal

    def _as_output(self, given: Tensor) -> Tensor:
        """Return a given representation, after checking that it has the shape of this model's output."""
        checked_tensor(given, "objective_function", "(batch, …)", kind="any")
        if given.shape != self._target.shape:
            raise InputError(
                f"a representation has the shape of this model's output, {tuple(self._target.shape)}; not "
                f"{tuple(given.shape)}"
            )
        return given

    def _first(self, initial_image: Tensor | None, bounds: tuple[float, float]) -> Tensor:
        if initial_image is None:
            if self._image is None:
                raise InputError(
                    "a metamer needs an image; a target_representation in its place says nothing of the "
                    "size, so give an initial_image with it"
                )
            shape, dtype = tuple(self._image.shape), self._image.dtype
            return uniform_noise(shape, self._seed, bounds, dtype=dtype).to(self._image)
        start = kept_image(
            initial_image, "an initial_image", bounds=bounds, like=self._image, any_dims=True
        )
        if start.dim() == 0:
            raise InputError(
                "an initial_image has the batch as its first dimension; this one has none"
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
        Target, shape (batch, channel, height, width), inside `allowed_range`. Every batch item is a problem
        of its own.
    model
        Any `torch.nn.Module` without learnable parameters (see `stimsynth.remove_grad`).
    loss_function
        Function of two outputs (metamer's, target's) to a scalar. It is called on one item at a time,
        with a batch dimension of 1.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, for torch optimizers. The default
        method keeps pixels inside exactly, so that the penalty is zero.
    allowed_range
        (low, high) for pixels, inclusive.
    initial_image
        Where to start; None for uniform noise inside `allowed_range`. Its height and width may differ from
        the target's if the model's output keeps its shape, as that of texture statistics does. With a
        batch of N starts, one target serves all; and a model that makes one output of several targets (a
        mixture) takes one start.
    target_representation
        The output to match, in place of the target image's; `image` may then be None, and an
        `initial_image` is needed. Mixtures of two textures are made in this way.
    penalties
        Further terms of the objective: functions of one image (batch of 1) to a scalar, or pairs of
        weight and function; in a list, or by name in a dict.
    seed
        Seed of the noise to start from, ``images.uniform_noise(shape, seed, allowed_range)``. None for one
        that is drawn from torch's global generator (see `stimsynth.set_seed`), so that every object starts
        elsewhere; it stands in the attribute `seed` and in the file.

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
        How each item ended, as `stimsynth.engine.run.Status`.

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

        Warns "Loss has converged, stopping synthesis" when all items have.

        Parameters
        ----------
        max_iter
            Steps to take now, at most.
        optimizer
            None for batched L-BFGS with pixels kept inside `allowed_range`. Otherwise a torch optimizer
            class (`torch.optim.Adam` gets ``lr=0.01, amsgrad=True`` unless told otherwise), any function
            of a list with one tensor that returns one, an optimizer built on ``[met.metamer]``, or a
            method of the engine. Must be None when continuing.
        scheduler
            Function of the optimizer that returns a learning-rate scheduler, or one built on the
            optimizer instance. Must be None when continuing.
        store_progress
            Keep every k-th iterate in `saved_metamer`; True is 1 and False is 0.
        stop_criterion
            An item stops when its objective changed, relative to itself, by less than this …
        stop_iters_to_check
            … over this many steps.
        optimizer_kwargs
            Arguments for an optimizer class.
        progress_file
            HDF5 file for what `store_progress` keeps, written as the run goes on; None for memory.
        stop_loss
            An item has converged once its loss (a row of `losses`) is this or less. What a model sees only a
            little of, such as the high frequencies of a blur, an optimizer brings to the target's last: to
            keep there what the start had, stop when the loss is low enough. None to go by the others.

        Raises
        ------
        InputError
            If an argument makes no sense, or the loss or its slope became NaN or infinite (all that was done
            until then is kept).
        """
        max_iter, stop_iters_to_check = check_steps(max_iter, stop_iters_to_check)
        self._resumable.settle(
            optimizer, scheduler, optimizer_kwargs, store_progress, progress_file
        )
        rule = LossConvergence(criterion=stop_criterion, window=stop_iters_to_check)
        self._resumable.advance(
            self._terms(self._model, self._target), max_iter, or_loss_reached(rule, stop_loss)
        )
