"""Signal detection theory: d' to proportion correct and back, for any task and rule.

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

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import as_numbers
from analysis.observers.links import link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task


def task_of(task: Task | str) -> Task:
    """Return a task given by its name or as itself."""
    return task_named(task) if isinstance(task, str) else task


def p_correct(dprime: ArrayLike, task: Task | str = ABX, rule: str | None = None) -> np.ndarray:
    """Return the proportion correct at sensitivity `dprime` (float64, same shape).

    Parameters
    ----------
    task
        A task or the name of a declared one.
    rule
        One of its decision rules; None for the first.

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

    Raises
    ------
    InputError
        If a proportion lies outside [0, 1], is missing (NaN) or no number.

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

    Examples
    --------
    >>> guess_rate("abx"), guess_rate("4afc")
    (0.5, 0.25)
    """
    value = task_of(task)
    return 1 / len(value.answers) if value.guess is None else value.guess
