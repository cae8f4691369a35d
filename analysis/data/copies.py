"""Trials that a table without their numbers holds twice: repeated by design, or read twice."""

import numpy as np
import pandas as pd

from analysis.data.answers import EVIDENCE
from stimuli_store.errors import InputError

_FEWEST_TIMES = 4  # response times that agree by chance in some trials do not agree in so many


def notes_on_copies(table: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Return a sentence about rows of a table of answers that equal an earlier one, if there are any.

    Without numbers of trials, equal rows may be repetitions. Their response times would differ.

    Raises
    ------
    InputError
        If every row with a response time has a copy, as in a table that was appended to itself.
    """
    evidence = [name for name in table.columns if str(name).startswith(EVIDENCE)]
    compared = table.drop(columns=["order"])
    # Evidence is many columns, and tells only those rows apart that are alike in all others.
    compared = compared[np.asarray(compared.drop(columns=evidence).duplicated(keep=False))]
    copies = np.asarray(compared.duplicated())
    if not copies.any():
        return ()
    timed = compared[compared.rt_s.notna()]
    n_timed = int(table.rt_s.notna().sum())
    if len(timed) == n_timed >= _FEWEST_TIMES and timed.duplicated(keep=False).all():
        raise InputError(
            f"every trial of {source} is there more than once, to the very response time; remove the copies, "
            "or name the column that numbers the trials with the role order"
        )
    n = int(copies.sum())
    said = "1 row equals" if n == 1 else f"{n} rows equal"
    return (
        f"{said} an earlier one in every column, as repeated trials do; if trials were read twice, remove "
        "them, and name the column that numbers trials with the role order",
    )
