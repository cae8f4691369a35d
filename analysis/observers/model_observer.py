"""Simulated observers that answer from a model's evidence: noisy percepts, then a decision rule.

The percepts of the two stimuli that differ have means d' apart, d' = ``gain · |evidence|**exponent``, and
standard normal noise in every interval; if the evidence is negative, the two change places. A rule of the
task turns percepts into an answer, without bias. With probability `lapse` the answer is a guess.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.observers.criterion import Operating, operating_of
from analysis.observers.evidence import Evidence
from analysis.observers.links import Link, link_of
from analysis.observers.rules import decide, rule_of
from stimuli_store.errors import InputError
from stimuli_store.records.convert import from_json
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import FactSheet

_FASTEST_S = 0.15
_TYPICAL_S = 0.45
_RT_SIGMA = 0.4


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response and its reaction time in seconds from the onset of the first phase that listens."""

    response: str
    rt_s: float


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelObserver(FactSheet):
    """A simulated observer whose sensitivity comes from one model's evidence.

    Attributes
    ----------
    model
        Label of the model in the bank.
    evidence
        What the model says about a trial (`analysis.observers.evidence.evidence_of`).
    gain, exponent
        d' = ``gain · |evidence|**exponent``.
    lapse
        Probability of a random answer.
    task, rule
        Task, and the one of its rules that turns percepts into answers (`analysis.observers.rules`).

    Raises
    ------
    InputError
        If the gain is below 0, the exponent not above 0, the lapse rate outside [0, 1], or the task has no
        such rule.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import evidence_of
    >>> from stimuli_store.tasks import task_named
    >>> observer = ModelObserver(
    ...     model="right", evidence=evidence_of(bank, "right"), gain=2.0, task=task_named("abx"),
    ...     rule="independent"
    ... )
    >>> observer.describe()["model"]
    'right'
    """

    model: str
    evidence: Evidence = field(repr=False)
    gain: float
    exponent: float = 1.0
    lapse: float = 0.02
    task: Task
    rule: str

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("model", self.model),
            ("gain", f"{self.gain:.4g}"),
            ("exponent", f"{self.exponent:g}"),
            ("lapse", f"{self.lapse:g}"),
            ("task", self.task.name),
            ("rule", self.rule),
        ]

    def __post_init__(self) -> None:
        rule_of(self.task, self.rule)
        if not (0 <= self.gain < float("inf") and self.exponent > 0 and 0 <= self.lapse <= 1):
            raise InputError(
                "an observer needs a gain of at least 0, an exponent above 0 and a lapse rate "
                f"from 0 to 1; gain={self.gain!r}, exponent={self.exponent!r}, "
                f"lapse={self.lapse!r} were given"
            )

    def dprime(self, trial: Trial) -> float:
        """Return the observer's d' for the trial's stimuli, negative if they seem to have changed places.

        Raises
        ------
        InputError
            If the model says nothing of this pair.
        """
        evidence = self.evidence(trial, self.task)
        return float(np.sign(evidence)) * self.gain * abs(evidence) ** self.exponent

    def p_correct(self, trial: Trial) -> float:
        """Return the observer's probability of a right answer with these stimuli, lapses included.

        It is the mean over the cells of the task, which may differ where there is a criterion.
        """
        link = link_of(self.task, self.rule)
        seen = _p_correct(link, self.dprime(trial))
        return (1 - self.lapse) * seen + self.lapse / len(self.task.answers)

    def rates(self, trial: Trial) -> tuple[float, float]:
        """Return the observer's rates of hits and false alarms with these stimuli, lapses included.

        Raises
        ------
        InputError
            If the task has no criterion.
        """
        operating, d = operating_of(self.task, self.rule), self.dprime(trial)
        hits, false_alarms = _rates(operating, abs(d))
        if d < 0 and operating.signed:
            hits, false_alarms = false_alarms, hits
        kept, guessed = 1 - self.lapse, self.lapse / 2
        return kept * hits + guessed, kept * false_alarms + guessed

    def respond(self, trial: Trial, rng: np.random.Generator) -> Answer:
        """Draw an answer to a trial from noisy percepts and the decision rule.

        Raises
        ------
        InputError
            If the trial is not one of the observer's task.
        """
        task, d = self.task, self.dprime(trial)
        means = abs(d) * _places(task, trial, exchanged=d < 0)
        lapsed = rng.random() < self.lapse
        rt_s = _FASTEST_S + rng.lognormal(np.log(_TYPICAL_S), _RT_SIGMA)
        percepts = means + rng.standard_normal(len(means))
        said = int(decide(task, self.rule, abs(d), percepts[None], rng=rng)[0])
        if lapsed:
            said = int(rng.integers(len(task.answers)))
        return Answer(response=task.answers[said], rt_s=float(rt_s))

    def describe(self) -> dict[str, Any]:
        """Return the true parameters as plain JSON values, for the header of a journal."""
        names = ("model", "gain", "exponent", "lapse", "rule")
        return {**{name: getattr(self, name) for name in names}, "task": self.task.name}


# Kept, as the trials of a session show few pairs, each of them many times.
@lru_cache(maxsize=4096)
def _p_correct(link: Link, d: float) -> float:
    """Return proportion correct at one d'."""
    return float(link.p_correct(np.asarray(d)))


@lru_cache(maxsize=4096)
def _rates(operating: Operating, d: float) -> tuple[float, float]:
    """Return the rates of hits and false alarms at the criterion with the fewest errors, for d' ≥ 0."""
    limit = operating.best(np.array([d]))
    low, high = np.array([-operating.reach]), np.array([operating.reach])
    for _ in range(48):
        middle = 0.5 * (low + high)
        over = operating.criterion(np.array(d), middle) > limit
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    z = 0.5 * (low + high)
    return float(operating.hits(np.array([d]), z)[0]), float(ndtr(-z)[0])


def _places(task: Task, trial: Trial, *, exchanged: bool) -> np.ndarray:
    """Return where the percept of each interval lies, 0 or 1, from the cell that the trial is."""
    for cell in task.cells:
        planned = {name: trial.stimuli.get(role) for name, role in cell.fills.items()}
        if cell.answer == trial.answer and planned == dict(trial.intervals):
            low, high = task.contrast
            swap = {low: high, high: low} if exchanged else {}
            roles = [cell.fills[name] for name in task.intervals]
            return np.array([task.at(swap.get(role, role)) for role in roles])
    raise InputError(
        f"trial {trial.index} is no arrangement of the task {task.name!r}: it shows "
        f"{', '.join(sorted(trial.intervals)) or 'nothing'} with the right answer {trial.answer!r}"
    )


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


@dataclass(frozen=True, kw_only=True)
class _Description:
    model: str
    gain: float
    exponent: float
    lapse: float
    task: str
    rule: str


def observer_from_description(
    description: Mapping[str, Any], evidence: Evidence, task: Task
) -> ModelObserver:
    """Return the observer described by the JSON values of `ModelObserver.describe`.

    Raises
    ------
    InputError
        If a parameter is missing, unknown or of another type, or it is an observer of another task.
    """
    known = from_json(_Description, description, "a simulated observer's description")
    if known.task != task.name:
        raise InputError(
            f"this simulated observer answers the task {known.task!r}, not {task.name!r}"
        )
    return ModelObserver(
        model=known.model,
        evidence=evidence,
        gain=known.gain,
        exponent=known.exponent,
        lapse=known.lapse,
        task=task,
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
