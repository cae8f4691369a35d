"""True thresholds of simulated observers, without a psychometric function."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from analysis.observers.simulated.model_observer import ModelObserver
from stimuli_store.errors import InputError
from stimuli_store.records.trials import Trial


def true_threshold(observer: ModelObserver, trials: Iterable[Trial], p: float = 0.75) -> float:
    """Return the level at which an observer's own mean probability of a right answer reaches `p`.

    The probability is exact at every level shown (the mean over its trials) and is interpolated between
    levels by a monotone cubic of the level's logarithm; no psychometric function is fitted.
    `pooled_true_threshold` says what is returned if `p` is never reached.
    """
    return pooled_true_threshold([(observer, trials)], p)


def pooled_true_threshold(
    sessions: Iterable[tuple[ModelObserver, Iterable[Trial]]], p: float = 0.75
) -> float:
    """Return the level at which several observers' mean probability of a right answer reaches `p`.

    Returns
    -------
    float
        The lowest level at which the mean rises through `p`; ``inf`` if it stays below at all
        levels shown, and 0.0 if it is at or above `p` from the lowest level on.

    Raises
    ------
    InputError
        If there is no trial, or a level is not above zero.
    """
    by_level: dict[float, list[float]] = defaultdict(list)
    for observer, trials in sessions:
        for trial in trials:
            level = trial.factors.get("level")
            if level is None or isinstance(level, str):
                raise InputError("a true threshold needs trials whose levels are numbers")
            by_level[float(level)].append(observer.p_correct(trial))
    if not by_level or min(by_level) <= 0:
        raise InputError("a true threshold needs trials, at levels above zero")
    levels = np.array(sorted(by_level))
    means = np.array([np.mean(by_level[level]) for level in levels])
    if means[0] >= p:
        return 0.0
    above = np.flatnonzero(means >= p)
    if not len(above):
        return float("inf")
    between = np.log(levels[above[0] - 1 : above[0] + 1])
    curve = PchipInterpolator(np.log(levels), means)
    return float(np.exp(brentq(lambda x: float(curve(x)) - p, *between)))
