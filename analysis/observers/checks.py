"""Check numbers that people hand over: refused in one sentence, never by numpy's."""

import numpy as np
from numpy.typing import ArrayLike

from stimuli_store.errors import InputError


def as_numbers(value: ArrayLike, what: str) -> np.ndarray:
    """Return numbers as a float64 array of the same shape.

    Raises
    ------
    InputError
        If something is no number, or is missing (NaN).

    Examples
    --------
    >>> as_numbers([1, "2"], "d'")
    array([1., 2.])
    >>> as_numbers([1, None], "d'")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: d' must be numbers, none of them missing; not [1, None]
    """
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if np.isnan(numbers).any():
        raise InputError(f"{what} must be numbers, none of them missing; not {shortly(value)}")
    return numbers


def as_counts(**named: ArrayLike) -> list[np.ndarray]:
    """Return counts as float64 arrays of one shape.

    Raises
    ------
    InputError
        If one of them is no whole number of 0 or more, is a proportion, or the shapes differ.

    Examples
    --------
    >>> as_counts(n_correct=[0.5, 0.9], n_trials=[20, 20])
    Traceback (most recent call last):
    stimuli_store.errors.InputError: n_correct must be counts, not proportions such as 0.5; multiply by the
    number of trials
    """
    arrays = []
    for name, value in named.items():
        numbers = as_numbers(value, name)
        broken = (numbers < 0) | (numbers != np.floor(numbers)) | np.isinf(numbers)
        if broken.any():
            first = float(numbers[broken][0])
            if (broken | (numbers <= 1)).all() and 0 < first < 1:
                raise InputError(
                    f"{name} must be counts, not proportions such as {first:g}; multiply by the number of "
                    "trials"
                )
            raise InputError(f"{name} must be whole numbers of 0 or more; {first:g} was given")
        arrays.append(numbers)
    if len({array.shape for array in arrays}) > 1:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in zip(named, arrays, strict=True))
        raise InputError(f"counts must have one shape; these have {shapes}")
    return arrays


def shortly(value: object) -> str:
    """Return a value as text, cut if it is long.

    Examples
    --------
    >>> shortly([1] * 100)
    '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,…'
    """
    text = repr(value)
    return text if len(text) <= 60 else text[:57].rstrip() + "…"
