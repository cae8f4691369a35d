"""Answers: a checked table of trials, or of counts of right answers, with what each column means."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.describing import facts_of
from analysis.data.exclusions import (
    DROPPED_FRAMES,
    PARTICIPANT,
    RESPONSE_TIME,
    outside,
    reason_counts,
    with_reason,
    without_reason,
)
from analysis.data.row_groups import RowKey, row_groups
from analysis.observers.rules import rule_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Task
from stimuli_store.tools import gates, html

EVIDENCE = "evidence_"
_SHOWN_ROWS = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Answers of one or several experiments, checked by `read_trials` or `answers_of`.

    A row of `table` is one trial, or one cell of counts. It always has the columns

    - ``participant``, ``image``, ``task``, ``rule`` (categorical text; an image may be missing, a task "");
    - ``session`` and ``order`` (int64; position in the participant's session, see `in_time`);
    - ``level`` (float64, NaN where missing; objects where levels are words);
    - ``answer`` and ``response`` (the right answer and the given one: categorical text with the same
      categories, missing where unknown);
    - ``n_correct`` and ``n_trials`` (float64; a trial is 0 or 1 of 1, and 0 without an answer);
    - ``rt_s`` (float64, seconds, NaN where unknown) and ``simulated`` (bool);
    - ``excluded`` (categorical text: "" or the reasons why the row is left out, separated by "; ");
    - ``evidence_<model>`` (float64) for each model: a distance, or, in a task that asks which stimulus is the
      higher, a preference that is positive if the model agrees with the right answer.

    Attributes
    ----------
    table
        The rows; further columns of the user keep their names.
    tasks
        The tasks by the name in the column ``task``; a table without a task has none.
    unit
        Unit of the levels; "" if there is none, or several.
    conditions
        Names of the further columns that may tell conditions apart.
    columns
        Column of the user to the column that it became.
    source
        Where the answers came from, for reports.
    in_time
        Whether ``order`` is the order of time, as journals, PsychoPy's data files and the role order say;
        otherwise it is the order of the rows, from which nothing follows.
    preferences
        Whether no answer is right: then ``answer`` is one side of each pair, the same one however the pair
        was shown, and ``n_correct`` counts the choices of that side.
    notes
        Sentences about what was read and may need a look.

    Examples
    --------
    >>> from analysis.data.reading import read_trials
    >>> answers = read_trials([[1, 6, 10], [2, 9, 10]])
    >>> answers.exclude("too easy", answers.table.level > 1).counts().values.tolist()
    [[1.0, 6.0, 10.0]]
    """

    table: pd.DataFrame
    tasks: Mapping[str, Task]
    unit: str = ""
    conditions: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    in_time: bool = False
    preferences: bool = False
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> pd.DataFrame:
        """Rows that are not left out. Every analysis takes these, so here is the gate between the two sorts.

        Raises
        ------
        InputError
            If some of them are simulated and some are of people: the two are never pooled unasked.
        """
        rows = self.table[self._is_kept]
        simulated = int(rows.simulated.sum())
        if 0 < simulated < len(rows):
            raise InputError(
                f"{simulated} of these {len(rows)} answers are simulated and the others are of people; take "
                "one sort, as with answers.only(simulated=False), or by naming its files"
            )
        return rows

    @property
    def _is_kept(self) -> np.ndarray:
        return np.asarray(self.table.excluded == "")

    @property
    def exclusions(self) -> pd.DataFrame:
        """Reasons with the number of rows that have each (columns reason, trials)."""
        return reason_counts(self.table.excluded)

    @property
    def models(self) -> tuple[str, ...]:
        """Labels of the models with evidence."""
        named = (str(name) for name in self.table.columns)
        return tuple(name[len(EVIDENCE) :] for name in named if name.startswith(EVIDENCE))

    @property
    def task(self) -> Task:
        """The only task.

        Raises
        ------
        InputError
            If there is none, or there are several.
        """
        used = [str(name) for name in self.table.task.unique()]
        if len(used) > 1:
            raise InputError(
                f"these answers are of several tasks ({', '.join(sorted(used))}); take one of them, as with "
                f"answers.only(task={used[0]!r})"
            )
        if not used or used[0] not in self.tasks:
            raise InputError(
                "no task is stated for these answers; name it, as in read_trials(..., task=...)"
            )
        return self.tasks[used[0]]

    @gates.takes(name=gates.a_text)
    def column(self, name: str) -> str:
        """Return the column of `table` for a role, or for a name that it had in the user's own table.

        Raises
        ------
        InputError
            If there is none; the nearest name is given.
        """
        if name in self.table.columns:
            return name
        if name not in self.columns:
            known = dict.fromkeys([*map(str, self.table.columns), *self.columns])
            raise unknown_name("column", str(name), list(known))
        return self.columns[name]

    @gates.takes(reason=gates.a_text)
    def exclude(self, reason: str, mask: Any) -> "Answers":
        """Return these answers with the rows of `mask` left out, for a reason in words.

        Parameters
        ----------
        reason
            A few words, under which `include` takes it back.
        mask
            Booleans (rows,), in the order of `table`, excluded rows included.

        Raises
        ------
        InputError
            If the mask is not one boolean for each row.
        """
        chosen = np.asarray(mask)
        if chosen.shape != (len(self.table),) or chosen.dtype != bool:
            raise InputError(
                f"a mask must be {len(self.table)} booleans, one for each row of answers.table; not "
                f"{chosen.dtype} of shape {chosen.shape}"
            )
        return self._with(excluded=with_reason(self.table.excluded, reason, chosen))

    @gates.takes(reason=gates.a_text)
    def include(self, reason: str) -> "Answers":
        """Return these answers without one reason; an unanswered trial that is included counts as wrong."""
        return self._with(excluded=without_reason(self.table.excluded, reason))

    @gates.takes(min_s=gates.a_not_negative, max_s=gates.a_not_negative_or_infinite)
    def exclude_rt(self, min_s: float = 0.0, max_s: float = np.inf) -> "Answers":
        """Return these answers without those given before `min_s` or after `max_s` seconds.

        Trials without a response time stay.

        Raises
        ------
        InputError
            If the bounds are not in order, no row has a response time, or all of them lie outside.
        """
        return self.exclude(RESPONSE_TIME, outside(self.table.rt_s.to_numpy(), min_s, max_s))

    @gates.takes(names=gates.some_labels, reason=gates.a_text)
    def exclude_participants(self, names: str | Collection[str], reason: str = "") -> "Answers":
        """Return these answers without some participants."""
        known = [str(name) for name in self.table.participant.unique()]
        for name in names:
            if name not in known:
                raise unknown_name("participant", name, known)
        return self.exclude(reason or PARTICIPANT, self.table.participant.isin(names))

    def exclude_dropped_frames(self) -> "Answers":
        """Return these answers without trials in which a frame came late while a picture was shown.

        Raises
        ------
        InputError
            If the table does not say how many frames were dropped.
        """
        if "dropped_frames" not in self.table:
            raise InputError(
                "these answers do not say which frames were dropped; only session journals do, and tables "
                "with a column dropped_frames"
            )
        dropped = self.table.dropped_frames.fillna(0).to_numpy(dtype=np.float64)
        return self.exclude(DROPPED_FRAMES, dropped > 0)

    def only(self, **equal: Any) -> "Answers":
        """Return the answers whose columns equal a value, or are one of several.

        Names are roles or the user's own, as in ``answers.only(participant=["a", "b"], level=2)``.

        Raises
        ------
        InputError
            If there is no such column, or nothing is left.
        """
        found = np.ones(len(self.table), dtype=bool)
        for name, value in equal.items():
            rows = self.table[self.column(name)]
            mask = rows.isin(gates.some_values(value, name)).to_numpy()
            if not mask.any():
                known = sorted({str(v) for v in rows.dropna().unique()})
                raise unknown_name(f"value of {name}", value, known)
            found &= mask
        if not found.any():
            raise InputError(f"no answer has {', '.join(f'{k} = {v}' for k, v in equal.items())}")
        return replace(self, table=self.table[found].reset_index(drop=True))

    @gates.takes(by=gates.some_names)
    def groups(self, by: str | Sequence[str]) -> Iterator[tuple[RowKey, "Answers"]]:
        """Yield a key and the answers of every combination of values in some columns, in ascending order.

        Columns are roles or the user's own names; a missing value is None in the key. Combinations of which
        every row is left out are passed over. Without columns there is one group, of all answers.
        """
        keys = [self.table[self.column(name)] for name in by]
        if not len(self.table):
            return
        if not keys:
            yield (), self
            return
        kept = self._is_kept
        for key, rows in row_groups(keys):
            if kept[rows].any():
                yield key, replace(self, table=self.table.iloc[rows].reset_index(drop=True))

    @gates.takes(by=gates.some_names)
    def counts(self, by: str | Sequence[str] = ("level",)) -> pd.DataFrame:
        """Return right answers and trials of the kept rows by columns: the keys, n_correct and n_trials."""
        rows, summed = self.kept, ["n_correct", "n_trials"]
        keys = [rows[self.column(name)].rename(name) for name in by]
        if not keys:
            return rows[summed].sum().to_frame().T
        grouped = rows.groupby(keys, observed=True, dropna=False, sort=True)
        return grouped[summed].sum().reset_index()

    @gates.takes(rule=gates.a_text)
    def with_rule(self, rule: str) -> "Answers":
        """Return the same answers under another decision rule, which every task must have."""
        for name in self.table.task.unique():
            rule_of(self.only(task=name).task, rule)
        codes = np.zeros(len(self.table), dtype=np.int8)
        return self._with(rule=pd.Categorical.from_codes(codes, categories=[rule]))

    def _with(self, **columns: Any) -> "Answers":
        table = self.table.copy(deep=False)
        for name, values in columns.items():
            table[name] = values
        return replace(self, table=table)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Answers({', '.join(f'{what}: {said}' for what, said in facts_of(self))})"

    def _repr_html_(self) -> str:
        facts = html.table([], [[what, said] for what, said in facts_of(self)])
        return facts + self.table.head(_SHOWN_ROWS).to_html(index=False)
