"""Simulated observers that answer from a model's distances: noisy percepts, then a decision rule.

The percepts of a pair's two stimuli have means d' apart, d' = gain · distance**exponent, and standard
normal noise in every interval. The rule of the task turns percepts into an answer. With probability
`lapse` the answer is a guess.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from analysis.observers.decisions import DECISIONS
from analysis.observers.sdt import Link, link_of
from stimuli_store.errors import InputError
from stimuli_store.records.convert import from_json
from stimuli_store.records.predictions import Distances
from stimuli_store.records.trials import Trial

_FASTEST_S = 0.15
_TYPICAL_S = 0.45
_RT_SIGMA = 0.4


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response and its reaction time in seconds from the onset of the last stimulus."""

    response: str
    rt_s: float


@dataclass(frozen=True, kw_only=True)
class ModelObserver:
    """A simulated observer whose sensitivity comes from one model's distances.

    Attributes
    ----------
    model
        Label of the model in the bank.
    distances
        The model's distances by unordered pair of pixel ids (`stimuli_store.records.predictions`).
    gain, exponent
        d' = gain · distance**exponent.
    lapse
        Probability of a random answer; the best possible proportion correct is 1 − lapse/2.
    task, rule
        Task and decision rule that turn percepts into answers (`analysis.observers.sdt`).
    """

    model: str
    distances: Distances = field(repr=False)
    gain: float
    exponent: float = 1.0
    lapse: float = 0.02
    task: str = "abx"
    rule: str = "independent"

    def __post_init__(self) -> None:
        link_of(self.task, self.rule)
        if not (0 <= self.gain < float("inf") and self.exponent > 0 and 0 <= self.lapse <= 1):
            raise InputError(
                "an observer needs a gain of at least 0, an exponent above 0 and a lapse rate "
                f"from 0 to 1; gain={self.gain!r}, exponent={self.exponent!r}, "
                f"lapse={self.lapse!r} were given"
            )

    def dprime(self, trial: Trial) -> float:
        """Return the observer's d' for the trial's pair.

        Raises
        ------
        InputError
            If the model has no stored distance for this pair.
        """
        return self.gain * _distance(self.distances, self.model, trial) ** self.exponent

    def p_correct(self, trial: Trial) -> float:
        """Return the observer's probability of a right answer in a trial, lapses included."""
        link = link_of(self.task, self.rule)
        seen = float(link.p_correct(np.asarray(self.dprime(trial))))
        return (1 - self.lapse) * seen + self.lapse * link.guess

    def respond(self, trial: Trial, rng: np.random.Generator) -> Answer:
        """Draw an answer to a trial from noisy percepts and the decision rule.

        Raises
        ------
        InputError
            If the trial's intervals are not those of the observer's task.
        """
        decide = DECISIONS[self.task, self.rule]
        lapsed = rng.random() < self.lapse
        rt_s = _FASTEST_S + rng.lognormal(np.log(_TYPICAL_S), _RT_SIGMA)
        response = decide(self.dprime(trial), trial, rng)
        if lapsed:
            choices = [name for name in trial.intervals if name != "X"]
            response = choices[int(rng.integers(len(choices)))]
        return Answer(response=response, rt_s=float(rt_s))

    def describe(self) -> dict[str, Any]:
        """Return the true parameters as plain JSON values, for the header of a journal."""
        names = ("model", "gain", "exponent", "lapse", "task", "rule")
        return {name: getattr(self, name) for name in names}


def _distance(distances: Distances, model: str, trial: Trial) -> float:
    a, b = trial.pair
    if a == b:
        return 0.0
    try:
        return distances[frozenset(trial.pair)]
    except KeyError:
        raise InputError(
            f"the model {model!r} has no stored distance between {a[:12]}… and {b[:12]}… "
            f"({trial.set}); use the bank that this trial was planned from"
        ) from None


def calibrated_observer(
    model: str,
    distances: Distances,
    trials: Iterable[Trial],
    *,
    mean_p_correct: float = 0.8,
    exponent: float = 1.0,
    lapse: float = 0.02,
    rule: str = "independent",
) -> ModelObserver:
    """Return an observer whose mean probability of a right answer over the trials is `mean_p_correct`.

    The gain is found by root finding; all trials must be of one task.

    Raises
    ------
    InputError
        If no gain gives this mean (too near chance, above what lapses allow, or the model's distance
        is 0 for too many pairs).
    """
    trials = list(trials)
    tasks = sorted({trial.task for trial in trials})
    if len(tasks) != 1:
        raise InputError(
            f"an observer is calibrated on trials of one task; these have {tasks or 'none'}"
        )
    link = link_of(tasks[0], rule)
    strength = np.array([_distance(distances, model, t) for t in trials]) ** exponent

    def mean_at(gain: float) -> float:
        return float(np.mean(_lapsing(link, lapse, link.p_correct(gain * strength))))

    scale = float(strength.max()) or 1.0
    lowest, highest = mean_at(0.0), mean_at(1e6 / float(strength[strength > 0].min(initial=scale)))
    if not lowest < mean_p_correct < highest:
        raise InputError(
            f"no gain gives an observer with the model {model!r} a mean proportion correct of "
            f"{mean_p_correct:.3g} on these trials; between {lowest:.3g} and {highest:.3g} is possible"
        )
    low, high = 1e-6 / scale, 1e6 / float(strength[strength > 0].min())
    root = brentq(
        lambda log_gain: mean_at(float(np.exp(log_gain))) - mean_p_correct,
        np.log(low),
        np.log(high),
        xtol=1e-12,
    )
    return ModelObserver(
        model=model,
        distances=distances,
        gain=float(np.exp(root)),
        exponent=exponent,
        lapse=lapse,
        task=tasks[0],
        rule=rule,
    )


def _lapsing(link: Link, lapse: float, p: np.ndarray) -> np.ndarray:
    return (1 - lapse) * p + lapse * link.guess


@dataclass(frozen=True, kw_only=True)
class _Description:
    model: str
    gain: float
    exponent: float
    lapse: float
    task: str
    rule: str


def observer_from_description(
    description: Mapping[str, Any], distances: Distances
) -> ModelObserver:
    """Return the observer described by the JSON values of `ModelObserver.describe`.

    Raises
    ------
    InputError
        If a parameter is missing, unknown or of another type.
    """
    known = from_json(_Description, description, "a simulated observer's description")
    return ModelObserver(
        model=known.model,
        distances=distances,
        gain=known.gain,
        exponent=known.exponent,
        lapse=known.lapse,
        task=known.task,
        rule=known.rule,
    )


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
            by_level[float(trial.level.value)].append(observer.p_correct(trial))
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
