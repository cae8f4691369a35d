"""Estimates: a value with its interval."""

from dataclasses import dataclass

from stimuli_store.tools.shown import FieldTable


@dataclass(frozen=True, kw_only=True)
class Estimate(FieldTable):
    """A value with the ends of its 95 % interval, both infinite where the data exclude nothing.

    Attributes
    ----------
    value
        The estimate.
    low, high
        Ends of its 95 % interval, in the same unit; infinite where the data exclude nothing on that side.

    Examples
    --------
    >>> Estimate(value=12.34567, low=10.0, high=float("inf"))
    12.3 [10, inf]
    """

    value: float
    low: float
    high: float

    def __repr__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"
