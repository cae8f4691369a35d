"""Simulated studies: a design, the truth about people and images, and the answers that would be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from analysis.curves.psychometric import PsychometricFunction
from analysis.data.answers import EVIDENCE, Answers
from analysis.data.reading import read_trials
from analysis.observers.checks import as_numbers
from analysis.observers.links import Link, link_of
from analysis.observers.rules import given_task, rule_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import (
    Gate,
    check_fields,
    count,
    like,
    mapping,
    not_negative,
    one_of,
    positive,
    rate,
    seed_or_generator,
    shown,
    takes,
    text,
    up_to,
)

CROSSED, NESTED = "crossed", "nested"
_SPREADS: Mapping[str, Gate] = dict.fromkeys(("sd_participants", "sd_images"), up_to(20.0))


@dataclass(frozen=True, kw_only=True)
class StudyDesign:
    """Plan of a study: who answers how many trials of what.

    Attributes
    ----------
    task, rule
        Task, and the decision rule of its observers (None: the task's first).
    levels
        Levels at which every image is shown.
    n_participants, n_images
        Number of participants, and of images that each of them sees.
    n_trials
        Trials of each participant with each image at each level, in each condition.
    images
        ``"crossed"``: all see the same images. ``"nested"``: everybody has images of their own.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> design = StudyDesign(
    ...     task=task_named("2afc"), levels=(2.0, 4.0), n_participants=5, n_images=3, n_trials=10
    ... )
    >>> design.n_participants * design.n_images * design.n_trials * len(design.levels)
    300
    """

    task: Task = field(repr=False)
    levels: tuple[float, ...]
    n_participants: int
    n_images: int
    n_trials: int
    rule: str | None = None
    images: str = CROSSED

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        for name in ("n_participants", "n_images", "n_trials"):
            count(getattr(self, name), name)
        check_fields(self, task=given_task, images=one_of(CROSSED, NESTED))
        levels = as_numbers(self.levels, "levels of a design")
        if levels.ndim != 1 or not levels.size or not np.isfinite(levels).all():
            raise InputError(f"a design needs a list of finite levels; not {shown(self.levels)}")
        rule_of(self.task, self.rule)

    @property
    def link(self) -> Link:
        """Relation between d' and proportion correct."""
        return link_of(self.task, self.rule)

    def cells(self) -> pd.DataFrame:
        """Return a row for each participant, image and level, with its number of trials."""
        people = np.arange(self.n_participants)
        images = np.arange(self.n_images)
        grid = np.stack(np.meshgrid(people, images, self.levels, indexing="ij"), axis=-1)
        person, image, level = grid.reshape(-1, 3).T
        if self.images == NESTED:
            image = person * self.n_images + image
        return pd.DataFrame(
            {
                "participant": [f"p{int(n) + 1:03d}" for n in person],
                "image": [f"i{int(n) + 1:03d}" for n in image],
                "level": level,
                "n_trials": np.full(len(level), float(self.n_trials)),
            }
        )


class Truth(Protocol):
    """Population of people and images: the probability of a right answer in each cell of a study."""

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""


given_design: Gate = like("a StudyDesign", "cells", "n_participants", "levels")


def truths(value: Any, name: str) -> Mapping[str, Truth]:
    """Return what is true of each condition by name; a single truth has the name ""."""
    found = mapping(value, name) if isinstance(value, Mapping) else {"": value}
    for condition, one in found.items():
        text(condition, f"a condition of {name}")
        _a_truth(one, name)
    if not found:
        raise InputError(f"{name} must hold the truth of at least one condition; it is empty")
    return found


_a_truth = like(
    "a truth, such as ThresholdTruth(threshold=2.0), or one for each condition", "p_correct"
)


@dataclass(frozen=True, kw_only=True)
class ThresholdTruth:
    """Normal psychometric functions on log2 level, whose thresholds vary over people and images.

    Attributes
    ----------
    threshold
        Level at which the function of the middle of the population is halfway from guess to 1 − lapse.
    width
        Octaves between 5 % and 95 % of the function.
    lapse
        Probability of a random answer, times the share of wrong ones among these.
    sd_participants, sd_images
        Standard deviations of the log2 threshold, in octaves.

    Examples
    --------
    >>> ThresholdTruth(threshold=4.0, sd_participants=0.3).threshold
    4.0
    """

    threshold: float
    width: float = 2.0
    lapse: float = 0.02
    sd_participants: float = 0.0
    sd_images: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        check_fields(self, threshold=positive, width=positive, lapse=rate, **_SPREADS)

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        shift = _effects(cells.participant, self.sd_participants, rng)
        shift = shift + _effects(cells.image, self.sd_images, rng)
        curve = PsychometricFunction(
            sigmoid="normal",
            threshold=self.threshold,
            width=self.width,
            guess=link.guess,
            lapse=self.lapse,
        )
        return np.asarray(curve(cells.level.to_numpy() * np.exp2(-shift)))


@dataclass(frozen=True, kw_only=True)
class ScalingTruth:
    """Critical scaling, d' = α₀·max(0, 1 − s₀²/s²), whose logarithms vary over people and images.

    Attributes
    ----------
    critical, gain
        s₀ and α₀ of the middle of the population.
    lapse
        Probability of a random answer.
    sd_participants, sd_images
        Standard deviations of both ln s₀ and ln α₀.

    Examples
    --------
    >>> ScalingTruth(critical=0.25, gain=3.0).critical
    0.25
    """

    critical: float
    gain: float
    lapse: float = 0.02
    sd_participants: float = 0.0
    sd_images: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        check_fields(self, critical=positive, gain=positive, lapse=rate, **_SPREADS)

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        logs = []
        for middle in (self.critical, self.gain):
            effect = _effects(cells.participant, self.sd_participants, rng)
            effect = effect + _effects(cells.image, self.sd_images, rng)
            logs.append(np.log(float(middle)) + effect)
        ratio = np.exp(2 * (logs[0] - np.log(cells.level.to_numpy())))
        dprime = np.exp(logs[1]) * np.maximum(0.0, 1 - ratio)
        return (1 - self.lapse) * link.p_correct(dprime) + self.lapse * link.guess


@dataclass(frozen=True, kw_only=True)
class ModelTruth:
    """People who see what one of several models sees: d' = ``gain·|evidence|^exponent``.

    Attributes
    ----------
    evidence
        For each model what it says about each image (rows) at each level (columns), (I, L).
    true
        Label of the model that people follow.
    gain, exponent, lapse
        From the evidence to d', and the probability of a random answer.
    sd_participants, sd_images
        Standard deviations of ln gain.

    Examples
    --------
    >>> import numpy as np
    >>> truth = ModelTruth(evidence={"one": np.array([[0.5, 1.0]])}, true="one", gain=2.0)
    >>> truth.true
    'one'
    """

    evidence: Mapping[str, np.ndarray] = field(repr=False)
    true: str
    gain: float = 1.0
    exponent: float = 1.0
    lapse: float = 0.02
    sd_participants: float = 0.0
    sd_images: float = 0.0

    def __post_init__(self) -> None:
        """Check names and numbers; raise InputError in one sentence."""
        numbers = {"gain": positive, "exponent": not_negative, "lapse": rate, **_SPREADS}
        check_fields(self, evidence=mapping, true=text, **numbers)
        if self.true not in self.evidence:
            raise InputError(
                f"the true model {self.true!r} must be one of those with evidence: "
                f"{', '.join(sorted(map(str, self.evidence)))}"
            )

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        shift = _effects(cells.participant, self.sd_participants, rng)
        shift = shift + _effects(cells.image, self.sd_images, rng)
        seen = evidence_in(cells, self.evidence[self.true])
        dprime = np.sign(seen) * self.gain * np.exp(shift) * np.abs(seen) ** self.exponent
        return (1 - self.lapse) * link.p_correct(dprime) + self.lapse * link.guess

    @property
    def models(self) -> Mapping[str, np.ndarray]:
        """Evidence of every model, which a study with this truth records."""
        return self.evidence


@takes(design=given_design, seed=seed_or_generator)
def simulated_answers(
    design: StudyDesign,
    truth: Truth | Mapping[str, Truth],
    *,
    seed: int | np.random.Generator,
) -> Answers:
    """Return the answers of one simulated study, as counts by participant, image and level.

    Parameters
    ----------
    design
        The plan.
    truth
        What is true of the population; or of each condition by name, which every participant does with the
        same images, in a column ``condition``. People and images differ alike in all conditions.
    seed
        Seed, or a generator that goes on.

    Raises
    ------
    InputError
        If the evidence of a truth does not fit the design.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> design = StudyDesign(
    ...     task=task_named("2ifc"), levels=(1, 2, 4), n_participants=3, n_images=2, n_trials=10
    ... )
    >>> answers = simulated_answers(design, ThresholdTruth(threshold=2.0), seed=0)
    >>> len(answers), float(answers.table.n_trials.sum())
    (18, 180.0)
    """
    conditions = truths(truth, "truth")
    rng = np.random.default_rng(seed)
    # The same people and images in every condition.
    people = int(rng.integers(2**63))
    parts = []
    for name, one in conditions.items():
        cells = design.cells()
        p = one.p_correct(cells, design.link, np.random.default_rng(people))
        cells["n_correct"] = rng.binomial(cells.n_trials.astype(int), p).astype(np.float64)
        for label, values in getattr(one, "models", {}).items():
            cells[EVIDENCE + label] = evidence_in(cells, values)
        if name:
            cells["condition"] = name
        parts.append(cells)
    roles = {"evidence": {label: EVIDENCE + label for label in _labels(conditions)}}
    return read_trials(
        pd.concat(parts, ignore_index=True).assign(simulated=True),
        roles if roles["evidence"] else None,
        task=design.task,
        rule=design.rule,
    )


def evidence_in(cells: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return the evidence (C,) of a model in the cells of a study, from a table (images, levels).

    Raises
    ------
    InputError
        If the table has not a row for each image and a column for each level.
    """
    images, rows = np.unique(cells.image.to_numpy(dtype=str), return_inverse=True)
    levels, columns = np.unique(cells.level.to_numpy(), return_inverse=True)
    table = as_numbers(values, "evidence")
    if table.shape != (len(images), len(levels)):
        raise InputError(
            f"evidence must be a table with a row for each of {len(images)} images and a column for each of "
            f"{len(levels)} levels; its shape is {table.shape}"
        )
    return table[rows, columns]


def _labels(conditions: Mapping[str, Truth]) -> list[str]:
    return sorted({label for one in conditions.values() for label in getattr(one, "models", {})})


def _effects(names: pd.Series, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return a normal deviation (C,) for each name, with standard deviation `sd`."""
    known, place = np.unique(names.to_numpy(dtype=str), return_inverse=True)
    return sd * rng.standard_normal(len(known))[place]
