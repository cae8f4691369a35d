"""Uncertainty of a mean over crossed participants and images.

Resampling both at once counts the noise of single trials several times. Schütt et al. (2023,
eLife 12:e82566) estimate the variance that generalises to new participants and new images as
2·(V_participants + V_images) − V_both, kept between the larger of the first two and V_both. Each V
is multiplied by n/(n − 1) for the n that were resampled, and the interval uses Student's t with one
less than the smaller n as degrees of freedom, so a study with few images has a wide interval.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from stimuli_store.tools.whole import whole

_FEW = 4


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A mean, its 95 % interval, and a sentence that says what the interval covers."""

    mean: float
    low: float
    high: float
    meaning: str


def spread_of(
    values: np.ndarray,
    weights: np.ndarray,
    participant: np.ndarray,
    image: np.ndarray,
    *,
    n_draws: int = 2000,
    seed: int = 0,
) -> Spread:
    """Return sum(values)/sum(weights) with a 95 % interval over participants and images.

    Parameters
    ----------
    values, weights, participant, image
        Cell sums, cell sizes, and the names of each cell's participant and image (C,).
    n_draws, seed
        Number of resamplings, and the seed that draws them.
    """
    top, bottom = (_table(v, participant, image) for v in (values, weights))
    mean = float(top.sum() / bottom.sum())
    n_people, n_images = top.shape
    n_draws = whole(n_draws, "n_draws", 1)
    rng = np.random.default_rng(whole(seed, "seed", 0))
    people = _resampled(rng, n_people, n_draws)
    images = _resampled(rng, n_images, n_draws)
    by_people = _variance(top, bottom, people, np.ones_like(images)) * _small(n_people)
    by_images = _variance(top, bottom, np.ones_like(people), images) * _small(n_images)
    if n_people > 1 and n_images > 1:
        both = _variance(top, bottom, people, images) * _small(n_people) * _small(n_images)
        least = max(by_people, by_images)
        variance = min(max(2 * (by_people + by_images) - both, least), max(both, least))
        meaning = "intervals hold for new participants and new images (corrected dual bootstrap)"
        n = min(n_people, n_images)
    elif n_people > 1:
        variance, n = by_people, n_people
        meaning = "intervals hold for new participants only: there is a single image"
    elif n_images > 1:
        variance, n = by_images, n_images
        meaning = "intervals hold for new images only: there is a single participant"
    else:
        meaning = "no interval: with one participant and one image nothing can be resampled"
        return Spread(mean=mean, low=-np.inf, high=np.inf, meaning=meaning)
    if n < _FEW:
        meaning += f"; they are wide because there are only {n}"
    half = float(stdtrit(n - 1, 0.975) * np.sqrt(variance))
    return Spread(mean=mean, low=mean - half, high=mean + half, meaning=meaning)


def _table(values: np.ndarray, participant: np.ndarray, image: np.ndarray) -> np.ndarray:
    people, rows = np.unique(participant, return_inverse=True)
    images, columns = np.unique(image, return_inverse=True)
    table = np.zeros((len(people), len(images)))
    np.add.at(table, (rows, columns), values)
    return table


def _resampled(rng: np.random.Generator, n: int, n_draws: int) -> np.ndarray:
    """Return bootstrap counts: the number of times each of n was drawn, (n_draws, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_draws).astype(np.float64)


def _variance(top: np.ndarray, bottom: np.ndarray, people: np.ndarray, images: np.ndarray) -> float:
    sums = np.einsum("dp,pi,di->d", people, top, images)
    sizes = np.einsum("dp,pi,di->d", people, bottom, images)
    drawn = sizes > 0
    return float(np.var(sums[drawn] / sizes[drawn]))


def _small(n: int) -> float:
    return n / (n - 1) if n > 1 else 1.0
