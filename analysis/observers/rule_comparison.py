"""Likelihood of one decision rule against another on the same answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.bias import response_counts
from analysis.observers.checks import as_numbers
from analysis.observers.links import link_of
from analysis.observers.response_fit import Law, most_likely, own_dprimes, power_of, starting_bias
from analysis.observers.rules import rule_of
from analysis.observers.sdt import task_of
from analysis.observers.structure import structure_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import briefly, optional, some_names, takes
from stimuli_store.tools.shown import FieldTable


@dataclass(frozen=True, kw_only=True)
class RuleScore(FieldTable):
    """Likelihood of a decision rule, at its most likely d' and bias.

    Attributes
    ----------
    rule
        Name of the rule.
    log_likelihood
        In nats, at the maximum.
    difference
        Log likelihood less that of the best rule; 0 for the best. Rules have the same number of parameters.
    bits_per_trial
        Information above chance in a trial, in bits.
    dprimes
        d' of each group.
    bias
        Bias of each answer, about their mean; it includes the criterion in a task that has one.

    Examples
    --------
    >>> from analysis import compare_rules
    >>> counts = [[[70, 30], [45, 55]], [[70, 30], [15, 85]]]
    >>> [score.rule for score in compare_rules(counts, "same-different")]
    ['differencing', 'likelihood']
    """

    rule: str
    log_likelihood: float
    difference: float
    bits_per_trial: float
    dprimes: tuple[float, ...]
    bias: tuple[float, ...]


@takes(rules=optional(some_names))
def compare_rules(
    counts: ArrayLike,
    task: Task | str,
    *,
    levels: ArrayLike | None = None,
    rules: Sequence[str] | None = None,
) -> tuple[RuleScore, ...]:
    """Return the decision rules of a task by how well they describe the same answers, the best first.

    Every group of trials (a level, a pair of stimuli) has its own d', or the d' of numeric levels is
    gain·level^exponent; all groups share one bias, or criterion. What tells rules apart is how biases, and
    errors of each sort, change with d': an unbiased observer of ABX or oddity whose groups have their own d'
    tells nothing, and the difference is about 0. Take a difference below 2 for none.

    Parameters
    ----------
    counts
        How often each answer was given (last axis) where each was right (the axis before), for each group,
        (groups, answers, answers), such as ``response_table(answers, by="level")``.
    task
        A task or the name of a declared one.
    levels
        Level of each group, above 0, (groups,); None if groups have their own d'.
    rules
        Names of rules of the task; None for all.

    Raises
    ------
    InputError
        If counts, levels or rules do not fit the task.

    Examples
    --------
    >>> counts = [[[70, 30], [45, 55]], [[70, 30], [15, 85]]]  # same, different at two levels
    >>> best, other = compare_rules(counts, "same-different")
    >>> best.rule, other.difference < -1
    ('differencing', True)
    """
    value = task_of(task)
    known = response_counts(counts, value)
    if known.ndim != 3:
        raise InputError(
            f"counts must be (groups, right answers, responses); their shape is {known.shape}"
        )
    asked = [rule_of(value, rule) for rule in (rules or value.rules)]
    law = own_dprimes(len(known)) if levels is None else power_of(_levels(levels, len(known)))
    found = [_score(known, value, name, law) for name in asked]
    best = max(score.log_likelihood for score in found)
    compared = [replace(score, difference=score.log_likelihood - best) for score in found]
    return tuple(sorted(compared, key=lambda score: -score.difference))


def _levels(levels: ArrayLike, n_groups: int) -> np.ndarray:
    known = as_numbers(levels, "levels")
    if known.shape != (n_groups,) or not ((known > 0) & np.isfinite(known)).all():
        raise InputError(
            f"levels must be {n_groups} numbers above 0, one for each group; not {briefly(levels)}"
        )
    return known


def _score(counts: np.ndarray, task: Task, rule: str, law: Law) -> RuleScore:
    structure, n = structure_of(task), counts.sum()
    link, rights = link_of(task, rule), np.trace(counts, axis1=1, axis2=2)
    shares = np.maximum(rights / counts.sum(axis=(1, 2)), link.guess)
    d = np.clip(link.dprime(shares), 0.3, 6.0)
    start = (law.start(d), starting_bias(structure, rule, float(d.mean())))
    best = most_likely(counts, structure, rule, law, start)
    bias = np.concatenate([[0.0], best.bias])
    chance = -float(n) * np.log(len(task.answers))
    return RuleScore(
        rule=rule,
        log_likelihood=best.log_likelihood,
        difference=0.0,
        bits_per_trial=float((best.log_likelihood - chance) / (n * np.log(2))),
        dprimes=tuple(law.dprime(best.parameters).tolist()),
        bias=tuple((bias - bias.mean()).tolist()),
    )
