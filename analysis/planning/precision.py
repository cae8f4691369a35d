"""Precision of a planned study: how an estimate varies over many simulated studies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.data.answers import Answers
from analysis.planning.many_studies import found_in_studies, trials_of_a_study
from analysis.planning.study import StudyDesign, given_design
from analysis.planning.truths import Truth, truths_of_conditions
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_count, a_function, a_seed, as_float, briefly, takes
from stimuli_store.tools.shown import FieldTable

Statistic = Callable[[Answers], float]


@dataclass(frozen=True, kw_only=True)
class Precision(FieldTable):
    """Distribution of an estimate over simulated studies.

    Attributes
    ----------
    mean, sd
        Mean and standard deviation of the estimates that are finite.
    low, high
        The 2.5 % and 97.5 % quantiles.
    failed
        Share of studies without a finite estimate.
    n_studies, n_trials
        Number of studies, and of trials in each.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis import StudyDesign, ThresholdTruth, power, precision
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=50
    ... )
    >>> found = precision(
    ...     design, ThresholdTruth(threshold=2.0), lambda answers: answers.table.n_correct.mean(),
    ...     n_studies=5
    ... )
    >>> found.mean > 0
    True
    """

    mean: float
    sd: float
    low: float
    high: float
    failed: float
    n_studies: int
    n_trials: int


@takes(
    design=given_design,
    truth=truths_of_conditions,
    statistic=a_function,
    n_studies=a_count,
    seed=a_seed,
)
def precision(
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    statistic: Statistic,
    *,
    n_studies: int = 200,
    seed: int = 0,
) -> Precision:
    """Return how an estimate would vary if a study were run many times, with other people and images.

    Parameters
    ----------
    statistic
        From the answers of one study to a number, such as a threshold.
    design, truth, n_studies, seed
        As for `power`.

    Raises
    ------
    InputError
        As for `power`.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis import StudyDesign, ThresholdTruth
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=50
    ... )
    >>> found = precision(
    ...     design, ThresholdTruth(threshold=2.0), lambda answers: answers.table.n_correct.mean(),
    ...     n_studies=5
    ... )
    >>> found.low <= found.high
    True
    """
    found = np.array(
        found_in_studies(
            lambda answers: _number(statistic(answers)),
            design,
            truth,
            n_studies=n_studies,
            seed=seed,
        )
    )
    finite = found[np.isfinite(found)]
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) else (np.nan, np.nan)
    return Precision(
        mean=float(finite.mean()) if len(finite) else np.nan,
        sd=float(finite.std(ddof=1)) if len(finite) > 1 else np.nan,
        low=float(low),
        high=float(high),
        failed=float(1 - len(finite) / n_studies),
        n_studies=n_studies,
        n_trials=trials_of_a_study(design, truth),
    )


def _number(value: object) -> float:
    """Return what a statistic says; raise InputError if it is no number."""
    found = as_float(value)
    if found is None:
        raise InputError(
            f"a statistic of a study must return a number; it returned {briefly(value)}"
        )
    return found
