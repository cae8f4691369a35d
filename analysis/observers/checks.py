"""Check numbers and counts that people hand over: refused in one sentence, never by numpy's."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

MOST_TRIALS = 1e9
_FEWEST = 2  # counts; of a single one nobody knows whether 1 is a count or a proportion
_GUESSING, _NEVER = 1 / 6, 1e-3  # counts that guessing among six gives more rarely are no counts


def numbers_of(values: ArrayLike, name: str) -> np.ndarray:
    """Return values as a float64 array of the same shape; NaN, infinity and booleans are numbers.

    Raises
    ------
    InputError
        If one of them is text, None, or another thing that is no number.

    Examples
    --------
    >>> numbers_of(["1,5", "2"], "levels")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: levels must be numbers; '1,5' is none (convert decimal commas first)
    """
    made = np.asarray(values, dtype=None if hasattr(values, "dtype") else object)
    if made.dtype.kind not in "fiub" and not all(map(_is_number, made.ravel())):
        wrong = next(v for v in made.ravel() if not _is_number(v))
        comma = " (convert decimal commas first)" if "," in str(wrong) else ""
        raise InputError(f"{name} must be numbers; {briefly(wrong)} is none{comma}")
    try:
        return made.astype(np.float64)
    except OverflowError:
        raise InputError(f"{name} must be numbers; one is too large to compute with") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_) and not isinstance(value, complex)


def as_numbers(value: ArrayLike, what: str) -> np.ndarray:
    """Return numbers as a float64 array of the same shape, none of which is missing.

    Raises
    ------
    InputError
        If something is no number, or is missing (NaN).

    Examples
    --------
    >>> as_numbers([1, 2], "d'")
    array([1., 2.])
    >>> as_numbers([1, float("nan")], "d'")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: d' must be numbers, none of them missing; not [1, nan]
    """
    numbers = numbers_of(value, what)
    if np.isnan(numbers).any():
        raise InputError(f"{what} must be numbers, none of them missing; not {briefly(value)}")
    return numbers


def as_counts(**named: ArrayLike) -> list[np.ndarray]:
    """Return counts as float64 arrays of one shape.

    Raises
    ------
    InputError
        If one of them is no whole number of 0 to a billion, is a proportion, or the shapes differ.

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
        check_whole(numbers, name)
        arrays.append(numbers)
    if len({array.shape for array in arrays}) > 1:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in zip(named, arrays, strict=True))
        raise InputError(f"counts must have one shape; these have {shapes}")
    return arrays


def right_of_trials(n_correct: ArrayLike, n_trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of right answers and of trials as float64 arrays of one shape.

    Raises
    ------
    InputError
        As `as_counts`, or if there are more right answers than trials, or no trial.

    Examples
    --------
    >>> right_of_trials(5, 4)
    Traceback (most recent call last):
    stimuli_store.errors.InputError: 5 right answers of 4 trials are not valid counts; give 0 <= n_correct <=
    n_trials, and at least one trial
    """
    k, n = as_counts(n_correct=n_correct, n_trials=n_trials)
    wrong = np.flatnonzero((k > n) | (n < 1))
    if wrong.size:
        right, total = k.flat[wrong[0]], n.flat[wrong[0]]
        raise InputError(
            f"{right:.0f} right answers of {total:.0f} trials are not valid counts; give 0 <= n_correct <= "
            "n_trials, and at least one trial"
        )
    return k, n


def check_one_row(counts: np.ndarray) -> None:
    """Check that counts are one row of numbers, (N,).

    Raises
    ------
    InputError
        If they have another shape.
    """
    if counts.ndim != 1:
        raise InputError(f"counts must be one row of numbers, (N,); their shape is {counts.shape}")


def check_whole(counts: np.ndarray, name: str) -> None:
    """Check that counts are whole numbers from 0 to a billion.

    Raises
    ------
    InputError
        If they are not; proportions in the place of counts are named as such.
    """
    broken = counts[~((counts >= 0) & (counts == np.floor(counts)) & (counts <= MOST_TRIALS))]
    if not broken.size:
        return
    first = float(broken[0])
    if 0 < first < 1 and (counts <= 1).all():
        raise InputError(
            f"{name} must be counts, not proportions such as {first:g}; multiply by the number of trials"
        )
    if MOST_TRIALS < first < np.inf:
        raise InputError(f"{name} must be at most {MOST_TRIALS:.0e} in a row; {first:g} was given")
    raise InputError(f"{name} must be whole numbers of 0 or more; {first:g} was given")


def check_counts(n_correct: np.ndarray, n_trials: np.ndarray) -> None:
    """Check that counts (..., L) are whole numbers, 0 <= n_correct <= n_trials, of at least one trial.

    Raises
    ------
    InputError
        If they are not; proportions in the place of numbers correct are named as such.
    """
    if not ((n_correct >= 0) & (n_correct <= n_trials)).all():
        raise InputError("n_correct must lie between 0 and n_trials at every level")
    check_whole(n_correct, "n_correct")
    check_whole(n_trials, "n_trials")
    if not (n_trials.sum(axis=-1) > 0).all():
        raise InputError("there is no trial to fit; give at least one level with n_trials above 0")


def check_no_shares(n_correct: np.ndarray, n_trials: np.ndarray) -> None:
    """Check that numbers right of several trials are not proportions of 0 and 1.

    Counts of 0 and 1 are taken for proportions if most are 1, and somebody who guesses among six alternatives
    would be right so rarely only once in a thousand times.

    Raises
    ------
    InputError
        If they seem to be proportions.

    Examples
    --------
    >>> check_no_shares(np.array([0.0, 1.0, 1.0]), np.array([40.0, 40.0, 40.0]))
    Traceback (most recent call last):
    stimuli_store.errors.InputError: n_correct seems to hold proportions correct: 2 answers of 120 would be
    right, and none is above 1; give numbers of right answers, or a row for each trial
    """
    used = n_trials > 0
    right, total = n_correct[used], n_trials[used]
    if right.size < _FEWEST or right.max() != 1 or right.mean() <= 0.5 or total.min() <= 1:
        return
    if bdtr(right.sum(), int(total.sum()), _GUESSING) < _NEVER:
        raise InputError(
            f"n_correct seems to hold proportions correct: {right.sum():g} answers of {total.sum():g} would "
            "be right, and none is above 1; give numbers of right answers, or a row for each trial"
        )
