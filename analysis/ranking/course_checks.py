"""Checks of how answers depend on what the models do not know: order, late frames, which picture is odd."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, stdtr, stdtrit

from analysis.data.cell_counts import telling_columns
from analysis.observers.counted.proportions import Z95
from analysis.ranking.diagnostics import Diagnostic, not_checked
from stimuli_store.tasks.types import Task

_SURE = 0.01  # p below which a check is alarming
_FEWEST = 3  # participants whose slopes show their own spread
_SAME = 1e-9  # spread of slopes, as a share of the largest, that is rounding only
_DROPPED = "dropped_frames"
_INTERVAL, _STIMULUS = "interval_", "stimulus_"
#: The two sorts of odd pictures where no column names them; a target is the first of its pair.
_FIRST = "the first of its pair (the target, if there is one)"
_SECOND = "the second of its pair"
#: Column that says which picture of a trial is the odd one.
ODD = "odd"


def drift(rows: pd.DataFrame, conditions: Sequence[str], *, in_time: bool) -> Diagnostic:
    """Return the change of proportion correct from a session's first trial to its last.

    It is the slope of the answers, minus the proportion correct of all participants at the trial's task,
    level and condition, against the place in the session, minus the mean place of the session's trials in
    that condition: conditions that were run in blocks are no drift. Its interval and p-value are those of the
    mean slope over participants (Student's t). With fewer than three, or slopes that are all the same, they
    come from the slopes' binomial errors.

    Parameters
    ----------
    rows
        Columns n_correct, n_trials, participant, session, order, task, level and those of the conditions.
    conditions
        Columns that may tell conditions apart (`telling_columns`).
    in_time
        Whether ``order`` is the order of time; without it nothing is checked.
    """
    single = rows[(rows["n_trials"] == 1)]
    if len(single) < 3:
        return not_checked("drift", "there are counts only, or hardly a trial")
    if not in_time:
        return not_checked("drift", "no column (role order) says in which order the trials came")
    right = single["n_correct"]
    told = [n for n in telling_columns(single, conditions) if n not in (ODD, _DROPPED)]
    cells = _codes(single, ["task", "level", *told])
    rest = right.to_numpy() - (np.bincount(cells, right) / np.bincount(cells))[cells]
    sitting = _codes(single, ["participant", "session"])
    place = _places(single["order"].to_numpy(dtype=np.float64), sitting)
    block = _codes(single, ["participant", "session", "task", *told])
    at = place - (np.bincount(block, place) / np.bincount(block))[block]
    person = pd.factorize(single["participant"])[0]
    by_person = [np.bincount(person, v) for v in (at * rest, at**2)]
    used = by_person[1] > _SAME
    if not used.any():
        return not_checked("drift", "no session has two trials of one condition in a known order")
    slopes = by_person[0][used] / by_person[1][used]
    # One right and one wrong answer more, so that somebody who was always right has an error too.
    middle = (np.bincount(person, single["n_correct"].to_numpy()) + 1) / (np.bincount(person) + 2)
    errors = np.sqrt((middle * (1 - middle))[used] / by_person[1][used])
    value, low, high, p = _mean(slopes, errors)
    # A fall is written as a number above 0, and so is its interval.
    direction, ends = ("rises", (low, high)) if value >= 0 else ("falls", (-high, -low))
    within = f", each value of {' and '.join(told)} by itself" if told else ""
    return Diagnostic(
        name="drift",
        sentence=f"proportion correct {direction} by {100 * abs(value):.1f} % from the first to the last "
        f"trial of a session{within}, 95 % interval [{100 * ends[0]:.1f} %, {100 * ends[1]:.1f} %]",
        p=p,
        value=value,
        low=low,
        high=high,
        alarming=p <= _SURE,
    )


def _codes(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return the number of each row's combination of values in some columns."""
    return rows.groupby(columns, observed=True, dropna=False).ngroup().to_numpy()


def _places(place: np.ndarray, sitting: np.ndarray) -> np.ndarray:
    """Return places from 0 (the first trial of a session) to 1 (the last)."""
    first, last = (np.full(sitting.max() + 1, v) for v in (np.inf, -np.inf))
    np.minimum.at(first, sitting, place)
    np.maximum.at(last, sitting, place)
    long = np.where(last > first, last - first, 1.0)
    return (place - first[sitting]) / long[sitting]


def _mean(values: np.ndarray, errors: np.ndarray) -> tuple[float, float, float, float]:
    """Return the mean of values with the ends of its 95 % interval and the p-value of 0."""
    n, mean = len(values), float(values.mean())
    if n < _FEWEST or np.ptp(values) <= _SAME * np.abs(values).max():
        error = float(np.sqrt((errors**2).sum()) / n)
        half, tail = Z95 * error, ndtr
    else:
        error = float(values.std(ddof=1) / np.sqrt(n))
        half, tail = float(stdtrit(n - 1, 0.975)) * error, lambda t: stdtr(n - 1, t)
    return mean, mean - half, mean + half, float(2 * tail(-abs(mean) / error))


def timing(rows: pd.DataFrame) -> Diagnostic:
    """Return how many trials had frames that came late, and whether they were answered differently."""
    if _DROPPED not in rows:
        return not_checked("timing", "the answers do not say which frames came late")
    late = rows[_DROPPED].fillna(0).to_numpy(dtype=np.float64) > 0
    trials = rows["n_trials"].to_numpy(dtype=np.float64)
    share = float(trials[late].sum() / max(trials.sum(), 1.0))
    said = f"{100 * share:.1f} % of the answered trials had a frame that came late"
    if not late.any() or late.all():
        return Diagnostic(name="timing", sentence=said, value=share)
    ratio = common_odds_ratio(rows, late, ["participant", "task", "level"])
    if ratio is None:
        return Diagnostic(name="timing", sentence=said, value=share)
    value, low, high, p = ratio
    return Diagnostic(
        name="timing",
        sentence=f"{said}; the odds of a right answer are {value:.2f} times those of other trials, 95 % "
        f"interval [{low:.2f}, {high:.2f}]",
        p=p,
        value=value,
        low=low,
        high=high,
        alarming=p <= _SURE,
    )


def oddball_asymmetry(rows: pd.DataFrame, tasks: Mapping[str, Task]) -> Diagnostic:
    """Return whether the odd picture is found more easily when it is one of the two sorts.

    The sort stands in a column ``odd``, or is the role that fills fewer intervals of the trial. Trials of one
    participant, image, task and level are compared (Mantel & Haenszel 1959, Journal of the National Cancer
    Institute 22, 719).
    """
    odd = (
        rows[ODD].astype("string").map(repr, na_action="ignore")
        if ODD in rows
        else _odd_roles(rows, tasks)
    )
    known = odd.notna()
    kinds = sorted(odd[known].unique())
    if len(kinds) != 2:
        return not_checked(
            "oddball asymmetry", "the odd picture is not known, or always of one sort"
        )
    used = rows[known]
    second = (odd[known] == kinds[1]).to_numpy()
    found = common_odds_ratio(used, second, ["participant", "image", "task", "level"])
    if found is None:
        return not_checked("oddball asymmetry", "no pair was shown with either sort as the odd one")
    value, low, high, p = found
    return Diagnostic(
        name="oddball asymmetry",
        sentence=f"the odds of a right answer are {value:.2f} times as high if the odd picture is "
        f"{kinds[1]} as if it is {kinds[0]}, 95 % interval [{low:.2f}, {high:.2f}]",
        p=p,
        value=value,
        low=low,
        high=high,
        alarming=p <= _SURE,
    )


def _odd_roles(rows: pd.DataFrame, tasks: Mapping[str, Task]) -> pd.Series:
    """Return in words the role that fills fewer intervals of a trial; missing where both fill as many."""
    odd = pd.Series(None, index=rows.index, dtype=object)
    for name, task in tasks.items():
        columns = [_INTERVAL + interval for interval in task.intervals]
        low, high = task.contrast
        if not {*columns, _STIMULUS + low, _STIMULUS + high} <= set(rows.columns):
            continue
        own = rows[rows["task"] == name]
        shown = own[columns].to_numpy(dtype=object)
        n_low, n_high = (
            (shown == own[[_STIMULUS + role]].to_numpy(dtype=object)).sum(axis=1)
            for role in (low, high)
        )
        odd[own.index[n_low < n_high]] = _FIRST
        odd[own.index[n_high < n_low]] = _SECOND
    return odd


def common_odds_ratio(
    rows: pd.DataFrame, second: np.ndarray, strata: list[str]
) -> tuple[float, float, float, float] | None:
    """Return the common odds ratio of right answers in a second sort of trials against the first.

    It is Mantel and Haenszel's, with the ends of the 95 % interval of Robins, Breslow & Greenland (1986,
    Biometrics 42, 311) and the p-value of the test of Mantel and Haenszel; None if no stratum has both sorts.

    Parameters
    ----------
    rows
        Columns n_correct, n_trials, and those of the strata.
    second
        Mask of the second sort (n,).
    strata
        Columns within whose values trials are compared.
    """
    place = rows.groupby(strata, observed=True, dropna=False).ngroup().to_numpy()
    right, total = (rows[n].to_numpy(dtype=np.float64) for n in ("n_correct", "n_trials"))
    size = int(place.max(initial=0)) + 1

    def sums(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return np.bincount(place[mask], values[mask], minlength=size)

    a, c = sums(right, second), sums(right, ~second)
    b, d = sums(total - right, second), sums(total - right, ~second)
    n, kept = a + b + c + d, (a + b > 0) & (c + d > 0)
    a, b, c, d, n = (v[kept] for v in (a, b, c, d, n))
    r, s = a * d / n, b * c / n
    if not (r.sum() > 0 and s.sum() > 0):
        return None
    value = r.sum() / s.sum()
    p_, q = (a + d) / n, (b + c) / n
    variance = (
        (p_ * r).sum() / (2 * r.sum() ** 2)
        + (p_ * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    half = Z95 * np.sqrt(variance)
    expected, spread = (a + b) * (a + c) / n, _hypergeometric_variance(a, b, c, d)
    p = float(chdtrc(1, (a - expected).sum() ** 2 / spread.sum())) if spread.sum() > 0 else 1.0
    return float(value), float(value * np.exp(-half)), float(value * np.exp(half)), p


def _hypergeometric_variance(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray
) -> np.ndarray:
    n = a + b + c + d
    return (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * np.maximum(n - 1, 1))
