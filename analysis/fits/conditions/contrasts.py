"""Contrasts: differences and ratios of a quantity between conditions, corrected over the family of pairs.

Paired within participants where fits are by participant and condition: the interval is Student's, over
the participants' own differences, and speaks for new people. Otherwise the intervals of two fits are
combined (MOVER; Zou & Donner 2008, Statistics in Medicine 27, 1693), and speak for these people only.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit

from analysis.data.kinds import given_fits
from analysis.fits.conditions.contrast_record import Contrast, Contrasts
from analysis.fits.fit import Fit
from analysis.fits.groups import Fits
from analysis.infer.estimates import Estimate
from analysis.infer.holm import holm
from analysis.infer.population import whom
from analysis.observers.counted.proportions import Z95
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_text, one_of, optional, takes

_FEWEST = 3
_SAME = 1e-9  # spread of the participants' differences that is rounding only


def _free(fit: Fit, name: str) -> Estimate:
    """Return a free parameter of a fit; raise InputError if it was fixed."""
    if name not in fit.parameters:
        raise InputError(f"the {name} of these fits was fixed, so conditions cannot differ in it")
    return fit.parameters[name]


#: Quantities by name: from a fit to its estimate, and whether conditions are compared by their ratio.
QUANTITIES: dict[str, tuple[Callable[[Fit], Estimate], bool]] = {
    "threshold": (lambda fit: Estimate(value=fit.threshold, low=fit.low, high=fit.high), True),
    "width": (lambda fit: _free(fit, "width"), True),
    "slope": (lambda fit: fit.slope_at(fit.p), True),
    "lapse": (lambda fit: _free(fit, "lapse"), False),
}


@takes(
    fits=given_fits,
    between=a_text,
    quantity=one_of(*QUANTITIES),
    scale=optional(one_of("ratio", "difference")),
)
def contrasts(
    fits: Fits, between: str, quantity: str = "threshold", *, scale: str | None = None
) -> Contrasts:
    """Return the contrasts of all pairs of conditions.

    Parameters
    ----------
    fits
        From `fit`, by the condition; also by participant for contrasts within participants.
    between
        Column of the condition.
    quantity
        ``"threshold"``, ``"width"``, ``"slope"`` or ``"lapse"``. Slopes are by the position on the axis, per
        octave on the log axis (`Fit.slope_at`); per level their ratio is that divided by that of thresholds.
    scale
        ``"ratio"`` or ``"difference"``; None (default) for the ratio of quantities above 0, and the
        difference of lapse rates and of thresholds that are not above 0.

    Raises
    ------
    InputError
        If a name is unknown, there are not two conditions, the fits are also by another column than the
        participant, or too few participants have a value in both conditions.

    Examples
    --------
    >>> from analysis.data.reading import read_trials
    >>> from analysis.fits.groups import fit
    >>> import pandas as pd
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 30, 41])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = contrasts(fit(read_trials(table, task="2afc"), by="condition"), "condition")
    >>> found["a", "b"].estimate.high < 1
    True
    """
    others = [name for name in fits.by if name not in (between, fits.person)]
    conditions = list(dict.fromkeys(fits.values_of(between)))
    if others:
        raise InputError(
            f"these fits are also by {', '.join(others)}; choose one value with fits.only({others[0]}=...)"
        )
    if len(conditions) < 2:
        raise InputError(f"a contrast needs two conditions; {between} has {len(conditions)}")
    read, ratio = QUANTITIES[quantity]
    known = {key: _measured(read(fit)) for key, fit in fits.items()}
    if scale is None:
        above = all(fit.counts.levels.min() > 0 for fit in fits)
        scale = "ratio" if ratio and above else "difference"
    made = _paired if fits.person not in ("", between) else _of_two
    rows, left_out = [], []
    for first, second in combinations(sorted(conditions, key=str), 2):
        row, without = made(fits, known, (between, first, second), scale)
        rows.append((first, second, *row, len(without) if row[2] else 0))
        left_out += without
    corrected = holm([row[3] for row in rows])
    return Contrasts(
        rows=tuple(
            Contrast(
                first=first,
                second=second,
                quantity=quantity,
                scale=scale,
                estimate=estimate,
                p_value=p,
                p_holm=p_holm,
                n=n,
                for_whom=for_whom,
                n_left_out=n_left_out,
            )
            for (first, second, estimate, p, n, for_whom, n_left_out), p_holm in zip(
                rows, corrected, strict=True
            )
        ),
        left_out=tuple(dict.fromkeys(left_out)),
    )


_Row = tuple[Estimate, float, int, str]
_Pair = tuple[str, Any, Any]


def _measured(estimate: Estimate) -> Estimate:
    """Return an estimate, or one without a value if the answers bound it on one side only."""
    ends = (estimate.value, estimate.low, estimate.high)
    if np.isfinite(ends).all() and estimate.low < estimate.high:
        return estimate
    return Estimate(value=np.nan, low=-np.inf, high=np.inf)


def _paired(
    fits: Fits, known: dict[Any, Estimate], pair: _Pair, scale: str
) -> tuple[_Row, list[str]]:
    """Return the mean of the participants' own differences, on a logarithm for ratios."""
    between, first, second = pair
    person, condition = fits.by.index(fits.person), fits.by.index(between)
    values: dict[Any, dict[Any, float]] = {}
    for key, estimate in known.items():
        values.setdefault(key[person], {})[key[condition]] = _on(scale, estimate.value)
    differences, without = [], []
    for name, own in values.items():
        difference = own.get(first, np.nan) - own.get(second, np.nan)
        if np.isfinite(difference):
            differences.append(difference)
        else:
            without.append(str(name))
    n = len(differences)
    if n < _FEWEST:
        raise InputError(
            f"{n} participants have a bounded value in both {first} and {second}; a contrast within "
            f"participants needs {_FEWEST}; fit(answers, by={between!r}) compares their answers together"
        )
    estimate, p = _over_people(np.array(differences), scale)
    for_whom = whom(n, min(fits.n_images, 1))
    if without:  # who is left out depends on the answers, so the others are no sample
        have = "has" if len(without) == 1 else "have"
        for_whom = (
            f"these {n} participants only: {len(without)} more {have} no bounded value in both"
        )
    if not np.isfinite(estimate.low):
        for_whom = f"nobody: these {n} participants have the same {scale}, so their spread is not determined"
    return (estimate, p, n, for_whom), without


