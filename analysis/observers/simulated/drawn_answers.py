"""Answers of simulated observers with a given d', drawn trial by trial from noisy percepts."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import as_numbers
from analysis.observers.responses import answer_scores, best_bias
from analysis.observers.rules import rule_of
from analysis.observers.sdt import task_of
from analysis.observers.structure import structure_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_number, like, takes


@takes(rng=like("a generator, such as np.random.default_rng(0)", "standard_normal"), lapse=a_number)
def draw_answers(
    task: Task | str,
    dprime: ArrayLike,
    rng: np.random.Generator,
    *,
    rule: str | None = None,
    bias: ArrayLike | None = None,
    lapse: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the right answer and the response of n trials, two arrays (n,) of indices of the task's answers.

    Parameters
    ----------
    task
        A task or the name of a declared one.
    dprime
        Sensitivity in each trial, 0 or more, (n,).
    rng
        Draws the cell of each trial (all equally often), percepts and lapses.
    rule
        One of the task's decision rules; None for the first.
    bias
        What is added to the score of each answer, (answers,), in standard deviations of a percept; None for
        an observer without bias.
    lapse
        Probability of a random response.

    Raises
    ------
    InputError
        If a number is missing or out of its range, or the bias does not fit the task's answers.

    Examples
    --------
    >>> right, said = draw_answers("abx", np.full(10_000, 2.0), np.random.default_rng(0))
    >>> round(float((right == said).mean()), 2)
    0.79
    """
    value = task_of(task)
    name, structure = rule_of(value, rule), structure_of(value)
    d = as_numbers(dprime, "d'")
    added = as_numbers(np.zeros(structure.n_answers) if bias is None else bias, "biases")
    if d.ndim != 1 or (d < 0).any() or not 0 <= lapse <= 1:
        raise InputError(
            "a simulated observer needs a d' of 0 or more for each trial, (n,), and a lapse rate from 0 to "
            f"1; d' of shape {d.shape} and lapse={lapse!r} were given"
        )
    if added.shape != (structure.n_answers,):
        raise InputError(
            f"the task {value.name!r} has {structure.n_answers} answers, so that a bias is "
            f"{structure.n_answers} numbers; not an array of shape {added.shape}"
        )
    cell = rng.integers(len(structure.cells), size=len(d))
    x = rng.standard_normal((len(d), len(structure.parts))) + d[:, None] * structure.at[cell]
    scores = answer_scores(structure, name, d, x) + best_bias(structure, name, d) + added
    said = np.where(
        rng.random(len(d)) < lapse,
        rng.integers(structure.n_answers, size=len(d)),
        scores.argmax(axis=1),
    )
    return structure.answers[cell], said
