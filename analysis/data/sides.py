"""Preferences between two stimuli, counted for one of the two however they were shown."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stimuli_store.tasks.types import Task

#: What is said of answers of which none is right.
PREFERENCES = (
    "no answer is right, since these are preferences: choices of one side of each pair are counted, the same "
    "one however the pair was shown, and there is no proportion correct, d' or threshold"
)


def one_side(table: pd.DataFrame, tasks: Mapping[str, Task], evidence: list[str]) -> pd.DataFrame:
    """Return preferences for the first answer as preferences for one stimulus of each pair.

    Rows are of one pair if they have the same image, level and size of all evidence. The first model that
    tells the two apart gives the side, and every other pair takes the opposite one, so that no model is
    favoured; where no model does, the first answer's side stays.

    Parameters
    ----------
    table
        Columns image, level, task, answer (the first of each task), n_correct, n_trials and the evidence.
    tasks
        Tasks of two answers by name.
    evidence
        Columns of evidence, positive where a model prefers the first answer.
    """
    says = table[evidence].fillna(0.0).to_numpy()
    first = np.sign(says[np.arange(len(says)), (says != 0).argmax(axis=1)]) if evidence else 0
    sizes = {name: np.abs(table[name]) for name in evidence}
    keys = table[["image", "level"]].assign(**sizes)
    pair = keys.groupby(list(keys), observed=True, dropna=False).ngroup().to_numpy()
    other = np.asarray(first * np.where(pair % 2, -1.0, 1.0)) < 0
    seconds = {name: task.answers[1] for name, task in tasks.items()}
    second = table["task"].astype(object).map(seconds)
    signs = np.where(other, -1.0, 1.0)
    answered = table["n_correct"].where(~other, table["n_trials"] - table["n_correct"])
    return table.assign(
        answer=table["answer"].where(~other, second),
        n_correct=np.where(table["excluded"] == "", answered, table["n_correct"]),
        **{name: signs * table[name] for name in evidence},
    )