def _over_people(differences: np.ndarray, scale: str) -> tuple[Estimate, float]:
    """Return the mean with Student's interval, and p; no interval for people who differ by rounding only."""
    n = len(differences)
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1) / np.sqrt(n))
    rounding = _SAME * (1.0 if scale == "ratio" else float(np.abs(differences).max()))
    if error <= rounding:
        return Estimate(value=_back(scale, mean, mean, mean).value, low=-np.inf, high=np.inf), 1.0
    half = float(stdtrit(n - 1, 0.975)) * error
    return _back(scale, mean, mean - half, mean + half), float(2 * stdtr(n - 1, -abs(mean) / error))


def _of_two(
    fits: Fits, known: dict[Any, Estimate], pair: _Pair, scale: str
) -> tuple[_Row, list[str]]:
    """Return the difference of two estimates, from their own intervals."""
    between, first, second = pair
    place, these = fits.by.index(between), whom(1, min(fits.n_images, 1))
    one, other = (
        next(e for key, e in known.items() if key[place] == name) for name in (first, second)
    )
    a, a_low, a_high = (_on(scale, v) for v in (one.value, one.low, one.high))
    b, b_low, b_high = (_on(scale, v) for v in (other.value, other.low, other.high))
    if not np.isfinite([a, b]).all():
        name = first if not np.isfinite(a) else second
        open_ended = Estimate(value=np.nan, low=-np.inf, high=np.inf)
        return (open_ended, 1.0, 0, these), [str(name)]
    low, high = a - b - np.hypot(a - a_low, b_high - b), a - b + np.hypot(a_high - a, b - b_low)
    # The standard error on the side of no difference.
    error = (a - b - low if a > b else high - (a - b)) / Z95
    p = float(2 * ndtr(-abs(a - b) / error)) if error > 0 else float(a == b)
    return (_back(scale, a - b, low, high), p, 0, these), []


def _on(scale: str, value: float) -> float:
    """Return a value on the scale on which it is subtracted: its logarithm for ratios."""
    if scale == "difference":
        return value
    return float(np.log(value)) if value > 0 else -np.inf


def _back(scale: str, value: float, low: float, high: float) -> Estimate:
    if scale == "difference":
        return Estimate(value=float(value), low=float(low), high=float(high))
    value, low, high = (float(np.exp(min(v, 700.0))) for v in (value, low, high))
    return Estimate(value=value, low=low, high=high)
