"""Signal detection theory: d' to proportion correct and back, and its precision, for any task and rule.

A task is given by its name or as a value. Formulas are in `analysis.observers.links`; for example

==========  ================  ==========================================  ==========================
task        rule              proportion correct                          d' at 75 % correct
==========  ================  ==========================================  ==========================
``2ifc``    ``likelihood``    Φ(d/√2)                                     0.95
``abx``     ``independent``   Φ(d/√2)Φ(d/2) + Φ(−d/√2)Φ(−d/2)             1.79
``abx``     ``differencing``  Φ(d/√2)Φ(d/√6) + Φ(−d/√2)Φ(−d/√6)           2.02
``oddity``  ``differencing``  1 − 4·T(d/√6, √3), T Owen's function        2.80
==========  ================  ==========================================  ==========================

Source: Macmillan & Creelman (2005), *Detection Theory: A User's Guide*, chapters 7 and 9.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import as_numbers
from analysis.observers.links import link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_number, a_positive, briefly, takes


def task_of(task: Task | str) -> Task:
    """Return a task given by its name or as itself.

    Raises
    ------
    InputError
        If it is neither, or no task has this name.
    """
    if not isinstance(task, str | Task):
        raise InputError(f"a task must be a name, such as 'abx', or a Task; not {briefly(task)}")
    return task_named(task) if isinstance(task, str) else task


def p_correct(dprime: ArrayLike, task: Task | str = ABX, rule: str | None = None) -> np.ndarray:
    """Return the proportion correct at sensitivity `dprime` (float64, same shape).

    Parameters
    ----------
    dprime
        Sensitivity, in standard deviations of one percept; a number or an array of any shape.
    task
        A task or the name of a declared one.
    rule
        Name of one of its decision rules; None for the first.

    Raises
    ------
    InputError
        If a d' is missing (NaN) or no number, or the task has no such rule.

    Examples
    --------
    >>> round(float(p_correct(1.79)), 2), round(float(p_correct(2.02, rule="differencing")), 2)
    (0.75, 0.75)
    """
    return np.asarray(link_of(task_of(task), rule).p_correct(as_numbers(dprime, "d'")))


def dprime(p_correct: ArrayLike, task: Task | str = ABX, rule: str | None = None) -> np.ndarray:
    """Return the d' at proportion correct `p_correct` (float64, same shape).

    At 1 it is infinite. Below chance it is negative in 2IFC; in ABX, where a negative d' would give
    the same answers as a positive one, it is 0.

    Parameters
    ----------
    p_correct
        Proportion correct from 0 to 1; a number or an array of any shape.
    task, rule
        As for the function `p_correct`.

    Raises
    ------
    InputError
        If a proportion lies outside [0, 1], is missing (NaN) or no number, or the task has no such rule.

    Examples
    --------
    >>> float(np.round(dprime(0.75, task="2ifc"), 3))
    0.954
    """
    link = link_of(task_of(task), rule)
    p = as_numbers(p_correct, "proportions correct")
    outside = p[(p < 0) | (p > 1)]
    if outside.size:
        raise InputError(
            f"a proportion correct must lie between 0 and 1; {outside.flat[0]:g} was given"
        )
    return np.asarray(link.dprime(p))


def guess_rate(task: Task | str) -> float:
    """Return the proportion correct of a task for an observer who sees no difference.

    In a task with a criterion it is that of an observer without bias.

    Parameters
    ----------
    task
        A task or the name of a declared one.

    Raises
    ------
    InputError
        If no task has this name.

    Examples
    --------
    >>> guess_rate("abx"), guess_rate("4afc")
    (0.5, 0.25)
    """
    value = task_of(task)
    return 1 / len(value.answers) if value.guess is None else value.guess


def dprime_error(
    dprime: ArrayLike, n_trials: ArrayLike, task: Task | str = ABX, rule: str | None = None
) -> np.ndarray:
    """Return the standard error of d' from n trials of an unbiased observer, √(P(1 − P)/n) / (dP/dd').

    It is infinite where P does not depend on d'.

    Parameters
    ----------
    dprime
        Sensitivity; a number or an array.
    n_trials
        Number of trials behind it, above 0; a number, or an array that can be broadcast with `dprime`.
    task, rule
        As for the function `p_correct`.

    Raises
    ------
    InputError
        If a number of trials is not above 0, a number is missing, or the task has no such rule.

    Examples
    --------
    >>> round(float(dprime_error(1.0, 100, "2ifc")), 3)
    0.194
    """
    d, n = as_numbers(dprime, "d'"), as_numbers(n_trials, "n_trials")
    if not (n > 0).all():
        raise InputError(f"n_trials must be above 0; {float(n.min()):g} was given")
    link = link_of(task_of(task), rule)
    p, slope = link.p_correct(d), np.abs(link.slope(d))
    spread = np.sqrt(p * (1 - p) / n)
    return np.divide(spread, slope, out=np.full(np.shape(spread * slope), np.inf), where=slope > 0)


@takes(standard_error=a_positive, dprime=a_number)
def trials_for(
    standard_error: float, dprime: float, task: Task | str = ABX, rule: str | None = None
) -> int:
    """Return the number of trials after which d' has a standard error, for an unbiased observer.

    Parameters
    ----------
    standard_error
        Standard error of d' to reach, above 0.
    dprime
        Sensitivity at which it is to be reached.
    task, rule
        As for the function `p_correct`.

    Raises
    ------
    InputError
        If the standard error is not above 0, no number of trials is enough (d' 0 in ABX), or the task has no
        such rule.

    Examples
    --------
    >>> trials_for(0.2, 1.0, "2ifc"), trials_for(0.2, 1.0, "abx"), trials_for(0.2, 1.0, "oddity")
    (95, 195, 250)
    """
    of_one = float(dprime_error(dprime, 1, task, rule))
    if not math.isfinite(of_one):
        raise InputError(
            f"no number of trials of the task {task_of(task).name!r} tells a d' of {dprime:g} from its "
            "neighbours; give another d'"
        )
    return math.ceil((of_one / standard_error) ** 2)
