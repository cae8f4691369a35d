"""Links: d' to proportion correct and back, for any task and decision rule.

Observers have Gaussian percepts of equal variance and no bias. Proportion correct depends on the decision
rule, not on the task alone: three quarters correct are d' = 0.95 in 2IFC, but 1.79 or 2.02 in ABX. Where a
closed form is known it is one row of `CLOSED_FORMS`, and an integral over one variable for any number of
intervals is one row of `FAMILIES`; both hold for every task whose cells are those of the row's task. Every
other task and rule is integrated over all percepts (`analysis.observers.tabulated`).

How exactly d' comes back from P is a matter of P: near 1 two neighbouring numbers are 1.1e-16 apart, so that
d' is known to a few times 1e-16 divided by the slope of P. For d' from 0.05 to 6 this is below 1e-11 in every
closed form and integral; in 2IFC it is 3e-12 at d' 6, 3e-7 at 9, and above 11.7 P is 1 and d' infinite.

Sources: Macmillan & Creelman (2005), *Detection Theory: A User's Guide*, chapters 7 and 9; Versfeld, Dai &
Green (1996), Perception & Psychophysics 58, 10-21, for oddity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from analysis.observers.checks import as_numbers
from analysis.observers.closed_forms import (
    SAME_OR_DIFFERENT,
    TRIANGLE,
    LinkCurve,
    mirrored,
    one_comparison,
    two_comparisons,
)
from analysis.observers.inverse import HIGHEST, where_it_reaches
from analysis.observers.quadrature import farthest_of, largest_of, odd_of_three
from analysis.observers.rules import DIFFERENCING, INDEPENDENT, LIKELIHOOD, given_task, rule_of
from analysis.observers.structure import Structure, keeps, mirrors, structure_of
from analysis.observers.tabulated import tabulated
from stimuli_store.tasks import TASKS
from stimuli_store.tasks.forced_choice import forced_choice
from stimuli_store.tasks.oddity import oddity
from stimuli_store.tasks.types import REFERENCE, Task
from stimuli_store.tools.gates import takes

_PAIRED = one_comparison(np.sqrt(2), "P = Φ(d/√2)")
_NEARER = two_comparisons(np.sqrt(2), np.sqrt(6), "P = Φ(d/√2)Φ(d/√6) + Φ(−d/√2)Φ(−d/√6)")
# A against B tells which is higher, and X alone whether it is high or low. For ABX this is also the likeliest
# answer: the likelihoods differ by (exp(da) − exp(db))(exp(dx − d²/2) − 1), but for a factor above 0.
_INDEPENDENT = two_comparisons(np.sqrt(2), 2.0, "P = Φ(d/√2)Φ(d/2) + Φ(−d/√2)Φ(−d/2)")
_TWO_PAIRS = two_comparisons(2.0, 2.0, "P = Φ(d/2)² + Φ(−d/2)²")

#: Closed forms by name of a declared task and rule.
CLOSED_FORMS: Mapping[tuple[str, str], LinkCurve] = MappingProxyType(
    {
        ("abx", INDEPENDENT): _INDEPENDENT,
        ("abx", LIKELIHOOD): _INDEPENDENT,
        ("match-to-sample", LIKELIHOOD): _INDEPENDENT,
        ("abx", DIFFERENCING): _NEARER,
        ("match-to-sample", DIFFERENCING): _NEARER,
        ("pair-with-reference", DIFFERENCING): _NEARER,
        ("mad-pair", DIFFERENCING): _NEARER,
        ("2ifc", LIKELIHOOD): _PAIRED,
        ("pair", LIKELIHOOD): _PAIRED,
        ("pair-with-reference", LIKELIHOOD): _PAIRED,
        ("mad-pair", LIKELIHOOD): _PAIRED,
        ("oddity", DIFFERENCING): TRIANGLE,
        ("4iax", DIFFERENCING): _TWO_PAIRS,
        ("split-screen", DIFFERENCING): _TWO_PAIRS,
        ("yes-no", LIKELIHOOD): one_comparison(2.0, "P = Φ(d/2), the criterion in the middle"),
        ("same-different", DIFFERENCING): SAME_OR_DIFFERENT,
        ("same-different", LIKELIHOOD): _TWO_PAIRS,
    }
)

#: Task with m intervals, rule, and its curve; for every m of 3 or more.
FAMILIES: tuple[tuple[Callable[[int], Task], str, Callable[[int], LinkCurve | None]], ...] = (
    (forced_choice, LIKELIHOOD, largest_of),
    (forced_choice, DIFFERENCING, lambda m: TRIANGLE if m == 3 else farthest_of(m)),
    (oddity, DIFFERENCING, lambda m: TRIANGLE if m == 3 else farthest_of(m)),
    (oddity, LIKELIHOOD, lambda m: odd_of_three() if m == 3 else None),
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Relation between d' and proportion correct for one task and decision rule.

    In a task with a criterion it is that of an observer with the criterion that makes fewest errors.

    Attributes
    ----------
    task, rule
        Names of the task and of the rule.
    guess
        Proportion correct at d' = 0.
    curve
        The closed form, or the table.

    Examples
    --------
    >>> from analysis import link_of
    >>> from stimuli_store.tasks import task_named
    >>> link = link_of(task_named("2ifc"))
    >>> link.guess, round(float(link.p_correct(1.0)), 3)
    (0.5, 0.76)
    """

    task: str
    rule: str
    guess: float
    curve: LinkCurve = field(repr=False)

    @property
    def formula(self) -> str:
        """Formula of proportion correct, as it is printed."""
        return self.curve.formula

    @property
    def error(self) -> float:
        """Error of proportion correct: 0, a bound if it is an integral, the standard error of a table."""
        return self.curve.error

    def p_correct(self, dprime: np.ndarray) -> np.ndarray:
        """Return the proportion correct of an observer with sensitivity `dprime` (any shape).

        A negative d' says that the stimulus taken for the higher one is the lower; where that makes no
        difference (ABX) proportion correct is that of the positive one.
        """
        d = as_numbers(dprime, "d'")
        size, below = np.minimum(np.abs(d), HIGHEST), self.curve.below
        up = self.curve.p(size)
        return up if below is None or (d >= 0).all() else np.where(d < 0, below.p(size), up)

    def slope(self, dprime: np.ndarray) -> np.ndarray:
        """Return the derivative of `p_correct` with respect to d'."""
        d = as_numbers(dprime, "d'")
        size, below = np.minimum(np.abs(d), HIGHEST), self.curve.below or self.curve
        up = self.curve.slope(size)
        return up if (d >= 0).all() else np.where(d < 0, -below.slope(size), up)

    def dprime(self, p_correct: np.ndarray) -> np.ndarray:
        """Return the d' at proportion correct `p_correct` (values in [0, 1]).

        At 1 it is infinite. Below chance it is negative where a negative d' is below chance (2IFC), else 0.
        """
        p = np.clip(as_numbers(p_correct, "p_correct"), 0.0, 1.0)
        found = where_it_reaches(self.curve, np.maximum(p, self.guess), self.guess, 1.0)
        below = self.curve.below
        if below is None or not (p < self.guess).any():
            return found
        lower = where_it_reaches(below, np.minimum(p, self.guess), self.guess, 0.0)
        return np.where(p < self.guess, -lower, found)


