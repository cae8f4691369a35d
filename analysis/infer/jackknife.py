"""Crossed jackknife: how far a statistic would move with new people, new images, or both.

Each person is left out, each image, and each cell of one person and one image. The squared changes are set
equal to their expectations, which gives the variances between people, between images and of cells (in a
balanced design those of a two-way analysis of variance); their weighted sum is the variance of the
statistic, V = V_people + V_images − V_cells. The interval takes a t distribution with Satterthwaite's
degrees of freedom.

Sources: Owen (2007), Annals of Applied Statistics 1, 386-411 (crossed resampling); Gao & Owen (2017),
Electronic Journal of Statistics 11, 1235-1296 (moment equations for crossed effects); Satterthwaite (1946),
Biometrics Bulletin 2, 110-114; Bell & McCaffrey (2002), Survey Methodology 28, 169-181 (few clusters).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from analysis.data.crossed import labels_of
from analysis.infer.crossed_moments import (
    JackknifeSpread,
    WeightedCells,
    spread_of_clusters,
    spread_of_crossed,
)
from analysis.infer.population import FEWEST, PopulationEstimate, caution_of, whom
from analysis.observers.checks import as_numbers, check_whole
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_function, a_not_negative, as_float, briefly, one_of, takes

#: Weights of rows (B, R) to values of a statistic (B,).
WeightedStatistic = Callable[[np.ndarray], np.ndarray]

WEIGHINGS = ("participants", "trials")
_BLOCK = 1 << 21  # numbers in one block of weights
_UNKNOWN = JackknifeSpread(variance=np.inf, df=np.inf, between={})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Design:
    """Rows of answers: codes of people and images (R,), weight of a trial (R,), trials (R,).

    `random` holds the codes of the factors whose levels are a sample from others; `strata` those of a factor
    with few levels, which is kept as it is.
    """

    people: np.ndarray
    images: np.ndarray
    weight: np.ndarray
    n_trials: np.ndarray
    random: Mapping[str, np.ndarray]
    strata: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Share of each row in the total weight (R,)."""
        total = self.weight * self.n_trials
        return total / total.sum()


@takes(
    statistic=a_function,
    weigh=one_of(*WEIGHINGS),
    least_variance=a_not_negative,
)
def crossed_jackknife(
    statistic: WeightedStatistic,
    participant: ArrayLike,
    image: ArrayLike | None = None,
    *,
    n_trials: ArrayLike | None = None,
    weigh: str = "participants",
    least_variance: float = 0.0,
) -> PopulationEstimate:
    """Return a statistic of all answers with an interval for new people and images.

    A factor with fewer than three levels is kept as it is: the interval then speaks for these people, or for
    these images, only. If that holds for both, single trials are left out.

    Parameters
    ----------
    statistic
        Weights of rows (B, R) to values (B,); a weight multiplies the trials of its row.
    participant, image
        Labels of each row (R,); without `image`, images are not told apart. People may share images
        (crossed) or have images of their own (nested; then with labels of their own). A row holds equal
        answers; rows may be trials.
    n_trials
        Trials of each row (R,); None for one each.
    weigh
        ``"participants"`` (default): every person has the same weight, whatever their number of trials.
        ``"trials"``: every trial has.
    least_variance
        Variance of the statistic that the chance of single answers leaves, if known; people or images may by
        chance differ less than that.

    Raises
    ------
    InputError
        If the labels or trials differ in length or are no counts, or `weigh` is unknown.

    Examples
    --------
    With one value per person, the interval of the mean is that of Student's t test.

    >>> values = np.array([1.0, 2.0, 4.0, 7.0])
    >>> crossed_jackknife(lambda w: w @ values / w.sum(axis=1), ["a", "b", "c", "d"])
    3.5 [-0.71, 7.71], for new people
    """
    design = _design_of(participant, image, n_trials, weigh)
    value = _first_value(statistic, design)
    spread = _spread(statistic, design, value) if np.isfinite(value) else _UNKNOWN
    finite = np.isfinite(spread.variance)
    se = float(np.sqrt(max(spread.variance, least_variance))) if finite else np.inf
    reach = se * _quantile(spread.df) if finite else np.inf
    n_participants = int(design.people.max()) + 1
    n_images = int(design.images.max()) + 1 if image is not None else 0
    cautions = [caution_of(n_participants, n_images)]
    if np.isfinite(value) and not finite:
        cautions.append(
            "without some of the answers there is no value, so the interval has no ends"
        )
    return PopulationEstimate(
        value=value,
        low=value - reach if finite else -np.inf,
        high=value + reach if finite else np.inf,
        for_whom=whom(n_participants, n_images),
        df=spread.df,
        se=se,
        sd_participants=float(np.sqrt(spread.between.get("participants", np.nan))),
        sd_images=float(np.sqrt(spread.between.get("images", np.nan))),
        n_participants=n_participants,
        n_images=n_images,
        caution="; ".join(sentence for sentence in cautions if sentence),
    )


def _first_value(statistic: WeightedStatistic, design: _Design) -> float:
    """Return the statistic of all answers; raise InputError if it is not one number."""
    found = np.asarray(statistic(design.weight[None]))
    if found.shape != (1,) or as_float(found[0]) is None:
        raise InputError(
            "a statistic must return a number for each row of weights, (B, R) to (B,); it returned "
            f"{briefly(found)} for one row"
        )
    return float(found[0])


def _quantile(df: float) -> float:
    return float(stdtrit(df, 0.975) if np.isfinite(df) else ndtri(0.975))


