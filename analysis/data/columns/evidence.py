"""Evidence of models about each row of a table: a distance, or a preference for the right answer."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.data.columns.meanings import numbers
from analysis.data.columns.roles import PREFERS, Says
from stimuli_store.errors import InputError, unknown_name

#: Whether the higher or the lower of two scores speaks for its answer.
_SIGNS: Mapping[str, float] = {"higher": 1.0, "lower": -1.0}


def evidence_of_rows(
    frame: pd.DataFrame,
    model: str,
    says: Says,
    *,
    answer: pd.Categorical,
    directed: np.ndarray,
    own: Mapping[str, str],
) -> np.ndarray:
    """Return a model's evidence about each row, float64 (n,), NaN where it says nothing.

    Parameters
    ----------
    frame
        The user's table.
    model, says
        The model, and its column or columns.
    answer
        The right answer of each row.
    directed
        Mask (n,) of rows whose task asks which of two stimuli is the higher; only there may evidence be
        negative: the model disagrees with the right answer.
    own
        The table's words to answers.

    Raises
    ------
    InputError
        If a distance is negative, or a score speaks for an answer that the task does not have.
    """
    if isinstance(says, str):
        found = numbers(frame[says], f"evidence.{model}")
        below = np.flatnonzero((found < 0) & ~directed)
        if len(below):
            row = int(below[0])
            raise InputError(
                f"the distances of the model {model} must not be negative; row {row + 1} has {found[row]:g} "
                "(only a task that asks which of two is the higher takes signed evidence; name the task)"
            )
        return found
    if not directed.all():
        raise InputError(
            f"the model {model} has scores by answer, for which the task must ask which of two is higher; "
            "name such a task, or give one column of distances"
        )
    return _preference(frame, model, says, answer, own)


def _preference(
    frame: pd.DataFrame,
    model: str,
    says: Mapping[str, str],
    answer: pd.Categorical,
    own: Mapping[str, str],
) -> np.ndarray:
    """Return the score of the right answer above the score of the other one."""
    prefers = says.get(PREFERS, "higher")
    if prefers not in _SIGNS:
        raise unknown_name(f"value of evidence.{model}.{PREFERS}", prefers, list(_SIGNS))
    columns = {word: column for word, column in says.items() if word != PREFERS}
    if not 1 <= len(columns) <= 2:
        raise InputError(
            f"evidence.{model} must name a column for one answer or for two; it names {len(columns)}"
        )
    total, at = np.zeros(len(frame)), np.asarray(answer.codes)
    for word, column in columns.items():
        mine = at == _code_of(word, model, answer, own)
        total += np.where(mine, 1.0, -1.0) * numbers(frame[column], f"evidence.{model}")
    return np.where(at < 0, np.nan, _SIGNS[prefers] * total)


def _code_of(word: str, model: str, answer: pd.Categorical, own: Mapping[str, str]) -> int:
    known = [str(category) for category in answer.categories]
    named = own.get(word, word).lower()
    at = [i for i, label in enumerate(known) if label.lower() == named]
    if not at:
        raise unknown_name(f"answer in evidence.{model}", word, known)
    return at[0]
