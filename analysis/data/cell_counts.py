"""From answers to counts by cell, for `analysis.ranking`."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analysis.data.answers import EVIDENCE, Answers
from analysis.data.cells import Cells
from analysis.data.tables import STIMULUS
from analysis.observers.structure import signal_of, structure_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Task

_MOST_VALUES = 12  # of a column that tells conditions apart


def cells_of(
    answers: Answers, models: Sequence[str] | None = None, conditions: Sequence[str] | None = None
) -> Cells:
    """Return answers as counts by participant, image, pair, condition, level, task and rule.

    Rows are of one pair if they have the same image, level, stimuli (where the table names them), and the
    same evidence. In a task with a criterion only trials with a difference are counted; those without one
    give the participant's criterion, with half a trial added to either answer.

    Parameters
    ----------
    answers
        Answers with evidence.
    models
        Labels of the models; None for all that have evidence in every row (`models_without_evidence` names
        the others).
    conditions
        Columns that tell conditions apart; None for those of `answers.conditions` that have at most 12
        values, none of which stands for an image.

    Raises
    ------
    InputError
        If a model or column is unknown, no task is stated, or a task with a criterion lacks trials with a
        difference.
    """
    kept = answers.kept
    tasks = _tasks(answers, kept)
    labels = _complete(answers, kept) if models is None else _named(answers, models)
    evidence = {label: kept[EVIDENCE + label].to_numpy(dtype=np.float64) for label in labels}
    level, words = _levels(kept["level"])
    image = _codes(kept["image"])
    chosen = telling_columns(kept, answers.conditions) if conditions is None else conditions
    told = [words, *(kept[answers.column(name)] for name in chosen)]
    stimuli = [kept[name] for name in kept if str(name).startswith(STIMULUS)]
    pair = _combined(
        [image, *(_codes(c) for c in (level, words, *stimuli, *evidence.values()))], len(kept)
    )[0]
    criterion, counted = _criteria(kept, tasks)
    rows = np.flatnonzero(counted)
    keys = [*(_codes(kept[name]) for name in ("participant", "task", "rule", *chosen)), pair]
    place, first = _combined([key[rows] for key in keys], len(rows))
    at = rows[first]

    def counts(name: str) -> np.ndarray:
        return np.bincount(place, kept[name].to_numpy(dtype=np.float64)[rows], minlength=len(at))

    names = {n: _texts(kept[n].iloc[at]) for n in ("participant", "image", "task", "rule")}
    return Cells(
        tasks=tasks,
        **names,
        pair=pair[at].astype(str),
        condition=np.array([" ".join(filter(None, c)) for c in _rows_of(told, at)], dtype=str),
        level=level[at],
        criterion=criterion[at],
        n_correct=counts("n_correct"),
        n_trials=counts("n_trials"),
        evidence={label: values[at] for label, values in evidence.items()},
    )


def _texts(column: pd.Series) -> np.ndarray:
    return column.astype(object).where(column.notna(), "").to_numpy(dtype=str)


def _rows_of(columns: list[pd.Series], at: np.ndarray) -> Iterator[tuple[str, ...]]:
    return zip(*(_texts(column.iloc[at]).tolist() for column in columns), strict=True)


def models_without_evidence(answers: Answers) -> tuple[str, ...]:
    """Return the labels of models that say nothing of some pair that was shown."""
    complete = _complete(answers, answers.kept)
    return tuple(label for label in answers.models if label not in complete)


def _complete(answers: Answers, kept: pd.DataFrame) -> list[str]:
    return [label for label in answers.models if kept[EVIDENCE + label].notna().all()]


def _named(answers: Answers, models: Sequence[str]) -> list[str]:
    for label in models:
        if label not in answers.models:
            raise unknown_name("model", str(label), list(answers.models))
    return list(models)


def _tasks(answers: Answers, kept: pd.DataFrame) -> dict[str, Task]:
    """Return the tasks of the answers that are kept."""
    used = [str(name) for name in kept["task"].unique()]
    if not all(name in answers.tasks for name in used):
        raise InputError(
            "no task is stated for these answers; name it, as in read_trials(..., task=...)"
        )
    return {name: answers.tasks[name] for name in used}


def _levels(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return levels as numbers (NaN where there is none), and as texts where they are words."""
    if column.dtype == np.float64:
        return column.to_numpy(), pd.Series("", index=column.index, dtype="category")
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    words = column.astype(object).where(numbers.isna() & column.notna(), "").astype(str)
    return numbers.to_numpy(), words


def telling_columns(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the columns whose values are few (12 at most), and are not each found with a single image."""
    image, found = _codes(rows["image"]), []
    for name in names:
        value = _codes(rows[name])
        n_values = int(value.max(initial=0)) + 1
        if 1 < n_values <= _MOST_VALUES:
            pairs = _combined([image, value], len(rows))[1]
            of_one_image = len(pairs) == n_values and image.max(initial=0) > 0
            found += [] if of_one_image else [name]
    return found


def _codes(column: pd.Series | np.ndarray) -> np.ndarray:
    return pd.factorize(column, use_na_sentinel=False)[0]


def _combined(codes: list[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the number of its combination of codes, and the first row of each combination."""
    number = np.zeros(n, dtype=np.int64)
    for code in codes:
        width = int(code.max(initial=0)) + 1
        if width > 1:
            number = pd.factorize(number * width + code)[0]
    return number, np.unique(number, return_index=True)[1]


def _criteria(rows: pd.DataFrame, tasks: Mapping[str, Task]) -> tuple[np.ndarray, np.ndarray]:
    """Return the criterion in each row (NaN without one), and whether the row's answer is counted."""
    criterion, counted = np.full(len(rows), np.nan), np.ones(len(rows), dtype=bool)
    people = _codes(rows["participant"])
    right, total = (rows[n].to_numpy(dtype=np.float64) for n in ("n_correct", "n_trials"))
    for name, task in tasks.items():
        if not task.criterion:
            continue
        here = (rows["task"] == name).to_numpy()
        signal = task.answers[signal_of(structure_of(task))]
        differs = (rows["answer"] == signal).to_numpy()
        if not (here & differs).any():
            raise InputError(
                f"the task {name!r} has no trial with the answer {signal!r}, so its models cannot be ranked; "
                "give the right answer of every trial"
            )
        counted[here & ~differs] = False
        noise = here & ~differs
        alarms, trials = (
            np.bincount(people[noise], n[noise], minlength=people.max() + 1)
            for n in (total - right, total)
        )
        criterion[here] = -ndtri((alarms + 0.5) / (trials + 1))[people[here]]
    return criterion, counted
