"""Tests that a planned study could use: from the answers of one study to whether it shows what it is for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import stdtr

from analysis.data.answers import Answers
from analysis.fits.conditions.contrasts import QUANTITIES, contrasts
from analysis.fits.groups import fit, guess_of
from analysis.fits.population import population_threshold
from analysis.planning.power import Test
from analysis.ranking.rank import rank
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_positive, a_share, a_text, one_of, takes


@takes(alpha=a_share)
def above_chance(*, alpha: float = 0.05) -> Test:
    """Return the test whether people are more often right than by guessing: one-sided t over people."""

    def test(answers: Answers) -> bool:
        own = answers.counts(by="participant")
        excess = own.n_correct.to_numpy() / own.n_trials.to_numpy() - float(guess_of(answers))
        if len(excess) < 2 or not excess.std():
            return bool(len(excess) > 1 and excess.mean() > 0)
        t = excess.mean() / (excess.std(ddof=1) / np.sqrt(len(excess)))
        return bool(stdtr(len(excess) - 1, -t) < alpha)

    return test


@takes(alpha=a_share, quantity=one_of(*QUANTITIES))
def conditions_differ(*, alpha: float = 0.05, quantity: str = "threshold") -> Test:
    """Return the test whether all pairs of conditions differ within participants, corrected by Holm.

    People's own thresholds cancel; what costs power is how much their effects differ (`sd_effect` of a truth,
    by default 0: everybody has the same effect).
    """

    def test(answers: Answers) -> bool:
        fits = fit(answers, by=["participant", "condition"], sigmoid="normal")
        try:
            found = contrasts(fits, "condition", quantity)
        except InputError:  # too few participants have a value in both
            return False
        return all(row.p_holm < alpha for row in found.rows)

    return test


@takes(octaves=a_positive, p=a_share)
def threshold_within(*, octaves: float, p: float = 0.75) -> Test:
    """Return the test whether the population threshold's interval reaches at most so far to each side."""

    def test(answers: Answers) -> bool:
        rows = answers.kept
        found = population_threshold(
            rows.participant.to_numpy(),
            rows.image.to_numpy(),
            rows.level.to_numpy(),
            rows.n_correct.to_numpy(),
            rows.n_trials.to_numpy(),
            guess=float(guess_of(answers)),
            p=p,
        )
        if not np.isfinite([found.low, found.value, found.high]).all() or found.low <= 0:
            return False
        ends = np.log2([found.low, found.value, found.high])
        return bool(np.diff(ends).max() <= octaves)

    return test


@takes(model=a_text)
def ranks_first(*, model: str) -> Test:
    """Return the test whether a model is the best, and told apart from all others."""
    return lambda answers: rank(answers, baselines=False).best == (model,)


#: Tests by the name that a plan of a study gives.
TESTS: Mapping[str, Callable[..., Test]] = MappingProxyType(
    {
        "above chance": above_chance,
        "conditions differ": conditions_differ,
        "threshold within": threshold_within,
        "ranks first": ranks_first,
    }
)


def named_test(name: str, options: Mapping[str, Any]) -> Test:
    """Return a test by its name.

    Raises
    ------
    InputError
        If there is no such test, or an option is not one of it.
    """
    if name not in TESTS:
        raise unknown_name("test", name, list(TESTS))
    try:
        return TESTS[name](**options)
    except TypeError as error:
        raise InputError(f"the test {name!r} does not take these options: {error}") from error
