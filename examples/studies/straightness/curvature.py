"""Estimate the curvature of a sequence of percepts from how well its frames are told apart."""

import numpy as np
from scipy.linalg import toeplitz
from scipy.optimize import minimize

from stimsynth import Link

#: Where the search begins: turn of a step in its plane (radians), share of its direction that stays in it.
STARTS = ((0.3, 0.95), (0.3, 0.5), (1.2, 0.9), (1.9, 0.95), (1.9, 0.5))


def perceptual_curvature(
    pairs: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, link: Link
) -> float:
    """Return the angle between successive steps of a sequence of percepts, in degrees, by maximum likelihood.

    The d' of two frames is the distance of their percepts. Each step has a length of its own. From one to
    the next it turns by one angle in a plane, and by another one into a dimension that no step had before:
    the cosine of the angle between steps that are k apart is s**k * cos(k * turn).

    Parameters
    ----------
    pairs
        Numbers of the frames that are told apart, the lower first, (P, 2).
    n_correct, n_trials
        Right answers and trials for each pair, (P,).
    link
        Proportion correct for each d', without lapses; their rate, up to 0.1, is estimated too.
    """
    n_steps = int(pairs.max())
    step = np.arange(n_steps)
    inside = (step >= pairs[:, :1]) & (step < pairs[:, 1:])

    def loss(theta: np.ndarray) -> float:
        steps, (turn, stays, lapse) = inside * np.exp(theta[:-3]), theta[-3:]
        squares = ((steps @ toeplitz(stays**step * np.cos(turn * step))) * steps).sum(axis=1)
        seen = link.p_correct(np.sqrt(np.maximum(squares, 1e-12)))
        p = np.clip((1 - lapse) * seen + lapse * link.guess, 1e-9, 1 - 1e-9)
        return float(-(n_correct * np.log(p) + (n_trials - n_correct) * np.log1p(-p)).sum())

    bounds = [(-4.0, 3.0)] * n_steps + [(0.0, np.pi), (0.0, 1.0), (0.0, 0.1)]
    starts = [[0.3] * n_steps + [*start, 0.02] for start in STARTS]
    fits = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    turn, stays, _ = min(fits, key=lambda fit: fit.fun).x[-3:]
    return float(np.degrees(np.arccos(stays * np.cos(turn))))
