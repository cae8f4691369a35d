"""A lapse rate that several data sets share.

The rate maximizes the joint posterior, in which its prior counts once. What the other data sets say of it
enters each fit as a normal density: the first two derivatives of their profiles at the joint mode, so that
every interval knows how uncertain the shared rate is.
"""

from dataclasses import replace

import numpy as np

from analysis.curves.asymptotes import unconstrained
from analysis.curves.parametrization import RATES
from analysis.curves.starts import best_nodes, rates_to_try, steepness_to_try
from analysis.fits.engine.batch import CountsBatch
from analysis.fits.engine.climbing import problem_of
from analysis.fits.engine.settings import FitSettings
from analysis.infer.likelihood import climb
from analysis.infer.priors import NormalPrior, Prior, ProductPrior
from analysis.infer.profiles import highest

_FIRST = np.concatenate([np.geomspace(1e-4, 0.02, 8), np.linspace(0.03, 0.4, 14)])
_N_FINER, _ROUNDS = 9, 4
_LEAST_STEP = 1e-4


def with_shared_lapse(batch: CountsBatch, settings: FitSettings, rising: np.ndarray) -> CountsBatch:
    """Return the batch with what each data set learns from the others about their common lapse rate."""
    prior = settings.priors_of(("lapse",))[0]
    rates = _FIRST * min(1.0, settings.asymptotes.tops(None)[0] / 0.5)
    for _ in range(_ROUNDS):
        heights = _heights(batch, settings, rising, rates)
        joint = heights.sum(axis=0) + prior.terms(rates)[0]
        best = int(np.clip(joint.argmax(), 1, len(rates) - 2))
        at, step = rates[best], min(rates[best + 1] - rates[best], rates[best] - rates[best - 1])
        rates = np.linspace(rates[best - 1], rates[best + 1], _N_FINER)
    step = max(step, _LEAST_STEP, 0.02 * at)
    low, middle, high = _heights(batch, settings, rising, np.array([at - step, at, at + step])).T
    first, second = (high - low) / (2 * step), (high - 2 * middle + low) / step**2
    slope, weight = first.sum() - first, np.maximum(second - second.sum(), 1e-6)
    return replace(batch, pull=np.stack([at + slope / weight, weight], axis=1))


def own_settings(settings: FitSettings, pull: np.ndarray) -> FitSettings:
    """Return the settings of one data set's fit, with its pull (2,), if any, as a part of its prior."""
    if not settings.shares_lapse:
        return settings
    mean, weight = (float(v) for v in pull)
    given = settings.priors_of(("lapse",))[0]
    parts: tuple[Prior, ...] = (given, NormalPrior(mean=mean, sd=weight**-0.5))
    return replace(
        settings, lapse="free", priors={**settings.priors, "lapse": ProductPrior(parts=parts)}
    )


def _heights(
    batch: CountsBatch, settings: FitSettings, rising: np.ndarray, rates: np.ndarray
) -> np.ndarray:
    """Return log likelihoods (B, V) maximized with the lapse rate held at each value, without its prior."""
    found = []
    for shape in settings.shapes:
        parametrization = settings.parametrization(shape)
        problem = problem_of(batch, settings, parametrization, rising)
        grids = [None, steepness_to_try(parametrization), *rates_to_try(parametrization)]
        grids[RATES] = unconstrained(rates, parametrization.tops[0])
        nodes = best_nodes(problem, grids, RATES)
        others = tuple(i for i in range(len(parametrization.names)) if i != RATES)
        ends = climb(problem.rows(nodes.rows), nodes.x, others, tolerance=1e-10)
        best = highest(nodes.rows, nodes.columns, ends.value)
        found.append(ends.value[best].reshape(-1, len(rates)))
    return np.max(found, axis=0) - settings.priors_of(("lapse",))[0].terms(rates)[0]
