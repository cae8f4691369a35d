"""Observers whose gain is set so that they answer a given proportion of trials right."""

from collections.abc import Iterable

import numpy as np
from scipy.optimize import brentq

from analysis.observers.evidence import Evidence
from analysis.observers.links import Link, link_of
from analysis.observers.simulated.model_observer import ModelObserver
from stimuli_store.errors import InputError
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.types import Task


def calibrated_observer(
    model: str,
    evidence: Evidence,
    trials: Iterable[Trial],
    task: Task,
    *,
    rule: str | None = None,
    mean_p_correct: float = 0.8,
    exponent: float = 1.0,
    lapse: float = 0.02,
) -> ModelObserver:
    """Return an observer whose mean probability of a right answer over the trials is `mean_p_correct`.

    The gain is found by root finding.

    Parameters
    ----------
    model, evidence
        Label of the model, and what it says about a trial, from `evidence_of`.
    trials
        Trials over which the mean is taken, all of one task.
    task, rule
        That task, and one of its decision rules; None for the first.
    mean_p_correct
        Mean probability of a right answer to reach, lapses included.
    exponent
        Exponent of the evidence in d' = ``gain · |evidence|**exponent``.
    lapse
        Probability of a random answer.

    Raises
    ------
    InputError
        If a trial is of another task, or no gain gives this mean (too near chance, above what lapses allow,
        or the model's evidence is 0 for too many trials).

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import course_of, evidence_of, read_design
    >>> design = read_design("design.toml")
    >>> trials = course_of(design, bank, "S01", session=1).trials
    >>> observer = calibrated_observer("right", evidence_of(bank, "right"), trials, design.task)
    >>> observer.gain > 0
    True
    """
    trials = list(trials)
    names = sorted({trial.task for trial in trials})
    if names != [task.name]:
        raise InputError(
            f"an observer is calibrated on trials of one task, {task.name}; these have "
            f"{', '.join(names) or 'none'}"
        )
    link = link_of(task, rule)
    seen = np.array([evidence(t, task) for t in trials])
    strength = np.sign(seen) * np.abs(seen) ** exponent

    def mean_at(gain: float) -> float:
        return float(np.mean(_lapsing(link, lapse, link.p_correct(gain * strength))))

    sizes = np.abs(strength)
    scale = float(sizes.max()) or 1.0
    smallest = float(sizes[sizes > 0].min(initial=scale))
    lowest, highest = mean_at(0.0), mean_at(1e6 / smallest)
    if not lowest < mean_p_correct < highest:
        raise InputError(
            f"no gain gives an observer with the model {model!r} a mean proportion correct of "
            f"{mean_p_correct:.3g} on these trials; between {lowest:.3g} and {highest:.3g} is possible, so "
            "give another mean (--mean-correct), or the gain itself (--gain)"
        )
    root = brentq(
        lambda log_gain: mean_at(float(np.exp(log_gain))) - mean_p_correct,
        np.log(1e-6 / scale),
        np.log(1e6 / smallest),
        xtol=1e-12,
    )
    return ModelObserver(
        model=model,
        evidence=evidence,
        gain=float(np.exp(root)),
        exponent=exponent,
        lapse=lapse,
        task=task,
        rule=link.rule,
    )


def _lapsing(link: Link, lapse: float, p: np.ndarray) -> np.ndarray:
    return (1 - lapse) * p + lapse * link.guess
