"""Asymptotes of a psychometric function: fixed, free, or tied to each other."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import briefly

FREE, TIED, SHARED = "free", "tied", "shared"
_LOW, _HIGH = (
    -30.0,
    14.0,
)  # ends of an unconstrained rate, so that its curve stays below its asymptote


@dataclass(frozen=True, kw_only=True)
class Asymptotes:
    """Guess and lapse rate as sums of a fixed part and of free rates.

    Attributes
    ----------
    names
        Free rates (J of them): ``lapse``, ``guess``, both or none; a tied pair is called ``lapse``.
    guess, lapse
        Fixed parts.
    in_guess, in_lapse
        1 where a free rate adds to the guess rate and to the lapse rate, else 0 (each J numbers).
    """

    names: tuple[str, ...]
    guess: float
    lapse: float
    in_guess: tuple[float, ...]
    in_lapse: tuple[float, ...]

    @cached_property
    def shares(self) -> np.ndarray:
        """Shares (2, J) of the free rates in the guess and in the lapse rate."""
        return np.array([self.in_guess, self.in_lapse], dtype=np.float64)

    def guess_and_room(self, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the guess rate and the distance between the asymptotes (B,) for free rates (B, J)."""
        added = rates @ self.shares.T
        guess = self.guess + added[:, 0]
        return guess, 1 - self.lapse - guess - added[:, 1]

    def tops(self, p: float | None) -> np.ndarray:
        """Return the largest free rates (J,) with which a curve reaches `p` (None: any curve)."""
        if p is None:
            each = (1 - self.guess - self.lapse) / max(self.shares.sum(), 1.0)
            return np.full(len(self.names), each)
        room = np.array([[p - self.guess], [1 - self.lapse - p]])
        return np.where(self.shares > 0, room, np.inf).min(axis=0)


def asymptotes_of(guess: float | str, lapse: float | str) -> Asymptotes:
    """Return the asymptotes that two settings name.

    Parameters
    ----------
    guess
        A number for a rate that the task or the user fixes; ``"free"`` where it is estimated, as in yes/no;
        ``"tied"`` where it equals the lapse rate.
    lapse
        A number or ``"free"``; ``"shared"`` is free, and the same for all data sets of a fit.

    Raises
    ------
    InputError
        If a setting is neither a number nor one of these words, or the rates leave no room.

    Examples
    --------
    >>> asymptotes_of(0.5, "free").names, asymptotes_of("free", 0.0).names
    (('lapse',), ('guess',))
    """
    low = _rate("guess", guess, (FREE, TIED))
    high = _rate("lapse", lapse, (FREE, SHARED))
    high = FREE if high == SHARED else high
    if low == TIED:
        tied = Asymptotes(names=("lapse",), guess=0, lapse=0, in_guess=(1,), in_lapse=(1,))
        return tied if high == FREE else asymptotes_of(high, high)
    free = [name for name, rate in (("lapse", high), ("guess", low)) if rate == FREE]
    fixed = [0.0 if rate == FREE else float(rate) for rate in (low, high)]
    if sum(fixed) >= 1:
        raise InputError(
            f"guess and lapse rates must have a sum below 1; guess={guess!r}, lapse={lapse!r} were given"
        )
    return Asymptotes(
        names=tuple(free),
        guess=fixed[0],
        lapse=fixed[1],
        in_guess=tuple(float(name == "guess") for name in free),
        in_lapse=tuple(float(name == "lapse") for name in free),
    )


def _rate(what: str, given: float | str, words: tuple[str, ...]) -> float | str:
    expected = f"{what} must be a number from 0 to below 1, or {' or '.join(map(repr, words))}"
    if isinstance(given, str):
        if given not in words:
            raise unknown_name(f"setting of {what}", given, ["a number", *words])
        return given
    if isinstance(given, bool) or not isinstance(given, int | float | np.number):
        raise InputError(f"{expected}; not {briefly(given)}")
    if not 0 <= given < 1:
        raise InputError(f"{expected}; not {briefly(given)}")
    return float(given)


def rates_of(u: np.ndarray, tops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rates between 0 and `tops` (J,) for unconstrained numbers (B, J), and their derivatives."""
    share = 1 / (1 + np.exp(-np.clip(u, _LOW, _HIGH)))
    return tops * share, tops * share * (1 - share)


def unconstrained(rates: np.ndarray, tops: np.ndarray) -> np.ndarray:
    """Return the unconstrained numbers of rates (the inverse of `rates_of`), moved inside their range."""
    share = np.clip(rates / tops, 1e-9, 1 - 1e-6)
    return np.log(share) - np.log1p(-share)
