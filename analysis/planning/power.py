"""Power of a planned study: how often a test succeeds in many simulated studies."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.observers.counted.proportions import wilson
from analysis.planning.many_studies import found_in_studies, trials_of_a_study
from analysis.planning.study import StudyDesign, given_design
from analysis.planning.truths import Truth, truths_of_conditions
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_count, a_function, a_list, a_seed, briefly, takes
from stimuli_store.tools.shown import FieldTable

Test = Callable[[Answers], bool]


@dataclass(frozen=True, kw_only=True)
class Power(FieldTable):
    """Share of simulated studies in which a test succeeds, with its 95 % binomial interval.

    Attributes
    ----------
    power
        Share of the studies in which the test succeeded.
    low, high
        Ends of its 95 % Wilson score interval.
    n_studies, n_trials
        Number of simulated studies, and of trials in each.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis import StudyDesign, ThresholdTruth, power, precision
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=50
    ... )
    >>> found = power(design, ThresholdTruth(threshold=2.0), lambda answers: True, n_studies=5)
    >>> found.power
    1.0
    """

    power: float
    low: float
    high: float
    n_studies: int
    n_trials: int


@takes(
    design=given_design, truth=truths_of_conditions, test=a_function, n_studies=a_count, seed=a_seed
)
def power(
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    test: Test,
    *,
    n_studies: int = 200,
    seed: int = 0,
) -> Power:
    """Return how often a test would succeed if a study were run many times.

    Every study has people and images of its own, drawn from the population that `truth` describes.

    Parameters
    ----------
    design, truth
        The study, and what is true (`analysis.planning.study`).
    test
        From the answers of one study to whether it shows what it was run for (`analysis.planning.tests`).
    n_studies, seed
        Number of simulated studies, and the seed from which each draws its own.

    Raises
    ------
    InputError
        If a number is not valid, the truth does not fit the design, or the test returns neither True nor
        False.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis.planning.truths import ThresholdTruth
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=50
    ... )
    >>> found = power(
    ...     design,
    ...     ThresholdTruth(threshold=2.0),
    ...     lambda answers: answers.table.n_correct.sum() > 60,
    ...     n_studies=50,
    ... )
    >>> found.power > 0.9, found.n_trials
    (True, 100)
    """
    won = found_in_studies(
        lambda answers: _outcome(test(answers)), design, truth, n_studies=n_studies, seed=seed
    )
    low, high = (float(end) for end in wilson(sum(won), n_studies))
    return Power(
        power=sum(won) / n_studies,
        low=low,
        high=high,
        n_studies=n_studies,
        n_trials=trials_of_a_study(design, truth),
    )


@takes(designs=a_list)
def power_table(
    designs: Iterable[StudyDesign],
    truth: Truth | Mapping[str, Truth],
    test: Test,
    *,
    n_studies: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the power of several designs: a row each, with its numbers of people, images and trials.

    Parameters
    ----------
    designs
        The plans to compare, at least one.
    truth, test, n_studies, seed
        As for `power`; every design is simulated from the same seed.

    Raises
    ------
    InputError
        If there is no design, or as for `power`.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> from analysis import StudyDesign, ThresholdTruth
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(4.0,), n_participants=2, n_images=1, n_trials=5
    ... )
    >>> table = power_table(
    ...     [design], ThresholdTruth(threshold=2.0), lambda answers: True, n_studies=3
    ... )
    >>> table.power.tolist()
    [1.0]
    """
    rows = []
    for design in designs:
        found = power(design, truth, test, n_studies=n_studies, seed=seed)
        rows.append(
            {
                "participants": design.n_participants,
                "images": design.n_images,
                "trials per cell": design.n_trials,
                "trials per participant": found.n_trials // design.n_participants,
                "trials": found.n_trials,
                "power": found.power,
                "low": found.low,
                "high": found.high,
            }
        )
    if not rows:
        raise InputError("a table of power needs at least one design")
    return pd.DataFrame(rows)


def _outcome(value: object) -> bool:
    """Return what a test says; raise InputError if it says neither yes nor no."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(
            f"a test of a study must return True or False; it returned {briefly(value)}"
        )
    return bool(value)
