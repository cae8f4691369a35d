"""Simulated observers that answer from a model's evidence: noisy percepts, then a decision rule.

The percepts of the two stimuli that differ have means d' apart, d' = ``gain · |evidence|**exponent``, and
standard normal noise in every interval; if the evidence is negative, the two change places. A rule of the
task turns percepts into an answer, without bias. With probability `lapse` the answer is a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
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
        seen = _proportion_at(link, self.dprime(trial))
        return (1 - self.lapse) * seen + self.lapse / len(self.task.answers)

    def rates(self, trial: Trial) -> tuple[float, float]:
        """Return the observer's rates of hits and false alarms with these stimuli, lapses included.

        Raises
        ------
        InputError
            If the task has no criterion.
        """
        operating, d = operating_of(self.task, self.rule), self.dprime(trial)
        hits, false_alarms = _best_rates(operating, abs(d))
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
        means = abs(d) * _interval_places(task, trial, exchanged=d < 0)
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
def _proportion_at(link: Link, d: float) -> float:
    """Return proportion correct at one d'."""
    return float(link.p_correct(np.asarray(d)))


@lru_cache(maxsize=4096)
def _best_rates(operating: Operating, d: float) -> tuple[float, float]:
    """Return the rates of hits and false alarms at the criterion with the fewest errors, for d' ≥ 0."""
    limit = operating.best(np.array([d]))
    low, high = np.array([-operating.reach]), np.array([operating.reach])
    for _ in range(48):
        middle = 0.5 * (low + high)
        over = operating.criterion(np.array(d), middle) > limit
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    z = 0.5 * (low + high)
    return float(operating.hits(np.array([d]), z)[0]), float(ndtr(-z)[0])


def _interval_places(task: Task, trial: Trial, *, exchanged: bool) -> np.ndarray:
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
