"""A ranking as tidy tables."""

from typing import TYPE_CHECKING

import numpy as np

from analysis.ranking.records import CeilingShare, ModelScore, Ranking

if TYPE_CHECKING:
    import pandas as pd


def score_table(ranking: Ranking) -> "pd.DataFrame":
    """Return the scores of a ranking, a row for each model and baseline.

    Columns: label, sort (``model`` or ``baseline``), best (whether it is not told apart from the best model;
    False for a baseline), bits, low, high, bits_in_sample, difference, difference_low, difference_high,
    of_lower and of_upper (shares of the noise ceiling) with their ends, gain, exponent, lapse.
    """
    import pandas as pd

    best = set(ranking.best)
    rows = [{**_row(row), "sort": "model", "best": row.label in best} for row in ranking.rows]
    rows += [{**_row(row), "sort": "baseline", "best": False} for row in ranking.baselines]
    table = pd.DataFrame(rows)
    table = table.where(table.notna(), np.nan).infer_objects()
    front = ["label", "sort", "best"]
    return table[[*front, *(c for c in table.columns if c not in front)]]


def pair_table(ranking: Ranking) -> "pd.DataFrame":
    """Return the comparisons of a ranking, a row for each pair of models."""
    import pandas as pd

    names = ("first", "second", "difference", "low", "high", "p", "p_holm", "same", "told_apart")
    return pd.DataFrame(
        [{name: getattr(pair, name) for name in names} for pair in ranking.pairs], columns=names
    )


def _row(row: ModelScore) -> dict[str, object]:
    names = ("bits", "low", "high", "bits_in_sample")
    gaps = ("difference", "difference_low", "difference_high")
    return {
        "label": row.label,
        **{name: getattr(row, name) for name in (*names, *gaps)},
        **_share("of_lower", row.of_lower),
        **_share("of_upper", row.of_upper),
        "gain": row.fit.gain if row.fit else None,
        "exponent": row.fit.exponent if row.fit else None,
        "lapse": row.fit.lapse if row.fit else None,
    }


def _share(name: str, share: CeilingShare | None) -> dict[str, float | None]:
    ends = (share.value, share.low, share.high) if share else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
