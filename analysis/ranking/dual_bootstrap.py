"""Uncertainty of means over crossed participants and images.

Resampling both at once counts the noise of single trials several times. Schütt et al. (2023,
eLife 12:e82566) estimate the variance that generalises to new participants and new images as
2·(V_participants + V_images) − V_both, kept between the larger of the first two and V_both. Each V
is multiplied by n/(n − 1) for the n that were resampled, and the interval uses Student's t with one
less than the smaller n as degrees of freedom, so a study with few images has a wide interval.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from analysis.infer.population import FEWEST
from stimuli_store.tools.gates import a_seed
from stimuli_store.tools.whole import whole

_FEW = 4
_CHUNK = 4_000_000  # products of weights held at once


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A mean, its 95 % interval, the p-value of a mean of 0, and a sentence about the interval."""

    mean: float
    low: float
    high: float
    p: float
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """Means of R quantities over answers, and their means in resamplings of participants and images.

    Attributes
    ----------
    means
        Means over all answers (R,).
    draws
        For every sort of resampling (participants, images, both; those that can be done), the means in each
        draw (D, R) and the factor n/(n − 1) for their variance.
    n
        The smaller number of those that were resampled.
    meaning
        What intervals hold for, as a sentence.
    """

    means: np.ndarray
    draws: tuple[tuple[np.ndarray, float], ...]
    n: int
    meaning: str


def resample(
    values: np.ndarray,
    weights: np.ndarray,
    participant: np.ndarray,
    image: np.ndarray,
    *,
    n_draws: int = 2000,
    seed: int = 0,
) -> Resampled:
    """Return the means sum(values)/sum(weights) of R quantities in resamplings of participants and images.

    Parameters
    ----------
    values
        Sums over each cell (R, C).
    weights
        Sizes of the cells (C,).
    participant, image
        Names of each cell's participant and image (C,).
    n_draws, seed
        Number of resamplings, and the seed that draws them.
    """
    (people, who), (images, what) = (
        np.unique(names, return_inverse=True) for names in (participant, image)
    )
    n_people, n_images = len(people), len(images)
    used, place = np.unique(who * n_images + what, return_inverse=True)
    who, what = np.divmod(used, n_images)
    sums = np.stack([np.bincount(place, row) for row in (*values, weights)])
    rng = np.random.default_rng(a_seed(seed, "seed"))
    draws = whole(n_draws, "n_draws", 1)
    by_person, by_image = (_resampled(rng, n, draws) for n in (n_people, n_images))
    kinds = []
    if n_people >= FEWEST:
        kinds.append((_means(_summed(sums, who), by_person), _small(n_people)))
    if n_images >= FEWEST:
        kinds.append((_means(_summed(sums, what), by_image), _small(n_images)))
    if len(kinds) == 2:
        both = _both(sums, by_person, by_image, who, what)
        kinds.append((both, _small(n_people) * _small(n_images)))
    n = min([k for k in (n_people, n_images) if k >= FEWEST], default=1)
    return Resampled(
        means=sums[:-1].sum(axis=1) / sums[-1].sum(),
        draws=tuple(kinds),
        n=n,
        meaning=_meaning(n_people, n_images, n),
    )


def spreads_of(resampled: Resampled, contrasts: np.ndarray) -> list[Spread]:
    """Return the mean of every contrast (K, R) of the quantities, with its 95 % interval.

    A row of `contrasts` is a weight for each quantity: 1 and −1 for a difference.
    """
    contrasts = np.asarray(contrasts, dtype=np.float64)
    means = contrasts @ resampled.means
    if not resampled.draws:
        return [
            Spread(mean=float(m), low=-np.inf, high=np.inf, p=1.0, meaning=resampled.meaning)
            for m in means
        ]
    parts = [np.var(d @ contrasts.T, axis=0) * factor for d, factor in resampled.draws]
    error = np.sqrt(_corrected(*parts) if len(parts) == 3 else parts[0])
    half = stdtrit(resampled.n - 1, 0.975) * error
    sure = np.where(means == 0, 0.0, np.inf)
    t = np.divide(np.abs(means), error, out=sure, where=error > 0)
    return [
        Spread(mean=float(m), low=float(m - h), high=float(m + h), p=float(p), meaning=meaning)
        for m, h, p, meaning in zip(
            means,
            half,
            2 * stdtr(resampled.n - 1, -t),
            [resampled.meaning] * len(means),
            strict=True,
        )
    ]


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

    `values` are the sums (C,) over the cells of one quantity; the rest is as in `resample`.
    """
    found = resample(values[None], weights, participant, image, n_draws=n_draws, seed=seed)
    return spreads_of(found, np.ones((1, 1)))[0]


def _corrected(people: np.ndarray, images: np.ndarray, both: np.ndarray) -> np.ndarray:
    least = np.maximum(people, images)
    return np.clip(2 * (people + images) - both, least, np.maximum(both, least))


def _meaning(n_people: int, n_images: int, n: int) -> str:
    few_people, few_images = n_people < FEWEST, n_images < FEWEST
    if few_people and few_images:
        return (
            f"no interval: with {_number(n_people, 'participant')} and {_number(n_images, 'image')} "
            f"nothing is known about others ({FEWEST} of either are needed)"
        )
    if few_images:
        said = f"intervals hold for new people and {_only(n_images, 'image')}"
    elif few_people:
        said = f"intervals hold for new images and {_only(n_people, 'participant')}"
    else:
        said = "intervals hold for new people and new images (corrected dual bootstrap)"
    return f"{said}; they are wide because there are only {n}" if n < _FEW else said


def _number(n: int, what: str) -> str:
    return f"one {what}" if n == 1 else f"{n} {what}s"


def _only(n: int, what: str) -> str:
    return (
        f"this {what}: there is only one"
        if n == 1
        else f"these {what}s: there are only {n} {what}s"
    )


def _resampled(rng: np.random.Generator, n: int, n_draws: int) -> np.ndarray:
    """Return bootstrap counts: the number of times each of n was drawn, (n_draws, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_draws).astype(np.float64)


def _summed(sums: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(place, row) for row in sums])


def _means(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the means (D, R) of sums (R + 1, n), of which the last row has the sizes."""
    drawn = counts @ sums.T
    kept = drawn[drawn[:, -1] > 0]
    return kept[:, :-1] / kept[:, -1:]


def _both(
    sums: np.ndarray, people: np.ndarray, images: np.ndarray, who: np.ndarray, what: np.ndarray
) -> np.ndarray:
    rows = max(1, _CHUNK // len(who))
    parts = [
        _means(sums, people[i : i + rows][:, who] * images[i : i + rows][:, what])
        for i in range(0, len(people), rows)
    ]
    return np.concatenate(parts)


def _small(n: int) -> float:
    return n / (n - 1) if n > 1 else 1.0
