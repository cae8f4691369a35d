"""Fit psychometric functions: one data set, or many in one computation.

The threshold depends on the sigmoid, and the right sigmoid is unknown. By default several are fitted: the
best of them gives the estimate, and the interval is derived from the highest of their profiles.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analysis.data.counts import (
    SURE,
    TOLD_APART,
    Counts,
    counts_of,
    is_below,
    trend_of,
    widening_of,
)
from analysis.fits.assemble import FoundFits, assembled
from analysis.fits.engine.batch import CountsBatch, batch_of_counts
from analysis.fits.engine.climbing import probabilities_at
from analysis.fits.engine.quantities import read_off
from analysis.fits.engine.search import Quantity, search
from analysis.fits.engine.settings import (
    ANY,
    HETEROGENEITY,
    FitSettings,
    checked,
    directions,
    named_settings,
    priors_given,
)
from analysis.fits.engine.shared import with_shared_lapse
from analysis.fits.fit import Fit
from analysis.infer.intervals import DROP95
from analysis.infer.likelihood import deviances, log_likelihood
from analysis.infer.priors import Prior
from analysis.observers.checks import check_no_shares
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, takes

_AT_ONCE = 1000  # data sets whose profiles are in memory together


def fit_psychometric(
    levels: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    sigmoid: str = ANY,
    guess: float | str = 0.5,
    lapse: float | str = "free",
    p: float = 0.75,
    axis: Any = "log",
    rising: bool | None = None,
    dispersion: str = HETEROGENEITY,
    priors: Mapping[str, Prior] | None = None,
) -> Fit:
    """Fit a psychometric function and return it with the threshold at proportion correct `p`.

    Parameters
    ----------
    levels, n_correct, n_trials
        One entry per level (L,); several entries may share a level.
    sigmoid
        ``"any"`` (default): normal, Weibull (Gumbel on other axes than the logarithmic one) and reversed
        Gumbel are fitted, and the interval is derived from the highest of their profiles. Or one name of
        `PsychometricFunction`.
    guess
        Proportion correct at no difference (`analysis.observers.sdt.guess_rate`); ``"free"`` where it is
        estimated, as in yes/no tasks; ``"tied"`` where it equals the lapse rate.
    lapse
        ``"free"`` (default), or a number such as 0. In `fit_many` also ``"shared"``: free, and the same for
        all data sets.
    p
        Proportion correct of all answers, lapses included, that defines the threshold.
    axis
        ``"log"`` (default), ``"linear"``, or an `Axis` of a function and its inverse.
    rising
        False for answers that get worse as the level grows; None (default) to fit a falling curve where
        the answers fall beyond doubt.
    dispersion
        ``"heterogeneity"`` (default): intervals are widened where answers scatter beyond chance
        (`analysis.data.counts.widening_of`). ``"beta-binomial"``: the overdispersion η is a parameter.
        ``"none"``: answers are taken as binomial.
    priors
        Priors that replace the default ones, by quantity: ``threshold`` (position of the sigmoid's half on
        the axis; flat), ``width`` (log2 of the width on the axis; its mode is the range of the levels, and a
        standard deviation a factor of e upwards, e^2.5 downwards), ``lapse`` (Beta(2, 50)), ``guess`` and
        ``eta`` (Beta(1, 10)). With flat priors the estimate is the maximum-likelihood one.

    Raises
    ------
    InputError
        If the counts or a setting are not valid, or `p` is not between the fixed asymptotes.

    Examples
    --------
    >>> levels, right = [8, 16, 32, 64, 128], [26, 31, 41, 48, 49]
    >>> fit_psychometric(levels, right, [50] * 5)
    Fit(25 [18, 35.3] at 0.75, normal, 250 trials, CONVERGED)
    """
    settings = FitSettings(
        sigmoid=sigmoid,
        guess=guess,
        lapse=lapse,
        p=p,
        axis=axis,
        rising=rising,
        dispersion=dispersion,
        priors=priors_given(priors),
    )
    return fit_counts([_counted((levels, n_correct, n_trials))], checked(settings))[0]


@takes(sets=a_list)
def fit_many(sets: Sequence[Any], **settings: Any) -> list[Fit]:
    """Fit psychometric functions to many data sets in one computation.

    Parameters
    ----------
    sets
        Each of three lists: levels, n_correct and n_trials; or `Counts`. Levels may differ between sets.
    **settings
        As for `fit_psychometric`.

    Raises
    ------
    InputError
        As for `fit_psychometric`.

    Examples
    --------
    >>> levels, trials = [8, 16, 32, 64, 128], [50] * 5
    >>> fits = fit_many([(levels, [26, 31, 41, 48, 49], trials), (levels, [25, 27, 30, 42, 49], trials)])
    >>> [fit.status.name for fit in fits]
    ['CONVERGED', 'CONVERGED']
    """
    chosen = named_settings(settings)
    return fit_counts([_counted(one) for one in sets], chosen)


def _counted(given: Any) -> Counts:
    """Return the checked counts of one data set that a person gave."""
    parts = a_list(given, "a data set")
    if len(parts) != 3:
        raise InputError(
            f"a data set must be three lists, levels, n_correct and n_trials; it has {len(parts)} parts"
        )
    counts = counts_of(*parts)
    check_no_shares(counts.n_correct, counts.n_trials)
    return counts


def fit_counts(sets: Sequence[Counts], settings: FitSettings) -> list[Fit]:
    """Return the fits of checked counts with checked settings; `fit_many` has the words.

    Raises
    ------
    InputError
        If there is no data set, or a level is not on the axis.
    """
    if not sets:
        raise InputError("there is no data set to fit; give at least one")
    batch = batch_of_counts(sets, settings.axis)
    rising = directions(batch.x, batch.n_correct, batch.n_trials, settings)
    if settings.shares_lapse:
        batch = with_shared_lapse(batch, settings, rising)
    fits: list[Fit] = []
    for begin in range(0, len(sets), _AT_ONCE):
        part = sets[begin : begin + _AT_ONCE]
        rows = np.arange(begin, begin + len(part))
        fits += _fit_batch(part, batch.rows(rows), settings, rising[rows])
    return fits


def _fit_batch(
    sets: Sequence[Counts], batch: CountsBatch, settings: FitSettings, rising: np.ndarray
) -> list[Fit]:
    target = Quantity(p=settings.p)
    searches = [search(batch, settings, shape, target, rising) for shape in settings.shapes]
    best = np.argmax([one.modes.height for one in searches], axis=0)
    p = np.stack([probabilities_at(batch, one.modes, rising) for one in searches])
    chosen = p[best, np.arange(len(best))]
    height = log_likelihood(chosen, batch.n_correct, batch.n_trials)
    misfit = deviances(height, batch.n_correct, batch.n_trials)
    widening = _widenings(misfit, batch, settings)
    trend = trend_of(batch.x, batch.n_correct, batch.n_trials)
    found = FoundFits(
        batch=batch,
        settings=settings,
        rising=rising,
        guessed=_guessed(height, batch, settings),
        below=is_below(settings.asymptotes.guess, batch.n_correct, batch.n_trials),
        wrong_way=np.where(rising, trend, -trend) < ndtri(SURE),
        modes=[one.modes for one in searches],
        best=best,
        log_likelihood=height,
        deviance=misfit,
        widening=widening,
        threshold=read_off(searches, batch, settings, target, rising, DROP95 * widening),
    )
    return [assembled(found, i, counts) for i, counts in enumerate(sets)]


def _guessed(height: np.ndarray, batch: CountsBatch, settings: FitSettings) -> np.ndarray:
    """Return whether a flat line describes answers (B, L) as well as the curve of log likelihood `height`.

    The line is at the guess rate, or, where that is free, at the mean. The curve has two parameters more.
    """
    right, total = batch.n_correct, batch.n_trials
    mean = right.sum(axis=1, keepdims=True) / total.sum(axis=1, keepdims=True)
    known = settings.asymptotes.guess if isinstance(settings.guess, float | int) else mean
    flat = log_likelihood(np.broadcast_to(known, right.shape), right, total)
    return 2 * (height - flat) < TOLD_APART


def _widenings(misfit: np.ndarray, batch: CountsBatch, settings: FitSettings) -> np.ndarray:
    if settings.dispersion != HETEROGENEITY:
        return np.ones_like(misfit)
    used = (batch.n_trials > 0).sum(axis=1)
    n_parameters = 2 + len(settings.asymptotes.names)
    return widening_of(misfit, used - n_parameters, batch.n_trials.sum(axis=1) / used)
