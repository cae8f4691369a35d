"""Rows of a table by the values of some columns."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

RowKey = tuple[float | int | str | None, ...]


def row_groups(keys: Sequence[pd.Series]) -> Iterator[tuple[RowKey, np.ndarray]]:
    """Yield each combination of values of columns of one length, ascending, with the places of its rows.

    A missing value is None in the key.

    Examples
    --------
    >>> [(key, rows.tolist()) for key, rows in row_groups([pd.Series(["b", "a", "b"])])]
    [(('a',), [1]), (('b',), [0, 2])]
    """
    frame = pd.DataFrame(dict(enumerate(keys)))
    # Not `indices`, whose keys lose groups when several values are missing.
    groups = frame.groupby(list(frame.columns), observed=True, dropna=False, sort=True).ngroup()
    order = np.argsort(groups.to_numpy(), kind="stable")
    ends = np.cumsum(np.bincount(groups))[:-1]
    for rows in np.split(order, ends):
        first = [key.iloc[rows[0]] for key in keys]
        yield tuple(None if pd.isna(value) else value for value in first), rows
