"""Estimate the curvature of a sequence of percepts from how well its frames are told apart."""

import numpy as np
from scipy.linalg import toeplitz
from scipy.optimize import minimize

from stimsynth import Link


def perceptual_curvature(
    pairs: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, link: Link
) -> float:
    """Return the angle between successive steps of a sequence of percepts, in degrees, by maximum likelihood.

    The d' of two frames is the distance of their percepts. Each step between neighbours has a length of its
    own; the cosine of the angle between two steps depends on how far apart they are in the sequence.

    Parameters
    ----------
    pairs
        Numbers of the frames that are told apart, the lower first, (P, 2).
    n_correct, n_trials
        Right answers and trials for each pair, (P,).
    link
        Proportion correct for each d'.
    """
    n_steps = int(pairs.max())
    step = np.arange(n_steps)
    inside = (step >= pairs[:, :1]) & (step < pairs[:, 1:])

    def loss(theta: np.ndarray) -> float:
        steps = inside * np.exp(theta[:n_steps])
        cosines = toeplitz([1.0, *theta[n_steps:]])
        squares = ((steps @ cosines) * steps).sum(axis=1)
        p = np.clip(link.p_correct(np.sqrt(np.maximum(squares, 1e-12))), 1e-9, 1 - 1e-9)
        return float(-(n_correct * np.log(p) + (n_trials - n_correct) * np.log1p(-p)).sum())

    bounds = [(-4.0, 3.0)] * n_steps + [(-1.0, 1.0)] * (n_steps - 1)
    starts = [[0.0] * n_steps + [first] + [0.0] * (n_steps - 2) for first in (0.9, 0.5, -0.3)]
    fits = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    return float(np.degrees(np.arccos(min(fits, key=lambda fit: fit.fun).x[n_steps])))
