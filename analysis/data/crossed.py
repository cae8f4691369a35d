"""Counts of right answers by person, image and level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import check_counts, numbers_of
from stimuli_store.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossedCounts:
    """Rows of counts: labels of people and images (R,), levels, right answers and trials, float64 (R,).

    `images` is None where images are not told apart.
    """

    people: np.ndarray
    images: np.ndarray | None
    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class CellTable:
    """Counts of C cells, each of one person and one image, at L levels.

    Attributes
    ----------
    labels
        Labels of the people and of the images, by name of the factor.
    codes
        Level of the factor in each cell (C,), by name of the factor.
    levels, n_correct, n_trials
        Counts by cell (C, L); a cell with fewer levels is filled up with counts of 0.
    """

    labels: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]
    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray


def crossed_counts(
    participant: ArrayLike,
    image: ArrayLike | None,
    level: ArrayLike | None,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
) -> CrossedCounts:
    """Return checked rows; those without trials are left out, and without `level` all are at level 1.

    Raises
    ------
    InputError
        If the lists differ in length, hold no trial, or a count is not 0 <= n_correct <= n_trials.
    """
    people = labels_of(participant, "participant")
    images = None if image is None else labels_of(image, "image")
    given = {"level": level, "n_correct": n_correct, "n_trials": n_trials}
    made = {n: np.atleast_1d(numbers_of(v, n)) for n, v in given.items() if v is not None}
    levels = made.get("level", np.ones(len(people)))
    right, total = (made.get(name, np.empty(0)) for name in ("n_correct", "n_trials"))
    columns = [people, levels, right, total] + ([] if images is None else [images])
    if len({v.shape for v in columns}) != 1 or people.ndim != 1:
        raise InputError(
            "participant, image, level, n_correct and n_trials must be lists of the same length; "
            f"their shapes are {', '.join(str(v.shape) for v in columns)}"
        )
    check_counts(right, total)
    used = total > 0
    return CrossedCounts(
        people=people[used],
        images=None if images is None else images[used],
        levels=levels[used],
        n_correct=right[used],
        n_trials=total[used],
    )


def labels_of(values: ArrayLike, name: str) -> np.ndarray:
    """Return labels as an array of at least one dimension; mixed ones become text.

    Raises
    ------
    InputError
        If one of them is missing.

    Examples
    --------
    >>> labels_of([1, "a"], "participant").tolist()
    ['1', 'a']
    """
    given = np.atleast_1d(np.asarray(values, dtype=None if hasattr(values, "dtype") else object))
    missing = [value is None or value != value for value in given.ravel().tolist()]
    if any(missing):
        raise InputError(f"{name} is missing in row {missing.index(True)}; leave out such rows")
    return given if given.dtype != object else np.array(given.tolist()).astype(str)


def cell_table(counts: CrossedCounts) -> CellTable:
    """Return the counts of each cell of one person and one image, at its own levels.

    Examples
    --------
    >>> rows = crossed_counts(["a", "a", "b"], ["x", "x", "x"], [1, 2, 2], [3, 4, 4], [5, 5, 5])
    >>> cell_table(rows).n_trials.tolist()
    [[5.0, 5.0], [5.0, 0.0]]
    """
    labels, codes = {}, {}
    given = {"participants": counts.people, "images": counts.images}
    for name, column in given.items():
        if column is not None:
            labels[name], codes[name] = np.unique(column, return_inverse=True)
    both = np.stack(list(codes.values()))
    cells, cell = np.unique(both, axis=1, return_inverse=True)
    pairs = np.stack([cell.ravel(), np.unique(counts.levels, return_inverse=True)[1]])
    kept, first, row = np.unique(pairs, axis=1, return_index=True, return_inverse=True)
    begins = np.searchsorted(kept[0], np.arange(cells.shape[1]))
    place = (kept[0], np.arange(kept.shape[1]) - begins[kept[0]])
    shape = (cells.shape[1], int(place[1].max()) + 1)
    levels = np.tile(counts.levels[first][begins][:, None], shape[1])
    levels[place] = counts.levels[first]
    sums = []
    for values in (counts.n_correct, counts.n_trials):
        table = np.zeros(shape)
        table[place] = np.bincount(row.ravel(), values)
        sums.append(table)
    return CellTable(
        labels=labels,
        codes=dict(zip(codes, cells, strict=True)),
        levels=levels,
        n_correct=sums[0],
        n_trials=sums[1],
    )
