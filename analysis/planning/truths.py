"""Populations of people and images in simulated studies: probabilities of right answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from analysis.curves.psychometric import PsychometricFunction
from analysis.observers.checks import as_numbers
from analysis.observers.links import Link
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import (
    Gate,
    a_mapping,
    a_not_negative,
    a_positive,
    a_rate,
    a_text,
    check_fields,
    like,
    up_to,
)

_SPREADS: Mapping[str, Gate] = dict.fromkeys(
    ("sd_participants", "sd_images", "sd_effect"), up_to(20.0)
)


class Truth(Protocol):
    """Population of people and images: the probability of a right answer in each cell of a study."""

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`.

        It draws the same in all conditions of a study; generators that it spawns are each condition's own.
        """


def truths_of_conditions(value: Any, name: str) -> Mapping[str, Truth]:
    """Return the truth of each condition by name; a single one has the name ""."""
    found = a_mapping(value, name) if isinstance(value, Mapping) else {"": value}
    for condition, one in found.items():
        a_text(condition, f"a condition of {name}")
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
        Standard deviations of the log2 threshold, in octaves, the same deviations in all conditions.
    sd_effect
        Standard deviation of what this condition alone adds to a person's log2 threshold, in octaves. Given
        to one of two conditions, it is that of people's effects; by default everybody has the same effect.

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
    sd_effect: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        check_fields(self, threshold=a_positive, width=a_positive, lapse=a_rate, **_SPREADS)

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        shift = _deviations(self, cells, rng, _own(rng))
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
        Standard deviations of both ln s₀ and ln α₀, the same deviations in all conditions.
    sd_effect
        Standard deviation of what this condition alone adds to a person's ln s₀ and ln α₀ (0).

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
    sd_effect: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers; raise InputError in one sentence."""
        check_fields(self, critical=a_positive, gain=a_positive, lapse=a_rate, **_SPREADS)

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        own, middles = _own(rng), (self.critical, self.gain)
        logs = [np.log(float(m)) + _deviations(self, cells, rng, own) for m in middles]
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
        Standard deviations of ln gain, the same deviations in all conditions.
    sd_effect
        Standard deviation of what this condition alone adds to a person's ln gain (0).

    Raises
    ------
    InputError
        If a number is out of range, or `true` is not among the models with evidence.

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
    sd_effect: float = 0.0

    def __post_init__(self) -> None:
        """Check names and numbers; raise InputError in one sentence."""
        numbers = {"gain": a_positive, "exponent": a_not_negative, "lapse": a_rate, **_SPREADS}
        check_fields(self, evidence=a_mapping, true=a_text, **numbers)
        if self.true not in self.evidence:
            raise InputError(
                f"the true model {self.true!r} must be one of those with evidence: "
                f"{', '.join(sorted(map(str, self.evidence)))}"
            )

    def p_correct(self, cells: pd.DataFrame, link: Link, rng: np.random.Generator) -> np.ndarray:
        """Return probabilities (C,) for people and images drawn with `rng`."""
        shift = _deviations(self, cells, rng, _own(rng))
        seen = evidence_in(cells, self.evidence[self.true])
        dprime = np.sign(seen) * self.gain * np.exp(shift) * np.abs(seen) ** self.exponent
        return (1 - self.lapse) * link.p_correct(dprime) + self.lapse * link.guess

    @property
    def models(self) -> Mapping[str, np.ndarray]:
        """Evidence of every model, which a study with this truth records."""
        return self.evidence


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


class _Spreads(Protocol):
    """Standard deviations of a truth."""

    @property
    def sd_participants(self) -> float: ...
    @property
    def sd_images(self) -> float: ...
    @property
    def sd_effect(self) -> float: ...


def _own(rng: np.random.Generator) -> np.random.Generator:
    """Return the generator of the condition that a generator of people and images belongs to."""
    return rng.spawn(1)[0]


def _deviations(
    truth: _Spreads, cells: pd.DataFrame, rng: np.random.Generator, own: np.random.Generator
) -> np.ndarray:
    """Return deviations (C,) of people and images, drawn with `rng`, and of people in a condition."""
    people = _effects(cells.participant, truth.sd_participants, rng)
    images = _effects(cells.image, truth.sd_images, rng)
    return people + images + _effects(cells.participant, truth.sd_effect, own)


def _effects(names: pd.Series, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return a normal deviation (C,) for each name, with standard deviation `sd`."""
    known, place = np.unique(names.to_numpy(dtype=str), return_inverse=True)
    return sd * rng.standard_normal(len(known))[place]
