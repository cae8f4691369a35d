"""Likelihood profiles of many problems at once, and the intervals derived from them.

A profile fixes one parameter at many values and maximizes over all others. The interval holds the values
whose profile lies within a given drop of its top. Its end is infinite if the profile never falls that far,
because then the data exclude no value on that side.
"""

from dataclasses import dataclass, replace

import numpy as np

from analysis.infer.likelihood import LogPosterior, climb

_TOLERANCE = 1e-7  # of log posteriors near the floor of an interval
_ROUGH, _ROUGH_STEPS = 1e-2, 12  # of log posteriors elsewhere, and the most steps there
_NEAR = 3.0  # fall below the floor within which a point might yet climb above it
_STEPS, _ROUNDS = 14, 4
_CLOSE = 2e-5  # of square roots of a fall at the ends of an interval


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Profiles of one parameter of B problems at V values each, ascending.

    Attributes
    ----------
    index
        Which parameter.
    values, height
        Values (B, V), and the highest log posteriors there (B, V).
    x
        All parameters there (B, V, K).
    """

    index: int
    values: np.ndarray
    height: np.ndarray
    x: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Profiles":
        """Return the profiles of some problems."""
        return replace(
            self, values=self.values[chosen], height=self.height[chosen], x=self.x[chosen]
        )

    @property
    def top(self) -> np.ndarray:
        """Highest points (B,)."""
        return self.height.max(axis=1)

    @property
    def best(self) -> np.ndarray:
        """Indices of the highest points (B,)."""
        return self.height.argmax(axis=1)


def profiles_of(
    problem: LogPosterior, index: int, places: tuple[np.ndarray, np.ndarray], starts: np.ndarray
) -> Profiles:
    """Return the profiles of parameter `index` at its values in `starts` (S, K), climbing from there.

    `places` are the problem and the value, ascending, to which each start belongs (S,), (S,); each has one
    start or several, and the highest result counts. The heights are rough; `ends_of` climbs on where they
    matter.
    """
    found = climb(
        problem.rows(places[0]),
        starts,
        _others(index, starts.shape[1]),
        tolerance=_ROUGH,
        max_steps=_ROUGH_STEPS,
    )
    best, n_values = highest(places[0], places[1], found.value), int(places[1].max()) + 1
    x = found.x[best].reshape(-1, n_values, starts.shape[1])
    return Profiles(
        index=index, values=x[:, :, index], height=found.value[best].reshape(-1, n_values), x=x
    )


def highest(rows: np.ndarray, columns: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return the index of the greatest height of each pair of row and column, in their order.

    Examples
    --------
    >>> highest(np.array([0, 1, 0]), np.array([0, 0, 0]), np.array([1.0, 5.0, 3.0])).tolist()
    [2, 1]
    """
    order = np.lexsort([height, columns, rows])
    places = np.stack([rows, columns])[:, order]
    return order[np.append(np.any(np.diff(places, axis=1) != 0, axis=0), True)]


def with_points(found: Profiles, x: np.ndarray, height: np.ndarray) -> Profiles:
    """Return the profiles with one more point each: parameters x (B, K) and log posteriors (B,)."""
    values = np.concatenate([found.values, x[:, [found.index]]], axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    return replace(
        found,
        values=np.take_along_axis(values, order, axis=1),
        height=np.take_along_axis(np.column_stack([found.height, height]), order, axis=1),
        x=np.take_along_axis(
            np.concatenate([found.x, x[:, None]], axis=1), order[..., None], axis=1
        ),
    )


def ends_of(
    problem: LogPosterior, found: Profiles, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest values (B,), (B,) at which profiles cross the heights `floor` (B,).

    An end without a crossing is infinite. Where a profile has several hills above its floor, the ends
    enclose all of them; where it has none, the low end is infinite and the high end minus infinite.
    """
    found = _settled(problem, found, floor)
    inside = found.height >= floor[:, None]
    any_inside = np.any(inside, axis=1)
    first = inside.argmax(axis=1)
    last = inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    inner, side = np.concatenate([first, last]), np.repeat([-1, 1], len(floor))
    outer, each = inner + side, np.tile(np.arange(len(floor)), 2)
    ends = np.where(np.tile(any_inside, 2), side * np.inf, -side * np.inf)
    crosses = (outer >= 0) & (outer < inside.shape[1]) & any_inside[each]
    if crosses.any():
        rows, brackets = each[crosses], np.stack([inner, outer])[:, crosses]
        ends[crosses] = _crossings(problem.rows(rows), found, rows, brackets, floor[rows])
    return ends[: len(floor)], ends[len(floor) :]


def _settled(problem: LogPosterior, found: Profiles, floor: np.ndarray) -> Profiles:
    """Return the profiles after climbing to the end where a height is a little below its floor."""
    short = floor[:, None] - found.height
    rows, columns = np.nonzero((short > 0) & (short < _NEAR))
    if not len(rows):
        return found
    others = _others(found.index, found.x.shape[2])
    ended = climb(
        problem.rows(rows),
        found.x[rows, columns],
        others,
        tolerance=_TOLERANCE,
        max_steps=_STEPS,
    )
    height, x = found.height.copy(), found.x.copy()
    height[rows, columns], x[rows, columns] = ended.value, ended.x
    return replace(found, height=height, x=x)


def _crossings(
    problem: LogPosterior,
    found: Profiles,
    rows: np.ndarray,
    brackets: np.ndarray,
    floor: np.ndarray,
) -> np.ndarray:
    """Return the values (R,) at which profiles cross their floors, between inner and outer points (2, R).

    The root of the fall from the top is nearly linear in the parameter, so Ridders' method finds in a few
    rounds where it passes its goal (Ridders 1979, IEEE Trans. Circuits Syst. 26, 979).
    """
    top = found.top[rows]
    goal = np.sqrt(np.maximum(top - floor, 0.0))
    value, x = found.values[rows, brackets], found.x[rows, brackets]
    excess = np.sqrt(np.maximum(top - found.height[rows, brackets], 0.0)) - goal
    excess[0], excess[1] = np.minimum(excess[0], 0.0), np.maximum(excess[1], 1e-12)
    others = _others(found.index, x.shape[2])

    def probe(left: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Evaluate the profile at a share of the way from inner to outer, and move one end there."""
        start = x[0, left] + share[:, None] * (x[1, left] - x[0, left])
        start[:, found.index] = value[0, left] + share * (value[1, left] - value[0, left])
        here = climb(problem.rows(left), start, others, tolerance=_TOLERANCE, max_steps=_STEPS)
        beyond = np.sqrt(np.maximum(top[left] - here.value, 0.0)) - goal[left]
        side = (beyond > 0).astype(int)
        value[side, left], x[side, left] = here.x[:, found.index], here.x
        excess[side, left] = beyond
        return beyond

    for _ in range(_ROUNDS):
        left = np.flatnonzero(np.abs(excess).min(axis=0) > _CLOSE)
        if not len(left):
            break
        inner, outer = excess[:, left]
        middle = probe(left, np.full(len(left), 0.5))
        share = 0.5 - 0.5 * middle / np.sqrt(middle**2 - inner * outer)
        within = np.where(middle > 0, 2 * share, 2 * share - 1)
        probe(left, np.clip(within, 0.01, 0.99))
    share = excess[0] / (excess[0] - excess[1])
    return value[0] + share * (value[1] - value[0])


def _others(index: int, n_parameters: int) -> tuple[int, ...]:
    return tuple(i for i in range(n_parameters) if i != index)
