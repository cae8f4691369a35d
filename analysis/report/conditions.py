"""Conditions: answers that are analysed together, counted level by level, with their fits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.fits.fit import Fit
from analysis.fits.fit_status import FitStatus
from analysis.fits.scaling.record import ScalingFit
from analysis.infer.estimates import Estimate
from analysis.infer.population import PopulationEstimate
from analysis.observers.counted.dprime_result import DPrime
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import number_of

Case = float | str | None
MISFIT_DRAWS = 400  # simulated experiments behind the goodness of a fit
#: Outcomes of a fit whose threshold is no result.
_NO_RESULTS = frozenset(
    {
        FitStatus.UNDETERMINED,
        FitStatus.UNREACHED,
        FitStatus.EXCEEDED,
        FitStatus.WRONG_WAY,
        FitStatus.BELOW_CHANCE,
        FitStatus.AT_CHANCE,
        FitStatus.ONE_LEVEL,
        FitStatus.UNFINISHED,
    }
)


@dataclass(frozen=True, kw_only=True, repr=False)
class Condition:
    """Answers of one condition, or of one participant or image in it, with their fits.

    Attributes
    ----------
    name
        Name of the condition, participant or image.
    task, rule
        Task and decision rule; None and "" if no task is stated.
    preferences
        Whether no answer is right; then there is neither d' nor a fit.
    unit
        Unit of the levels; empty if there is none.
    simulated
        Whether simulated observers gave the answers; never some of them.
    n_participants, n_images
        How many there are; 0 images if they are not told apart.
    levels
        Numbers in ascending order, then words, then None for trials without a level.
    n_correct, n_trials
        Answers by level (L,).
    dprimes
        Decision rule to d' at each level (L of them), the condition's own rule first. None at a level where
        trials with, or without, a difference are missing from a task with a criterion. Empty without a task
        and for preferences.
    true_dprimes
        d' of the simulated observers at each level under the condition's own rule; None for people.
    fit
        The psychometric function and its threshold; None if there are not two levels that are numbers, or
        the task has a criterion.
    misfit
        Share of answers simulated from the fitted curve that fit it worse; None if it is not known.
    scaling
        Critical-scaling fit of window sizes; None for other levels.
    true_threshold
        The simulated observers' own threshold; None for people.
    population, population_dprimes
        Threshold, and d' at each level (L), with intervals for new people and images; None where there are
        too few of them, or nothing bounds it. The latter is empty for single participants and images.
    levels_caution
        What the choice of levels means for the threshold, where they follow the answers or differ between
        people, or "".
    by_participant, by_image
        The same of each participant and image, if there are several.
    """

    name: str
    task: Task | None
    rule: str
    unit: str
    simulated: bool
    preferences: bool
    n_participants: int
    n_images: int
    levels: tuple[Case, ...]
    n_correct: np.ndarray
    n_trials: np.ndarray
    dprimes: Mapping[str, tuple[DPrime | None, ...]]
    true_dprimes: tuple[float | None, ...]
    fit: Fit | None
    true_threshold: float | None
    population: PopulationEstimate | None = None
    population_dprimes: tuple[PopulationEstimate | None, ...] = ()
    misfit: float | None = None
    scaling: ScalingFit | None = None
    levels_caution: str = ""
    by_participant: tuple["Condition", ...] = ()
    by_image: tuple["Condition", ...] = ()

    def __repr__(self) -> str:
        answered = f"{number_of(int(self.n_trials.sum()), 'trial')} at {number_of(len(self.levels), 'level')}"
        found = self.estimate or ("without threshold" if self.fit else "")
        told = [self.name, str(found), f"for {self.for_whom}" if self.estimate else "", answered]
        return f"Condition({', '.join(part for part in told if part)})"

    @property
    def numbers(self) -> np.ndarray:
        """The levels as numbers (L,); NaN for words and missing ones."""
        return np.array(
            [np.nan if v is None or isinstance(v, str) else v for v in self.levels],
            dtype=np.float64,
        )

    @property
    def own_dprimes(self) -> tuple[DPrime | None, ...]:
        """d' at each level under the condition's own rule; None without a task."""
        return self.dprimes.get(self.rule, (None,) * len(self.levels))

    @property
    def told_dprimes(self) -> tuple[tuple[DPrime | None, str], ...]:
        """d' at each level, the population's where it has one, and for whom its interval speaks."""
        wide = self.population_dprimes or (None,) * len(self.levels)
        return tuple(
            (replace(own, estimate=new.value, low=new.low, high=new.high), new.for_whom)
            if own and new
            else (own, self.these)
            for own, new in zip(self.own_dprimes, wide, strict=True)
        )

    @property
    def estimate(self) -> Estimate | None:
        """Threshold of the population, or else of the fit; None if the answers do not determine it."""
        if self.fit is None or undetermined(self.fit):
            return None
        if self.population is not None:
            found = self.population
            return Estimate(value=found.value, low=found.low, high=found.high)
        return Estimate(value=self.fit.threshold, low=self.fit.low, high=self.fit.high)

    @property
    def for_whom(self) -> str:
        """People and images for whom the interval of `estimate` speaks."""
        return self.population.for_whom if self.population else self.these

    @property
    def these(self) -> str:
        """The people and images of the answers themselves, for whom the interval of a curve speaks."""
        people = "this participant" if self.n_participants == 1 else "these people"
        images = {0: "", 1: " and this image"}.get(self.n_images, " and these images")
        return people + images


def bounded(found: DPrime | None) -> bool:
    """Return whether counts bound d' on one side at least, so that it can be called a result."""
    return found is not None and (found.low > 0 or bool(np.isfinite(found.high)))


def lowest_of(fit: Fit) -> float:
    """Return the lowest end of a fit's axis: 0, or minus infinity on a linear one."""
    return 0.0 if fit.function.axis == "log" else -np.inf


def undetermined(fit: Fit) -> str:
    """Return why a fit has no threshold that could be called a result; "" if it has one."""
    if fit.status in _NO_RESULTS:
        return fit.status.value
    if fit.low <= lowest_of(fit) and np.isinf(fit.high):
        return FitStatus.UNDETERMINED.value
    return ""
