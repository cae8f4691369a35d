"""Results of a finished loop: status, history, snapshots and the method's state."""

import enum
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class Status(enum.Enum):
    """Outcome of one problem of a run; the value is the sentence shown to people."""

    RUNNING = "not finished yet"
    CONVERGED = "converged: the stop criterion is met"
    EXACT = "exact: the whole space was searched"
    PRECISE = "converged as far as this numerical precision goes"
    APPROXIMATE = "approximate: residuals are above the tolerance"
    STALLED = "stopped: the eigenvalues no longer change, but residuals are above the tolerance"
    OUT_OF_STEPS = "stopped at max_iter, before convergence"
    UNREACHED = "stopped: the held terms could not be brought to their values within the bounds"
    NOT_FINITE = "stopped: the objective or its gradient became NaN or infinite"
    INTERRUPTED = "interrupted, by the user or by an error; everything up to then is kept"

    @property
    def finished(self) -> bool:
        """True if further steps would change nothing."""
        return self in (
            Status.CONVERGED,
            Status.EXACT,
            Status.PRECISE,
            Status.UNREACHED,
            Status.NOT_FINITE,
        )


class Snapshots(Mapping[int, Tensor]):
    """Iterates by number, stored outside of memory."""

    @abstractmethod
    def __setitem__(self, number: int, points: Tensor) -> None:
        """Store an iterate, shape (N, …)."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Result of `iterate`: the points of N problems, how each ended, and their history.

    Attributes
    ----------
    points
        Current points, shape (N, …).
    status
        One status for each problem.
    history
        Tensors (steps + 1, N) by name: the terms, ``objective``, ``gradient_norm`` and
        ``pixel_change_norm``. Row i was measured at iterate i; row 0 is the start, where
        ``pixel_change_norm`` is 0.
    snapshots
        Copies of the points on the CPU, by iteration number.
    state
        State from which the method continues exactly where it stopped.
    """

    points: Tensor
    status: tuple[Status, ...]
    history: Mapping[str, Tensor]
    snapshots: Mapping[int, Tensor]
    state: Any

    @property
    def n_steps(self) -> int:
        """Number of steps so far, over all legs."""
        return len(self.history["objective"]) - 1
