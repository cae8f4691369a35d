"""Speed of fits: modes, intervals and posteriors of many data sets, beside psignifit and SciPy."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fitting import fit_many, fit_psychometric
from analysis.fits.modes import fit_modes
from analysis.fits.posteriors import grid_posteriors
from benchmarks.cpu_time import seconds

LEVELS = np.geomspace(8, 64, 7)
N_TRIALS = 40
MOST_S = {"10,000 modes, one sigmoid": 0.5, "1,000 fits with intervals, default": 2.0}
MOST_RATIO = 1000  # times as fast as psignifit, modes of one sigmoid


def fits() -> bool:
    """Print times of one data set and ratios to peers, and return whether the targets are met."""
    right = answers(10_000)
    sets = [(LEVELS, one, [N_TRIALS] * 7) for one in right[:1000]]
    ours: dict[str, tuple[Callable[[], object], int]] = {
        "10,000 modes, one sigmoid": (lambda: modes(right, "normal"), 10_000),
        "10,000 modes, default": (lambda: modes(right, "any"), 10_000),
        "1,000 fits with intervals, one sigmoid": (lambda: fit_many(sets, sigmoid="normal"), 1000),
        "1,000 fits with intervals, default": (lambda: fit_many(sets), 1000),
        "200 posteriors on grids": (lambda: posteriors(right[:200]), 200),
        "one fit, one sigmoid": (lambda: fit_psychometric(*sets[0], sigmoid="normal"), 1),
        "one fit, default": (lambda: fit_psychometric(*sets[0]), 1),
    }
    peers = {"psignifit": psignifit(right[:3]), "SciPy": scipys(right[:20])}
    for name, taken in peers.items():
        print(f"{name}: {1e3 * taken:.3g} ms a fit" if taken else f"{name} is not installed")
    print(f"{'times psignifit':>16} {'times SciPy':>12} {'ms a fit':>9} {'s':>7}  what")
    met = True
    for name, (call, n_sets) in ours.items():
        taken = seconds(call)
        ratios = [f"{peer * n_sets / taken:.3g}" if peer else "–" for peer in peers.values()]
        print(f"{ratios[0]:>16} {ratios[1]:>12} {1e3 * taken / n_sets:9.3f} {taken:7.3f}  {name}")
        met &= taken <= MOST_S.get(name, np.inf)
        if peers["psignifit"] and name.endswith("modes, one sigmoid"):
            met &= peers["psignifit"] * n_sets / taken >= MOST_RATIO
    return met


def answers(n_sets: int) -> np.ndarray:
    """Return right answers (B, 7) of simulated people."""
    curve = PsychometricFunction(sigmoid="normal", threshold=22, width=2, guess=0.5, lapse=0.02)
    return np.random.default_rng(0).binomial(N_TRIALS, curve(LEVELS), size=(n_sets, 7))


def modes(right: np.ndarray, sigmoid: str) -> object:
    """Return the modes of all data sets."""
    return fit_modes(LEVELS, right, [N_TRIALS] * 7, sigmoid=sigmoid)


def posteriors(right: np.ndarray) -> object:
    """Return the posteriors of all data sets."""
    return grid_posteriors(LEVELS, right, [N_TRIALS] * 7, sigmoid="normal")


def psignifit(right: np.ndarray) -> float:
    """Return CPU time of a default fit of psignifit; 0 if it is not installed."""
    try:
        import psignifit as peer
    except ImportError:
        return 0.0
    tables = [np.stack([np.log2(LEVELS), one, np.full(7, N_TRIALS)], axis=1) for one in right]
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table in tables:
            peer.psignifit(table, experiment_type="2AFC", sigmoid="norm", verbose=False)
    return (time.process_time() - began) / len(right)


def scipys(right: np.ndarray) -> float:
    """Return CPU time of a mode by SciPy's L-BFGS-B, without derivatives."""
    x = np.log2(LEVELS)

    def loss(v: np.ndarray, k: np.ndarray) -> Any:
        curve = PsychometricFunction(
            sigmoid="normal", threshold=v[0], width=2 ** v[1], guess=0.5, lapse=v[2], axis="linear"
        )
        p = np.clip(curve(x), 1e-9, 1 - 1e-9)
        prior = -0.5 * ((v[1] - np.log2(3)) * np.log(2)) ** 2 + np.log(v[2]) + 49 * np.log1p(-v[2])
        return -(k * np.log(p) + (N_TRIALS - k) * np.log1p(-p)).sum() - prior

    began = time.process_time()
    for one in right:
        bounds = [(None, None), (-5, 5), (1e-6, 0.4)]
        minimize(loss, [4.5, 1.0, 0.02], args=(one,), bounds=bounds, method="L-BFGS-B")
    return (time.process_time() - began) / len(right)
