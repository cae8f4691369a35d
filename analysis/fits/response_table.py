"""Tables of given against right answers, which `fit_bias` and `compare_rules` take, from answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.kinds import scored_answers
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import some_names, takes


@takes(answers=scored_answers, by=some_names)
def response_table(answers: Answers, by: str | Sequence[str] = ()) -> np.ndarray:
    """Return how often each answer was given where each was right, in the order of the task's answers.

    Parameters
    ----------
    answers
        Answers of one task that say which answer was right and which was given.
    by
        Columns, by role or by the user's own name, whose values make groups; none for all answers together.

    Returns
    -------
    np.ndarray
        Right answers are rows and given ones columns, (answers, answers); with `by` one such table for each
        group, (groups, answers, answers), in the order of the rows of ``answers.counts(by)``.

    Raises
    ------
    InputError
        If there are several tasks or none, no answer is right (preferences), a row does not say which was
        given, or words are not answers of the task.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import fit_bias, read_trials
    >>> rows = [("first", "first", 90), ("first", "second", 10), ("second", "first", 40)]
    >>> rows += [("second", "second", 60)]
    >>> trials = pd.DataFrame([row[:2] for row in rows for _ in range(row[2])], columns=["right", "said"])
    >>> answers = read_trials(trials, {"answer": "right", "response": "said"}, task="2ifc")
    >>> response_table(answers).tolist()
    [[90.0, 10.0], [40.0, 60.0]]
    >>> fit_bias(response_table(answers), "2ifc").n_trials
    200
    """
    rows, task = answers.kept, answers.task
    codes = [_codes(rows[column], column, task) for column in ("answer", "response")]
    group, n = np.zeros(len(rows), dtype=np.intp), 1
    if by:
        keys = [rows[answers.column(name)] for name in by]
        place = rows.groupby(keys, observed=True, dropna=False, sort=True).ngroup()
        group, n = place.to_numpy(), int(place.max()) + 1
    table = np.zeros((n, len(task.answers), len(task.answers)))
    np.add.at(table, (group, *codes), rows["n_trials"].to_numpy())
    return table if by else table[0]


def _codes(column: pd.Series, name: str, task: Task) -> np.ndarray:
    """Return the place of each word among the task's answers (R,)."""
    words = column.astype(object)
    if lacking := int(words.isna().sum()):
        raise InputError(
            f"{lacking} of {len(words)} rows do not say which answer was "
            f"{'right' if name == 'answer' else 'given'}; name its column by the role {name!r}"
        )
    codes = pd.Index(task.answers).get_indexer(words)
    if (codes < 0).any():
        word = words[codes < 0].iloc[0]
        raise InputError(
            f"{word!r} is not an answer of the task {task.name!r} ({', '.join(task.answers)}); say which it "
            f"is by the role answers, as in answers={{{word!r}: {task.answers[0]!r}}}"
        )
    return codes
