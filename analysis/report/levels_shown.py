"""Check that everybody was shown the same levels: where levels follow answers, pooled answers mislead."""

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from analysis.data.answers import Answers

_SURE = 0.001  # p below which people were not shown the same levels
_LEAST = 0.01  # share of the variance of the levels' ranks that lies between people, to matter
_OF_JOURNALS = ("track", "attempt")
#: What is said where the table names adaptive tracks.
FOLLOWING = "levels follow the answers (column track)"
#: What is said where only the levels themselves tell.
UNEVEN = "people were shown different levels, as where levels follow the answers (staircases)"
#: What follows for a threshold of pooled answers, and for one of everybody's own.
POOLED = "pooled answers then give a biased threshold; take fit_hierarchy, or everybody's own fit"
OWN = "so the threshold is the mean of everybody's own (geometric on a log axis), not that of pooled answers"


def caution_on_levels(answers: Answers) -> str:
    """Return how levels were chosen, if a threshold of pooled answers may be biased by it, or "".

    It may be where trials belong to adaptive tracks, of several people or images, and where people's levels
    differ by the rank test of Kruskal and Wallis (1952, Journal of the American Statistical Association 47,
    583): p < .001, and 1 % of the variance of the ranks lies between people. Levels that were drawn at
    random, or are the same for everybody, pass.
    """
    rows = answers.kept
    several = rows.participant.nunique() > 1
    if set(_OF_JOURNALS) <= set(rows) and rows.track.notna().any():
        return FOLLOWING if several or rows.image.nunique() > 1 else ""
    known = rows[pd.to_numeric(rows.level, errors="coerce").notna()]
    if not several or known.level.nunique() < 2:
        return ""
    share, p = _between_people(known)
    return UNEVEN if share >= _LEAST and p < _SURE else ""


def _between_people(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the share of the variance of levels' ranks that lies between people, and its p-value."""
    trials = rows.n_trials.to_numpy()
    level, person = pd.factorize(rows.level, sort=True)[0], pd.factorize(rows.participant)[0]
    at_level, of_person = np.bincount(level, trials), np.bincount(person, trials)
    rank = np.cumsum(at_level) - at_level / 2
    rank -= rank @ at_level / at_level.sum()
    mean = np.bincount(person, trials * rank[level]) / np.where(of_person > 0, of_person, 1)
    total = rank**2 @ at_level
    share = float(mean**2 @ of_person / total) if total > 0 else 0.0
    return share, float(chdtrc(len(of_person) - 1, share * (at_level.sum() - 1)))
