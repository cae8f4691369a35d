"""Decision rules: one function per task and rule, from d' and a trial to an answer.

Each takes d', the trial and a random generator, draws a percept per interval with standard normal noise,
and returns the name of an interval.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from stimuli_store.errors import InputError
from stimuli_store.records.trials import Trial


def _percepts(dprime: float, trial: Trial, rng: np.random.Generator) -> dict[str, float]:
    """Draw a noisy percept per interval, with mean 0 for the pair's first stimulus and d' for its second."""
    at = {trial.pair[1]: dprime, trial.pair[0]: 0.0}
    strange = set(trial.intervals.values()) - set(at)
    if strange:
        raise InputError(
            f"trial {trial.index} shows a stimulus that is not in its pair: {min(strange)[:12]}…"
        )
    return {name: at[sha] + rng.standard_normal() for name, sha in trial.intervals.items()}


def _abx_percepts(dprime: float, trial: Trial, rng: np.random.Generator) -> dict[str, float]:
    if set(trial.intervals) != {"A", "B", "X"}:
        raise InputError(
            f"an ABX trial has the intervals A, B and X; trial {trial.index} has "
            f"{', '.join(sorted(trial.intervals))}"
        )
    return _percepts(dprime, trial, rng)


def _abx_independent(dprime: float, trial: Trial, rng: np.random.Generator) -> str:
    """Return A or B: A and B tell which is higher, and X alone whether it is high or low."""
    seen = _abx_percepts(dprime, trial, rng)
    higher, lower = ("A", "B") if seen["A"] > seen["B"] else ("B", "A")
    return higher if seen["X"] > dprime / 2 else lower


def _abx_differencing(dprime: float, trial: Trial, rng: np.random.Generator) -> str:
    """Return A or B, the interval whose percept is nearer to the percept of X."""
    seen = _abx_percepts(dprime, trial, rng)
    return "A" if abs(seen["X"] - seen["A"]) < abs(seen["X"] - seen["B"]) else "B"


def _two_afc(dprime: float, trial: Trial, rng: np.random.Generator) -> str:
    """Return the interval with the larger percept; the right answer's percept is higher by d'."""
    if len(trial.intervals) != 2 or trial.answer not in trial.intervals:
        raise InputError(
            f"a 2AFC trial has two intervals, one of them the answer; trial {trial.index} has "
            f"{', '.join(sorted(trial.intervals))} and the answer {trial.answer!r}"
        )
    seen = {name: rng.standard_normal() for name in trial.intervals}
    seen[trial.answer] += dprime
    return max(seen, key=lambda name: seen[name])


DECISIONS: Mapping[tuple[str, str], Callable[[float, Trial, np.random.Generator], str]] = (
    MappingProxyType(
        {
            ("abx", "independent"): _abx_independent,
            ("abx", "differencing"): _abx_differencing,
            ("2afc", "independent"): _two_afc,
        }
    )
)
