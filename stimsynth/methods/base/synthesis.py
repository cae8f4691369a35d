"""What every method that moves pixels step by step shows to its users."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from stimsynth.engine.run import Run, Status
from stimsynth.methods.base.device_move import goal_of_move
from stimsynth.methods.base.quality import Quality
from stimsynth.methods.base.resumable_run import ResumableRun
from stimsynth.methods.base.saving import LoadChecks, load_synthesis, save_synthesis
from stimsynth.validate.inputs import finite_number
from stimuli_store.errors import InputError, WrongType

Cast = Callable[[Tensor], Tensor]


class OptimizedSynthesis(ABC):
    """Images that are found by optimization, with the history of the search.

    A method of one's own defines the four abstract methods; running, continuing, saving and moving are
    here (see `docs/extending.md`).

    Parameters
    ----------
    resumable
        The run, at its start.
    range_penalty_lambda
        Weight of the penalty on pixels outside `allowed_range`, 0 or more.
    allowed_range
        (low, high), checked.

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

    def __init__(
        self,
        resumable: ResumableRun,
        range_penalty_lambda: float,
        allowed_range: tuple[float, float],
    ) -> None:
        _refuse_override(type(self))
        weight = finite_number(range_penalty_lambda, "range_penalty_lambda, which is 0 or more,")
        if weight < 0:
            raise InputError(f"range_penalty_lambda is 0 or more; not {range_penalty_lambda}")
        self._resumable, self._lambda = resumable, weight
        self._range = allowed_range

    @abstractmethod
    def synthesize(self, max_iter: int = 100) -> None:
        """Take up to `max_iter` steps, from where the last call stopped."""

    @abstractmethod
    def quality(self) -> tuple[Quality, ...]:
        """Return for every item whether it came out well, in numbers and in a sentence."""

    @abstractmethod
    def _identity(self) -> dict[str, Any]:
        """Return what a file and the object that loads it must share."""

    @abstractmethod
    def _move(self, cast: Cast, move: Callable[[nn.Module], nn.Module]) -> None:
        """Change precision or device of the object's own tensors and models."""

    @property
    def losses(self) -> Tensor:
        """Objective at every iterate, shape (steps + 1, batch); row 0 at the start."""
        return self._resumable.history("objective")

    @property
    def gradient_norm(self) -> Tensor:
        """Norm of the objective's gradient at every iterate (of its free part, at bounds)."""
        return self._resumable.history("gradient_norm")

    @property
    def pixel_change_norm(self) -> Tensor:
        """Norm of the change that led to every iterate."""
        return self._resumable.history("pixel_change_norm")

    @property
    def status(self) -> tuple[Status, ...]:
        """How each item ended."""
        return self._resumable.status

    @property
    def run(self) -> Run | None:
        """The run so far, as the engine hands it back; None before the first call."""
        return self._resumable.run

    @property
    def optimizer(self) -> Any:
        """The torch optimizer once synthesis began with one, else the method of the engine."""
        return self._resumable.optimizer

    @property
    def allowed_range(self) -> tuple[float, float]:
        """Range of pixel values."""
        return self._range

    @property
    def range_penalty_lambda(self) -> float:
        """Weight of the range penalty."""
        return self._lambda

    @property
    def store_progress(self) -> int:
        """Every how many steps an iterate is kept; 0 for never. It can be set until synthesis begins."""
        return self._resumable.store_progress

    @store_progress.setter
    def store_progress(self, every: bool | int) -> None:
        self._resumable.store_progress = every

    def save(self, file_path: str | os.PathLike[str]) -> None:
        """Write everything but models, metrics and losses to a file, as tensors and JSON.

        Parameters
        ----------
        file_path
            Where; an earlier file of this name is replaced in one step.

        Raises
        ------
        InputError
            If the folder is not there, or this is the progress file.
        """
        self._resumable.spare(file_path)
        save_synthesis(file_path, type(self).__name__, self._identity(), self._resumable.record())

    def load(
        self,
        file_path: str | os.PathLike[str],
        map_location: Any = None,
        *,
        raise_on_checks: bool = True,
        tensor_equality_atol: float = 1e-8,
        tensor_equality_rtol: float = 1e-5,
    ) -> None:
        """Become what was saved, to look at it or to go on. Returns nothing.

        Iterates in a progress file are looked for where it was, and beside this file. If they are in neither
        place, all else is loaded, with a `LoadWarning`.

        A run with a torch optimizer goes on with it, unless the file cannot name it (a class that is not
        in `torch.optim`, or any with a scheduler): then the next call of `synthesize` takes the optimizer
        and the scheduler again, and they continue where they were.

        Parameters
        ----------
        file_path
            What `save` wrote.
        map_location
            Device for all tensors; None for the one that they were saved from.
        raise_on_checks
            Raise an error if the file was saved from other images, models or settings; False for a
            `LoadWarning`.
        tensor_equality_atol, tensor_equality_rtol
            When tensors count as equal, as in `torch.allclose`.

        Raises
        ------
        ArchiveError
            (a ValueError) if there is no such file, it is damaged, or of another class.
        InputError
            (a ValueError) if the file does not fit this object (always if a precision or a device
            differs), or this object was used already.
        """
        checks = LoadChecks(
            raise_on_checks=raise_on_checks, atol=tensor_equality_atol, rtol=tensor_equality_rtol
        )
        kind = type(self).__name__
        used = self._resumable.run is not None
        content = load_synthesis(file_path, kind, self._identity(), map_location, checks, used=used)
        self._resumable.restore(content, Path(file_path).parent)

    def to(self, *args: Any, **kwargs: Any) -> None:
        """Change precision or device of everything, models included, in place; also in mid-run.

        Parameters
        ----------
        args, kwargs
            As for `torch.Tensor.to`: a device, a floating-point dtype, both, or a tensor to be like.
            Iterates that were kept stay on the CPU.

        Raises
        ------
        InputError
            If there is no such device or dtype, or the dtype is not a floating-point one.
        """
        start = self._resumable.start
        goal = goal_of_move(start, *args, **kwargs)

        def cast(tensor: Tensor) -> Tensor:
            return tensor.to(
                goal.device, goal.dtype if tensor.is_floating_point() else tensor.dtype
            )

        self._move(cast, lambda model: model.to(device=goal.device, dtype=goal.dtype))
        self._resumable.to(goal.dtype, goal.device)


def _refuse_override(kind: type) -> None:
    """Refuse a class that replaces an inherited `objective_function`, which synthesis only reports."""
    own = [base for base in kind.__mro__ if "objective_function" in vars(base)]
    if len(own) > 1:
        raise WrongType(
            f"{own[0].__name__} replaces the objective_function of {own[1].__name__}, which tells what is "
            "minimized and does not decide it; change the model, the loss or the penalties instead, or take "
            "OptimizedImage with an objective of your own (docs/extending.md)"
        )
