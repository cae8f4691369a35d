"""Checks of who answers how: reliably below chance, one answer too often, easy trials wrong."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import bdtr, chdtrc

from analysis.infer.holm import holm
from analysis.observers.counted.hits import HitCounts, fewer_hits
from analysis.observers.structure import signal_of, structure_of
from analysis.ranking.diagnostics import Diagnostic, listed, names_of, not_checked
from stimuli_store.tasks.types import REFERENCE, Task
from stimuli_store.tools.shown import p_value

_SURE = 0.01  # p below which a check is alarming
_SHOWN = 3
#: Sorts of groups that may be below chance; only the first of them in which some are is told.
_SORTS = (("participant",), ("image",), ("participant", "level"))
_EASY, _ENOUGH = (
    0.95,
    20,
)  # share of right answers of the others, and their number, at an easy level


def below_chance(rows: pd.DataFrame, tasks: Mapping[str, Task]) -> Diagnostic:
    """Return whether participants, levels or images are reliably answered worse than by guessing.

    The test is the binomial one, or in a task with a criterion Fisher's exact one of hits against false
    alarms, with Holm's correction over all participants, their levels, and images.
    """
    found = []
    for name, task in tasks.items():
        own = rows[rows["task"] == name]
        for sort, columns in enumerate(_SORTS):
            found += [(sort, *one) for one in _worse_than_guessing(own, task, columns)]
    corrected = holm([p for _, _, p in found])
    sure = [
        (sort, said, p) for (sort, said, _), p in zip(found, corrected, strict=True) if p <= _SURE
    ]
    if not sure:
        return Diagnostic(
            name="below chance",
            sentence="no participant, level or image is reliably answered below chance",
            p=min(corrected, default=1.0),
        )
    wide = [one for one in sure if one[0] == min(sort for sort, _, _ in sure)]
    wide.sort(key=lambda one: one[2])
    more = f" and {len(wide) - _SHOWN} more" if len(wide) > _SHOWN else ""
    question = "are the keys swapped?"
    if any(REFERENCE in {role.name for role in task.roles} for task in tasks.values()):
        question = "are the keys swapped, or do people disagree with what counts as right?"
    named = "; ".join(said for _, said, _ in wide[:_SHOWN])
    return Diagnostic(
        name="below chance",
        sentence=f"reliably below chance: {named}{more}; {question}",
        p=min(corrected),
        alarming=True,
    )


def _worse_than_guessing(
    rows: pd.DataFrame, task: Task, columns: Sequence[str]
) -> Iterator[tuple[str, float]]:
    """Yield the counts of each group in words, and the p-value of answers no worse than guessing."""
    keys = [rows[name] for name in columns]
    if any(key.isna().any() or key.nunique() < 2 for key in keys[1:]):
        return
    for key, group in rows.groupby(keys, observed=True, sort=True):
        right, total = (int(group[name].sum()) for name in ("n_correct", "n_trials"))
        named = names_of(columns, key)
        if task.guess is not None:
            p = float(bdtr(right, total, task.guess))
            yield (
                f"{named} is right in {right} of {total} trials (chance {100 * task.guess:.0f} %)",
                p,
            )
            continue
        signal = group[group["answer"] == task.answers[signal_of(structure_of(task))]]
        hits, n_signal = (int(signal[name].sum()) for name in ("n_correct", "n_trials"))
        alarms = (total - n_signal) - (right - hits)
        if 0 < n_signal < total:
            said = f"{named} has {hits} hits of {n_signal} and {alarms} false alarms of {total - n_signal}"
            yield said, _rarer(hits, n_signal, alarms, total - n_signal)


def _rarer(k: int, n: int, others: int, m: int) -> float:
    """Return the p-value of Fisher's exact test that k of n are no rarer than `others` of m."""
    counts = (np.array([value]) for value in (k, n, others, m))
    names = ("n_hits", "n_signal", "n_false_alarms", "n_noise")
    return float(fewer_hits(HitCounts(**dict(zip(names, counts, strict=True))))[0])


def _words(task: Task, columns: Sequence[pd.Series]) -> list[str]:
    """Return the answers of a task, or the table's own words where these stand for them."""
    words = {str(value) for column in columns for value in column.unique()}
    return list(task.answers) if words <= set(task.answers) else sorted(words)


