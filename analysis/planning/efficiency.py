"""Efficiency of tasks: how many trials each needs for the same precision of d'."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.observers.links import link_of
from analysis.observers.sdt import task_of, trials_for
from analysis.ranking.diagnose import rules_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_list, a_positive, optional, takes


@takes(dprime=a_positive, standard_error=a_positive, tasks=optional(a_list))
def task_efficiency(
    dprime: float = 1.0,
    standard_error: float = 0.2,
    tasks: Sequence[Task | str] | None = None,
) -> pd.DataFrame:
    """Return the trials that tasks need for a standard error of d', the most efficient first.

    Parameters
    ----------
    dprime, standard_error
        True d', and the standard error wanted.
    tasks
        Tasks or their names; None for all declared ones without a criterion.

    Returns
    -------
    pandas.DataFrame
        Columns task, rule, p_correct (at this d'), trials, and efficiency, relative to the best row.

    Raises
    ------
    InputError
        If a task is unknown or has a criterion, or the standard error is not above 0.

    Examples
    --------
    >>> task_efficiency(tasks=["2ifc", "4iax"]).trials.tolist()
    [95, 154, 337]
    """
    chosen = [task_of(task) for task in (TASKS.values() if tasks is None else tasks)]
    if tasks is None:
        chosen = [task for task in chosen if not task.criterion]
    if not chosen:
        raise InputError("tasks is empty; name at least one task, or give None for all")
    rows = []
    for task in chosen:
        if task.criterion:
            raise InputError(
                f"the task {task.name!r} has a criterion, so its trials depend on the observer's bias; "
                "leave it out"
            )
        for rule in rules_of(task):
            p = float(link_of(task, rule).p_correct(np.asarray(dprime)))
            trials = trials_for(standard_error, dprime, task, rule)
            rows.append({"task": task.name, "rule": rule, "p_correct": p, "trials": trials})
    table = pd.DataFrame(rows).sort_values("trials", kind="stable", ignore_index=True)
    return table.assign(efficiency=table.trials.min() / table.trials)
