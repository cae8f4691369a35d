"""Modes of crossed random-effects models, given the standard deviations of the effects."""

import numpy as np

from analysis.infer.mixed import MixedProblem

_Terms = tuple[np.ndarray, np.ndarray, np.ndarray]


def modes(
    problem: MixedProblem, tau: np.ndarray, start: np.ndarray, held: tuple[int, ...] = ()
) -> _Terms:
    """Return the unknowns of highest density (B, D), their log density (B,) and information (B, D, D).

    Newton steps with the expected information come first, then with that of the answers, which ends sooner.
    The information returned is the expected one, which is smooth in τ even where a curve has a kink.

    Parameters
    ----------
    tau
        Standard deviations of the effects (B, E).
    start
        Unknowns to begin with (B, D).
    held
        Unknowns that keep their values; their rows of the information are those of the identity.
    """
    x = _newton(problem, tau, start, held, observed=False, enough=3.0, limit=12)
    x = _newton(problem, tau, x, held, observed=True, enough=1e-5, limit=40)
    value, _, information = _terms(problem, x, tau, held, observed=False)
    return x, value, information


def _terms(
    problem: MixedProblem,
    x: np.ndarray,
    tau: np.ndarray,
    held: tuple[int, ...],
    *,
    observed: bool,
) -> _Terms:
    value, gradient, information = problem.evaluate(x, tau, observed=observed)
    kept = list(held)
    gradient[:, kept] = 0
    information[:, kept, :] = 0
    information[:, :, kept] = 0
    information[:, kept, kept] = 1
    return value, gradient, information


def _newton(
    problem: MixedProblem,
    tau: np.ndarray,
    start: np.ndarray,
    held: tuple[int, ...],
    *,
    observed: bool,
    enough: float,
    limit: int,
) -> np.ndarray:
    """Return unknowns from which the next damped step promises to gain less than `enough`."""
    x, each = start.copy(), np.arange(start.shape[1])
    value, gradient, information = _terms(problem, x, tau, held, observed=observed)
    damping, active = np.full(len(x), 1e-3), np.arange(len(x))
    for _ in range(limit):
        matrix, slope = information[active], gradient[active]
        damped = matrix.copy()
        damped[:, each, each] += np.abs(matrix[:, each, each]) * damping[active, None]
        step = np.clip(np.linalg.solve(damped, slope[..., None])[..., 0], -2, 2)
        bend = np.einsum("bi,bij,bj->b", step, matrix, step)
        promised = np.abs((slope * step).sum(axis=1) - 0.5 * bend)
        goes_on = (promised > enough) & (damping[active] < 1e6)
        active, step = active[goes_on], step[goes_on]
        if not len(active):
            break
        new = _terms(problem, x[active] + step, tau[active], held, observed=observed)
        kept = new[0] >= value[active]
        moved = active[kept]
        x[moved] += step[kept]
        value[moved], gradient[moved], information[moved] = (part[kept] for part in new)
        raised = np.maximum(damping[active] * 10, 0.02)
        damping[active] = np.where(kept, damping[active] / 8, raised)
    return x
