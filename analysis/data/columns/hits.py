"""Trials with and without a difference in tasks with a criterion: hits, false alarms, reports of one."""

import numpy as np
import pandas as pd

from analysis.observers.structure import signal_of, structure_of
from stimuli_store.tasks.types import Task


def differing(rows: pd.DataFrame, task: Task) -> np.ndarray:
    """Return which rows (N,) are trials with a difference, by their right answer."""
    return np.asarray(rows.answer == task.answers[signal_of(structure_of(task))], dtype=bool)


def reports(rows: pd.DataFrame, task: Task) -> np.ndarray:
    """Return how often a difference was reported in each row (N,), whether there was one or not."""
    right, total = rows.n_correct.to_numpy(), rows.n_trials.to_numpy()
    return np.where(differing(rows, task), right, total - right)


def hit_counts(rows: pd.DataFrame, place: np.ndarray, kin: np.ndarray, task: Task) -> np.ndarray:
    """Return hits, trials with a difference, false alarms and trials without one of groups, (4, G).

    Where all trials of a group have a difference, the trials without one are those of its kin that have none
    with one, as when trials without a difference are at level 0.

    Parameters
    ----------
    rows
        Kept rows of answers (N of them); those without a right answer do not count.
    place
        Index of each row's group (N,).
    kin
        A number for each group (G,): groups that differ in nothing but their level have the same.
    task
        The task, which has a criterion.
    """
    differs = differing(rows, task)
    noise = np.asarray(rows.answer.notna()) & ~differs
    right, total = rows.n_correct.to_numpy(), rows.n_trials.to_numpy()
    hits, n_signal, alarms, n_noise = (
        np.bincount(place, np.where(mask, values, 0.0), minlength=len(kin))
        for values, mask in (
            (right, differs),
            (total, differs),
            (total - right, noise),
            (total, noise),
        )
    )
    alone, shared = (n_signal > 0) & (n_noise == 0), n_signal == 0
    known = np.array([alarms, n_noise])
    theirs = np.array([np.bincount(kin, np.where(shared, one, 0.0))[kin] for one in known])
    alarms, n_noise = np.where(alone, theirs, known)
    return np.array([hits, n_signal, alarms, n_noise])
