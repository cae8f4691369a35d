"""Base class of the methods that optimize pixels: settings, history, saving and moving."""

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from stimsynth.engine.loop import Method
from stimsynth.engine.problem import Terms
from stimsynth.engine.run import Run, Status
from stimsynth.losses import penalize_range
from stimsynth.methods.base.at_iteration import IterateRecord, Selection, record_at
from stimsynth.methods.base.device_move import goal_of_move, moved_copy
from stimsynth.methods.base.fingerprints import fingerprint
from stimsynth.methods.base.in_notebook import described, described_in_html
from stimsynth.methods.base.penalties import Penalties, Penalty
from stimsynth.methods.base.per_item import per_item
from stimsynth.methods.base.quality import Quality
from stimsynth.methods.base.resumable_run import HERE, ResumableRun
from stimsynth.methods.base.savable import SavableSynthesis
from stimsynth.methods.base.saving import LoadChecks, as_archive, difference
from stimsynth.numerics.numbers import real_number
from stimuli_store.errors import InputError, WrongType

Cast = Callable[[Tensor], Tensor]
Move = Callable[[Any], Any]


class OptimizedSynthesis(SavableSynthesis):
    """Base class of the syntheses that find images by optimization.

    A subclass defines the three abstract methods, and names the settings that a file and the object that
    loads it must share. This class runs, continues, saves and moves it (see `docs/extending.md`).

    Parameters
    ----------
    resumable
        The run, before its first step.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, 0 or more.
    allowed_range
        (low, high), already checked.
    penalties
        Further terms of the objective; None for none.

    Raises
    ------
    WrongType
        (also a TypeError) if a subclass replaces the `objective_function` of its parent.

    Examples
    --------
    >>> from stimsynth import Geodesic, MADCompetition, Metamer, OptimizedImage
    >>> all(issubclass(c, OptimizedSynthesis) for c in (Geodesic, MADCompetition, Metamer, OptimizedImage))
    True
    """

    _shared: ClassVar[dict[str, str]] = {
        "range_penalty_lambda": "_lambda",
        "allowed_range": "_range",
        "penalties": "_penalty_weights",
    }

    def __init__(
        self,
        resumable: ResumableRun,
        range_penalty_lambda: float,
        allowed_range: tuple[float, float],
        penalties: Penalties | None = None,
    ) -> None:
        _refuse_override(type(self))
        self._lambda = real_number(range_penalty_lambda, "range_penalty_lambda", 0)
        self._resumable = resumable
        self._range = allowed_range
        resumable.about = self._about
        self._penalty_weights: dict[str, float] = penalties.weights if penalties else {}
        self._penalties: tuple[Penalty, ...] = penalties.functions if penalties else ()

    @abstractmethod
    def synthesize(self, max_iter: int = 100) -> None:
        """Take up to `max_iter` steps, from where the last call stopped."""

    @abstractmethod
    def quality(self) -> tuple[Quality, ...]:
        """Return a verdict for each image of the batch: numbers, a sentence, and whether it is good."""

    @abstractmethod
    def _move(self, cast: Cast, move: Move) -> None:
        """Change precision or device of the tensors, models and other functions that the subclass holds.

        `cast` returns a tensor, and `move` a function, in the new precision and on the new device. Only
        functions that are modules change. The base class moves the penalties.
        """

    def _default_method(self) -> Method:
        """Return the method that ``synthesize`` uses without an optimizer."""
        return self._resumable.default

    def _penalty_terms(self, points: Tensor) -> Terms:
        """Return the range penalty and the user's penalties by name, shape (batch,) each."""
        outside = per_item(lambda x: penalize_range(x, self._range), points)
        own = zip(self._penalty_weights, self._penalties, strict=True)
        return {"penalty": outside, **{name: per_item(f, points) for name, f in own}}

    def _weights(self) -> dict[str, float]:
        """Return the weights of `_penalty_terms` by name."""
        return {"penalty": self._lambda, **self._penalty_weights}

    def _functions(self) -> dict[str, Any]:
        one = self._resumable.origin[:1]
        return {"penalties": [fingerprint(f, one, self._range) for f in self._penalties]}

    def _content(self) -> dict[str, Any]:
        return self._resumable.record()

    def _about(self) -> tuple[Mapping[str, Any], Mapping[str, np.ndarray]]:
        """Return document and arrays that describe this synthesis in a file of iterates."""
        tree = self._tree()
        here = {**tree["content"], "progress_file": HERE}
        return as_archive(type(self).__name__, {**tree, "content": here})

    def _begun(self) -> bool:
        return self._resumable.run is not None

    def _restore(self, content: dict[str, Any], path: Path) -> None:
        start, own = content["origin"], self._resumable.origin
        difference(start[:1], own[:1], LoadChecks())  # raises for another precision or device
        if len(self._penalty_weights) != len(self._penalties):
            raise InputError(
                f"the file is of a synthesis with {len(self._penalty_weights)} penalties and this object has "
                f"{len(self._penalties)}; a file holds no functions, so give as many penalties as it has"
            )
        resumable = ResumableRun(start, self._default_method())
        resumable.wrap, resumable.about = self._resumable.wrap, self._about
        resumable.restore(content, path)
        self._resumable = resumable

    def save(self, file_path: str | os.PathLike[str]) -> None:  # noqa: D102  (as in the base)
        self._resumable.spare(file_path)
        super().save(file_path)

    def __repr__(self) -> str:
        """Return the class, the shape of the images, steps, mean loss and status in a line."""
        losses = self.losses if self._begun() else None
        return described(type(self).__name__, self._resumable.points, losses, self.status)

    def _repr_html_(self) -> str:
        losses = self.losses if self._begun() else None
        points = self._resumable.points
        return described_in_html(type(self).__name__, points, losses, self.status, self._range)

    @property
    def losses(self) -> Tensor:
        """Objective at every iterate, shape (steps + 1, batch); row 0 at the start."""
        return self._resumable.history("objective")

    @property
    def gradient_norm(self) -> Tensor:
        """Norm of the objective's gradient at every iterate, shape (steps + 1, batch).

        Components that would push a pixel across a bound of the method do not count.
        """
        return self._resumable.history("gradient_norm")

    @property
    def pixel_change_norm(self) -> Tensor:
        """Norm of the pixel change of every step, shape (steps + 1, batch); 0 in row 0."""
        return self._resumable.history("pixel_change_norm")

    @property
    def status(self) -> tuple[Status, ...]:
        """Status of each image of the batch, or of each start."""
        return self._resumable.status

    @property
    def run(self) -> Run | None:
        """Run of the engine so far; None before the first call."""
        return self._resumable.run

    @property
    def optimizer(self) -> Any:
        """The torch optimizer in use, or else the method of the engine; None before the first call."""
        return self._resumable.optimizer

    def get_progress(
        self, iteration: int | None = None, iteration_selection: Selection = "round"
    ) -> IterateRecord:
        """Return the measurements at one iteration, with the iterate, or the nearest one that is kept.

        The start, the current result and the iterates of `store_progress` are kept.

        Parameters
        ----------
        iteration
            Number of the iteration; negative numbers count from the end, None is the last.
        iteration_selection
            Iterate to take where that of `iteration` is not kept: the nearest before (``"floor"``), the
            nearest after (``"ceiling"``), or the nearest (``"round"``; of two as near, the one before).

        Raises
        ------
        InputError
            If there is no such iteration or selection.

        Examples
        --------
        >>> from stimsynth import Gaussian, Metamer, images, remove_grad
        >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7)), seed=0)
        >>> met.synthesize(max_iter=10, store_progress=4, stop_criterion=0)
        >>> at = met.get_progress(7)
        >>> at.iteration, at.points_iteration, at.points.shape, bool(at.losses == met.losses[7])
        (7, 8, torch.Size([1, 1, 32, 32]), True)
        """
        return record_at(
            self._resumable.run, self._resumable.origin, iteration, iteration_selection
        )

    @property
    def allowed_range(self) -> tuple[float, float]:
        """Range (low, high) of pixel values."""
        return self._range

    @property
    def range_penalty_lambda(self) -> float:
        """Weight of the penalty on pixels outside `allowed_range`."""
        return self._lambda

    @property
    def store_progress(self) -> int:
        """Interval in steps between stored iterates; 0 stores none. It can be set until synthesis begins."""
        return self._resumable.store_progress

    @store_progress.setter
    def store_progress(self, every: bool | int) -> None:
        self._resumable.store_progress = every

    def to(self, *args: Any, **kwargs: Any) -> None:
        """Change precision or device of images, models and optimizer state, in place, also during a run.

        Models and metrics are moved as copies, so that other objects that share them do not change.

        Parameters
        ----------
        args, kwargs
            As for `torch.Tensor.to`: a device, a floating-point dtype, both, or a tensor that has them.
            Stored iterates stay on the CPU.

        Raises
        ------
        InputError
            If the device or dtype does not exist, the dtype is not a floating-point one, or a model cannot be
            copied.
        """
        start = self._resumable.start
        goal = goal_of_move(start, *args, **kwargs)

        def cast(tensor: Tensor) -> Tensor:
            return tensor.to(
                goal.device, goal.dtype if tensor.is_floating_point() else tensor.dtype
            )

        def move(function: Any) -> Any:
            return moved_copy(function, goal) if isinstance(function, nn.Module) else function

        penalties = tuple(map(move, self._penalties))
        self._move(cast, move)
        self._penalties = penalties
        self._resumable.to(goal.dtype, goal.device)


def _refuse_override(kind: type) -> None:
    """Raise an error for a class that overrides an inherited `objective_function`."""
    own = [base for base in kind.__mro__ if "objective_function" in vars(base)]
    if len(own) > 1:
        raise WrongType(
            f"{own[0].__name__} overrides the objective_function of {own[1].__name__}, which reports the "
            "objective but does not set it; change the model, the loss or the penalties, "
            "or use OptimizedImage with your own objective (docs/extending.md)"
        )
