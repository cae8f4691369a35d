"""Differences and ratios of a quantity between conditions: one pair, and the family of all pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.infer.estimates import Estimate
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.gates import a_number, takes
from stimuli_store.tools.shown import FieldTable, number_of, p_text

_MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Contrast(FieldTable):
    """Difference or ratio of one quantity between two conditions.

    Attributes
    ----------
    first, second
        The conditions; the difference is first minus second, the ratio first by second.
    quantity, scale
        What is compared, and ``"ratio"`` or ``"difference"``.
    estimate
        The value with its 95 % interval, not corrected for other pairs.
    p_value, p_holm
        Two-sided p value of equality, and the same after Holm's correction over all pairs.
    n, n_left_out
        Participants behind a paired contrast, and those without a bounded value in both conditions; 0 and 0
        for one of two fits.
    for_whom
        Whom the interval speaks for.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import contrasts, fit, read_trials
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 30, 41])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = contrasts(fit(read_trials(table, task="2afc"), by="condition"), "condition")
    >>> found["a", "b"].p_value < 0.05
    True
    """

    first: Any
    second: Any
    quantity: str
    scale: str
    estimate: Estimate
    p_value: float
    p_holm: float
    n: int
    for_whom: str
    n_left_out: int = 0

    @takes(low=a_number, high=a_number)
    def equivalence(self, low: float, high: float) -> str:
        """Return the statement that a region of practical equivalence allows.

        It is "equivalent" if the whole interval lies in the region, "different" if all of it lies
        outside, else "undecided" (Kruschke 2018, AMPPS 1, 270). If participants were left out, it is "not
        shown", with their number: they may be those who differ.

        Raises
        ------
        InputError
            If the region does not hold the value of no difference (1 for a ratio, else 0), or that of a ratio
            begins at 0 or below.
        """
        same, least = (1.0, 0.0) if self.scale == "ratio" else (0.0, -np.inf)
        if not least < low < same < high:
            above = " and lie above 0" if self.scale == "ratio" else ""
            raise InputError(
                f"a region of equivalence of a {self.scale} must hold {same:g}{above}; not from {low:g} "
                f"to {high:g}"
            )
        if self.n_left_out:
            return (
                f"not shown: {number_of(self.n_left_out, 'participant')} without a bounded {self.quantity} "
                "in both conditions may be those who differ"
            )
        if low <= self.estimate.low and self.estimate.high <= high:
            return "equivalent"
        outside = self.estimate.high < low or self.estimate.low > high
        return "different" if outside else "undecided"


@dataclass(frozen=True, kw_only=True)
class Contrasts:
    """Contrasts of all pairs of conditions, corrected together.

    Attributes
    ----------
    rows
        A `Contrast` for each pair of conditions.
    left_out
        Names of participants without a bounded value in both conditions of a pair; of conditions without one
        where two fits are compared.
    caution
        Why nothing is said about other people, or "".

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import contrasts, fit, read_trials
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 30, 41])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = contrasts(fit(read_trials(table, task="2afc"), by="condition"), "condition")
    >>> len(found.table)
    1
    """

    rows: tuple[Contrast, ...]
    left_out: tuple[str, ...] = ()
    caution: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on participants or conditions left out, and on other people; empty if there are none."""
        cautions = (self.caution,) if self.caution else ()
        if not self.left_out:
            return cautions
        named = ", ".join(self.left_out[:_MOST_NAMED])
        more = ", …" if len(self.left_out) > _MOST_NAMED else ""
        return (
            f"{self._n_left_out} left out, for want of a bounded {self.rows[0].quantity} in both conditions "
            f"of a pair: {named}{more}",
            *cautions,
        )

    @property
    def _n_left_out(self) -> str:
        paired = any(row.n for row in self.rows)
        return number_of(len(self.left_out), "participant" if paired else "condition")

    @property
    def table(self) -> pd.DataFrame:
        """A row for each pair: estimate, interval, p values, participants, and how many were left out."""
        return pd.DataFrame(
            [
                {
                    "first": row.first,
                    "second": row.second,
                    row.scale: row.estimate.value,
                    "low": row.estimate.low,
                    "high": row.estimate.high,
                    "p": row.p_value,
                    "p (Holm)": row.p_holm,
                    "participants": row.n,
                    "left out": row.n_left_out,
                }
                for row in self.rows
            ]
        )

    def __getitem__(self, pair: tuple[Any, Any]) -> Contrast:
        """Return the contrast of a pair of conditions, in the order of the table."""
        for row in self.rows:
            if (row.first, row.second) == pair:
                return row
        raise InputError(
            f"there is no contrast of {pair!r}; there are "
            f"{', '.join(repr((row.first, row.second)) for row in self.rows)}"
        )

    def __repr__(self) -> str:
        told = sum(row.p_holm < 0.05 for row in self.rows)
        without = f"; {self._n_left_out} left out" if self.left_out else ""
        pairs = "1 pair differs" if len(self.rows) == 1 else f"{len(self.rows)} pairs differ"
        return f"Contrasts({self.rows[0].quantity}: {told} of {pairs}{without})"

    def _repr_html_(self) -> str:
        table = self.table
        rows = [
            [_cell_text(name, v) for name, v in zip(table.columns, row, strict=True)]
            for row in table.itertuples(index=False)
        ]
        notes = "".join(html.paragraph(f"{note}.", "small") for note in self.notes)
        return html.table([str(name) for name in table.columns], rows) + notes


def _cell_text(column: str, value: Any) -> str:
    if column in ("p", "p (Holm)"):
        return p_text(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
