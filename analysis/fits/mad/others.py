"""Probability that one model is better than another for new people and new images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.special import ndtr, stdtr

from analysis.data.crossed import CrossedCounts, crossed_counts, labels_of
from analysis.fits.population import CountStatistic, jackknife_of_counts
from analysis.infer.population import FEWEST
from analysis.observers.links import Link
from stimuli_store.errors import InputError

#: Rows of both models at each level.
HeldRows = Sequence[Sequence[list[int]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Counts of the groups, one after another, with the labels that are a sample of others.

    `place` is the group of each row (R,): both models at the first level, and so on. The numbers are the
    fewest labels in a group, 0 where they are not known; with less than three, labels are all alike.
    """

    rows: CrossedCounts
    place: np.ndarray
    n_participants: int
    n_images: int

    @property
    def is_random(self) -> bool:
        """True if people or images are enough for a probability for others."""
        return max(self.n_participants, self.n_images) >= FEWEST


def labelled_sample(
    participant: ArrayLike | None,
    image: ArrayLike | None,
    used: np.ndarray,
    groups: HeldRows,
    counts: tuple[np.ndarray, np.ndarray],
) -> Sample:
    """Return counts (L,) of the `used` rows with the labels that are a sample of others.

    Raises
    ------
    InputError
        If there is not one label for each row, or one is missing.
    """
    parts = [rows for both in groups for rows in both]
    rows, place = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    fewest, labels = {}, {}
    for name, given in (("participant", participant), ("image", image)):
        known = np.zeros(len(used)) if given is None else labels_of(given, name)
        if known.shape != used.shape:
            raise InputError(
                f"{name} must be a list of the same length as held: {len(used)} labels, one for each row"
            )
        known = known[used]
        fewest[name] = 0 if given is None else min(len(np.unique(known[part])) for part in parts)
        labels[name] = known[rows] if fewest[name] >= FEWEST else np.zeros(len(rows))
    right, total = (v[rows] for v in counts)
    return Sample(
        rows=crossed_counts(labels["participant"], labels["image"], None, right, total),
        place=place,
        n_participants=fewest["participant"],
        n_images=fewest["image"],
    )


def p_for_others(sample: Sample, link: Link, low: float, noise: Sequence[float]) -> list[float]:
    """Return the probabilities that the second model's d' is larger: of the mean over levels, and of each.

    Proportions below `low` count as `low`. `noise` has the variances of these differences that the chance of
    single answers leaves.
    """
    place, n = sample.place, int(sample.place[-1]) + 1
    sums = csr_array((np.ones(len(place)), (np.arange(len(place)), place)), shape=(len(place), n))

    def differences(right: np.ndarray, total: np.ndarray) -> np.ndarray:
        given = np.maximum(total @ sums, 1e-9)
        edge = 0.5 / np.maximum(given, 1.0)
        p = np.clip((right @ sums) / given, np.maximum(edge, low), 1 - edge)
        d = np.abs(link.dprime(p)).reshape(len(p), -1, 2)
        return np.asarray(d[:, :, 1] - d[:, :, 0])

    def mean(right: np.ndarray, total: np.ndarray) -> np.ndarray:
        return np.asarray(differences(right, total).mean(axis=1))

    def at(level: int, right: np.ndarray, total: np.ndarray) -> np.ndarray:
        return np.asarray(differences(right, total)[:, level])

    statistics: list[CountStatistic] = [mean, *(partial(at, level) for level in range(n // 2))]
    found = []
    for statistic, variance in zip(statistics, noise, strict=True):
        one = jackknife_of_counts(sample.rows, statistic, "trials", variance)
        z = one.value / one.se
        found.append(float(stdtr(one.df, z) if np.isfinite(one.df) else ndtr(z)))
    return found