@takes(task=given_task)
def link_of(task: Task, rule: str | None = None) -> Link:
    """Return the link of a task under one of its decision rules.

    Parameters
    ----------
    task
        The task, such as ``task_named("abx")``.
    rule
        Name of one of its decision rules; None for the first.

    Raises
    ------
    InputError
        If the rule is not one of that task.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> link = link_of(task_named("abx"), "differencing")
    >>> link.guess, round(float(link.p_correct(2.02)), 2)
    (0.5, 0.75)
    """
    name, structure = rule_of(task, rule), structure_of(task)
    curve = _curve_of(structure, name, REFERENCE in {role.name for role in task.roles})
    # A criterion leaves the guess rate free; the link is that of an observer without bias.
    guess = 1 / len(task.answers) if task.guess is None else task.guess
    return Link(task=task.name, rule=name, guess=guess, curve=curve)


@lru_cache(maxsize=256)
def _curve_of(structure: Structure, rule: str, reference: bool) -> LinkCurve:
    curve = (
        _forms().get((structure, rule)) or _family(structure, rule) or tabulated(structure, rule)
    )
    if curve.below is not None or keeps(structure) or (rule == DIFFERENCING and not reference):
        return curve
    used = _used(structure) if rule == LIKELIHOOD else range(len(structure.parts))
    below = (
        mirrored(curve)
        if mirrors(structure, list(used))
        else tabulated(structure, rule, exchanged=True)
    )
    return LinkCurve(
        p=curve.p, slope=curve.slope, formula=curve.formula, error=curve.error, below=below
    )


@lru_cache(maxsize=1)
def _forms() -> Mapping[tuple[Structure, str], LinkCurve]:
    return {
        (structure_of(TASKS[task]), rule): curve for (task, rule), curve in CLOSED_FORMS.items()
    }


def _family(structure: Structure, rule: str) -> LinkCurve | None:
    """Return the curve of the family that a structure belongs to; None if it belongs to none."""
    m = len(structure.parts)
    if m == structure.n_answers and m >= 3:
        for task, of_rule, curve in FAMILIES:
            if rule == of_rule and structure == structure_of(task(m)):
                return curve(m)
    return None


def _used(structure: Structure) -> list[int]:
    """Return the intervals whose percepts differ between cells, which alone tell the cells apart."""
    return [i for i in range(len(structure.parts)) if np.ptp(structure.at[:, i]) > 0]