def interval_bias(rows: pd.DataFrame, tasks: Mapping[str, Task]) -> Diagnostic:
    """Return whether an answer is given more often than it is right.

    The test is that of marginal homogeneity of right against given answers (Stuart 1955, Biometrika 42, 412;
    with two answers McNemar's), summed over participants. In a task with a criterion bias is its own
    quantity, and is not tested here.
    """
    used = rows[rows["response"].notna() & rows["answer"].notna()]
    statistic, free, said = 0.0, 0, []
    for name, task in tasks.items():
        own = used[used["task"] == name]
        if task.criterion or not len(own):
            continue
        both = [own[column].astype(object) for column in ("answer", "response")]
        words = _words(task, both)
        codes, m = [pd.Categorical(column, categories=words).codes for column in both], len(words)
        for _, at in own.groupby("participant", observed=True).indices.items():
            table = np.zeros((m, m))
            np.add.at(table, (codes[0][at], codes[1][at]), 1.0)
            value, df = marginal_homogeneity(table)
            statistic, free = statistic + value, free + df
        right, given = (np.bincount(code, minlength=m) / len(own) for code in codes)
        most = int((given - right).argmax())
        said.append(
            f"{words[most]!r} is given in {100 * given[most]:.0f} % of trials and right in "
            f"{100 * right[most]:.0f} %"
        )
    if not free:
        return not_checked(
            "interval bias", "no task without a criterion says which answer was given"
        )
    p = float(chdtrc(free, statistic))
    return Diagnostic(
        name="interval bias",
        sentence=f"{'; '.join(said)} ({p_value(p)} over participants)",
        p=p,
        alarming=p <= _SURE,
    )


def marginal_homogeneity(table: np.ndarray) -> tuple[float, int]:
    """Return Stuart's χ² of equal margins of a square table of counts (m, m), and its degrees of freedom.

    Examples
    --------
    >>> import numpy as np
    >>> marginal_homogeneity(np.array([[5, 9], [1, 5]]))  # McNemar: (9 − 1)²/(9 + 1)
    (6.4, 1)
    """
    gap = table.sum(axis=1) - table.sum(axis=0)
    covariance = np.diag(table.sum(axis=1) + table.sum(axis=0)) - table - table.T
    free = int(np.linalg.matrix_rank(covariance, hermitian=True))
    inverse = np.linalg.pinv(covariance, hermitian=True)
    return float(np.round(gap @ inverse @ gap, 12)), free


def lapses(rows: pd.DataFrame) -> Diagnostic:
    """Return who errs more than the others at levels that are easy for these.

    A level is easy for a participant if the others have at least 20 answers there and 95 % of them right.
    The test is Fisher's exact one, with Holm's correction over participants.
    """
    keys = [rows[name] for name in ("task", "level")]
    level = rows.groupby(keys, observed=True, dropna=False).ngroup().to_numpy()
    person, people = pd.factorize(rows["participant"])
    shape = (len(people), int(level.max(initial=0)) + 1)
    right, total = (np.zeros(shape) for _ in range(2))
    np.add.at(right, (person, level), rows["n_correct"].to_numpy())
    np.add.at(total, (person, level), rows["n_trials"].to_numpy())
    others = [n.sum(axis=0) - n for n in (right, total)]
    easy = (others[1] >= _ENOUGH) & (others[0] >= _EASY * others[1]) & (total > 0)
    tested = np.flatnonzero(easy.any(axis=1))
    if not len(tested):
        return not_checked(
            "lapses", "no level is easy enough: 95 % right in 20 answers of the others"
        )
    counts = [[int(n[i][easy[i]].sum()) for n in (right, total, *others)] for i in tested.tolist()]
    corrected = holm([_rarer(*count) for count in counts])
    wrong = sum(n - k for k, n, _, _ in counts) / sum(n for _, n, _, _ in counts)
    many = [
        f"{people[i]} errs in {count[1] - count[0]} of {count[1]} easy trials"
        for i, count, p in zip(tested.tolist(), counts, corrected, strict=True)
        if p <= _SURE
    ]
    said = f"{100 * wrong:.1f} % of the answers at easy levels are wrong"
    return Diagnostic(
        name="lapses",
        sentence=f"{said}; {listed(many)}, more than the others" if many else said,
        p=min(corrected),
        value=float(wrong),
        alarming=bool(many),
    )
