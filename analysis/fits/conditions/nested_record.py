"""Nested models of several conditions, each compared with the next smaller one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stimuli_store.tools import html
from stimuli_store.tools.shown import p_text, p_value


@dataclass(frozen=True, kw_only=True)
class NestedModel:
    """One model of all conditions, and its comparison with the next smaller one.

    Attributes
    ----------
    name, n_parameters
        Name in `NESTED`, and number of free parameters.
    log_likelihood, aic
        At the maximum of the likelihood; AIC is twice the number of parameters less twice that.
    ratio, p_value
        Twice the gain in log likelihood over the next smaller model, and the share of data sets simulated
        under that model with a gain as large; NaN for the smallest.
    n_draws
        Number of these data sets: p is at least 1/(n_draws + 1). It is 0 for the smallest model.
    """

    name: str
    n_parameters: int
    log_likelihood: float
    aic: float
    ratio: float
    p_value: float
    n_draws: int


@dataclass(frozen=True, kw_only=True)
class NestedModels:
    """Models of the conditions of one column, from the smallest to the largest.

    Attributes
    ----------
    between
        Column of the condition.
    rows
        A `NestedModel` for each, from the smallest to the largest.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import compare_groups, read_trials
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 29, 36])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = compare_groups(read_trials(table, task="2afc"), "condition", n_draws=19)
    >>> found.best
    'own thresholds'
    """

    between: str
    rows: tuple[NestedModel, ...]

    @property
    def best(self) -> str:
        """Name of the model with the smallest AIC."""
        return min(self.rows, key=lambda row: row.aic).name

    @property
    def table(self) -> pd.DataFrame:
        """A row for each model."""
        return pd.DataFrame([vars(row) for row in self.rows])

    def __repr__(self) -> str:
        tests = [
            f"{row.name} {p_value(row.p_value, row.n_draws)}" for row in self.rows if row.n_draws
        ]
        return f"NestedModels(by {self.between}: {self.best} by AIC; {', '.join(tests)})"

    def _repr_html_(self) -> str:
        rows = [
            [
                row.name,
                str(row.n_parameters),
                f"{row.log_likelihood:.2f}",
                f"{row.aic:.2f}",
                "" if np.isnan(row.ratio) else f"{row.ratio:.2f}",
                p_text(row.p_value, row.n_draws),
                str(row.n_draws or ""),
            ]
            for row in self.rows
        ]
        return html.table(list(vars(self.rows[0])), rows)