def _design_of(
    participant: ArrayLike, image: ArrayLike | None, n_trials: ArrayLike | None, weigh: str
) -> _Design:
    who = labels_of(participant, "participant")
    where = np.zeros(who.shape) if image is None else labels_of(image, "image")
    total = np.ones(who.shape) if n_trials is None else as_numbers(n_trials, "n_trials")
    if not who.shape == where.shape == total.shape or who.ndim != 1:
        raise InputError(
            "participant, image and n_trials must be lists of the same length; "
            f"their shapes are {who.shape}, {where.shape} and {total.shape}"
        )
    check_whole(total, "n_trials")
    if not total.any():
        raise InputError("n_trials must hold one trial or more; all of them are 0")
    used = total > 0
    people, images = _codes_of(who, used), _codes_of(where, used)
    weight = weights_of(people, total, weigh)
    random, strata = _roles(people, images, used)
    return _Design(
        people=people, images=images, weight=weight, n_trials=total, random=random, strata=strata
    )


def weights_of(participant: np.ndarray, n_trials: np.ndarray, weigh: str) -> np.ndarray:
    """Return the weight of a trial of each row (R,); their sum over trials is the number of trials.

    Examples
    --------
    >>> weights_of(np.array(["a", "b"]), np.array([30, 10]), "participants").round(2).tolist()
    [0.67, 2.0]
    """
    if weigh == "trials":
        return np.ones(len(n_trials))
    codes = np.unique(participant, return_inverse=True)[1]
    each = np.bincount(codes, n_trials)
    return n_trials.sum() / (each > 0).sum() / np.maximum(each, 1)[codes]


def _codes_of(labels: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return the codes of labels (R,); a row without trials takes the code of the first row with one."""
    codes = np.unique(labels[used], return_inverse=True)[1]
    out = np.full(len(labels), codes[0])
    out[used] = codes
    return out


def _roles(
    people: np.ndarray, images: np.ndarray, used: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the factors that are samples, and the codes of one that is kept as it is."""
    factors = {"participants": people, "images": images}
    counts = {name: int(codes.max()) + 1 for name, codes in factors.items()}
    random = {name: codes for name, codes in factors.items() if counts[name] >= FEWEST}
    if len(random) == 2:
        pairs = len(np.unique((people * counts["images"] + images)[used]))
        # The outer factor of a nested design holds all that varies within.
        inner = next((n for n in ("images", "participants") if counts[n] == pairs), None)
        return {name: codes for name, codes in random.items() if name != inner}, 0 * people
    kept = [codes for name, codes in factors.items() if name not in random]
    return random, kept[0] if random else 0 * people


def _spread(statistic: WeightedStatistic, design: _Design, value: float) -> JackknifeSpread:
    if not design.random:
        return _spread_of_trials(statistic, design, value)
    cells, place = _cells_of(design)
    pulls = {name: _pulls(statistic, design, codes, value) for name, codes in design.random.items()}
    if len(pulls) == 2:
        pulls["cells"] = _pulls(statistic, design, place, value)
    if not all(np.isfinite(pull).all() for pull in pulls.values()):
        return _UNKNOWN
    if len(pulls) == 1:
        ((name, pull),) = pulls.items()
        if design.strata.any():
            pull = pull - _from_strata(statistic, design, design.random[name], value)
        return spread_of_clusters(cells, name, float(pull @ pull))
    squares = {name: float(pull @ pull) for name, pull in pulls.items()}
    return spread_of_crossed(cells, squares, squares.pop("cells"))


def _cells_of(design: _Design) -> tuple[WeightedCells, np.ndarray]:
    """Return the cells of one person and one image, and the cell of each row (R,)."""
    pair = design.people * (int(design.images.max()) + 1) + design.images
    _, first, place = np.unique(pair, return_index=True, return_inverse=True)
    total = np.maximum(np.bincount(place, design.n_trials), 1.0)
    cells = WeightedCells(
        share=np.bincount(place, design.share),
        noise=total.mean() / total,
        strata=design.strata[first],
        factors={name: codes[first] for name, codes in design.random.items()},
    )
    return cells, place


def _pulls(
    statistic: WeightedStatistic, design: _Design, codes: np.ndarray, value: float
) -> np.ndarray:
    """Return the part of a statistic that is due to each level of a factor, from leaving it out."""
    n_levels = int(codes.max()) + 1
    size = max(1, _BLOCK // len(codes))
    left_out = [
        statistic(design.weight * (codes != np.arange(at, min(at + size, n_levels))[:, None]))
        for at in range(0, n_levels, size)
    ]
    return (1 - np.bincount(codes, design.share)) * (value - np.concatenate(left_out))


def _from_strata(
    statistic: WeightedStatistic, design: _Design, codes: np.ndarray, value: float
) -> np.ndarray:
    """Return the part of each level's pull that the levels of the kept factor have in common."""
    pulls = _pulls(statistic, design, design.strata, value)
    table = np.zeros((int(codes.max()) + 1, len(pulls)))
    np.add.at(table, (codes, design.strata), design.share)
    return table @ (pulls / np.bincount(design.strata, design.share))


def _spread_of_trials(
    statistic: WeightedStatistic, design: _Design, value: float
) -> JackknifeSpread:
    """Return the spread from leaving out single trials, for these people and images only."""
    kept = np.flatnonzero(design.n_trials > 0)
    size = max(1, _BLOCK // len(design.weight))
    changes = []
    for at in range(0, len(kept), size):
        rows = kept[at : at + size]
        weights = np.tile(design.weight, (len(rows), 1))
        weights[np.arange(len(rows)), rows] *= 1 - 1 / design.n_trials[rows]
        changes.append(value - statistic(weights))
    total = design.n_trials.sum()
    square = float(design.n_trials[kept] @ np.concatenate(changes) ** 2)
    if not np.isfinite(square):
        return _UNKNOWN
    return JackknifeSpread(variance=square * total / max(total - 1, 1), df=np.inf, between={})
