"""Hierarchies: parameters partially pooled over people, images, or both.

Every cell of one person and one image has a curve (`ThresholdModel`, `ScalingModel`, `DPrimeModel`) whose
parameters are a common value plus normal effects of the person and of the image. The population's value is
that of the typical person with the typical image: the mean of thresholds on their axis, of logarithms, or of
d'. `population_threshold` estimates the threshold of averaged answers instead. Levels may depend on earlier
answers (staircases), and need not be the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.cell_curve import CellCurve, CellModel
from analysis.data.crossed import CellTable, cell_table, crossed_counts
from analysis.fits.hierarchy_result import (
    NEW,
    THESE,
    Hierarchy,
    PooledAnswers,
    ReportedQuantity,
    hierarchy_of,
)
from analysis.infer.laplace import laplace
from analysis.infer.mixed import Effect, MixedPosterior, MixedProblem
from analysis.infer.newton import modes
from analysis.infer.nuts import nuts
from analysis.infer.population import FEWEST
from analysis.observers.checks import check_no_shares
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_mapping, a_seed, like, one_of, optional, some_names, takes

INTERACTION = "interaction"

HIERARCHY_METHODS: Mapping[str, Callable[..., MixedPosterior]] = MappingProxyType(
    {"laplace": laplace, "nuts": nuts}
)


def _varying(value: Any, name: str) -> dict[Any, tuple[str, ...]]:
    """Return the factors of each parameter that varies."""
    given = a_mapping(value, name)
    return {key: some_names(factors, f"{name}[{key!r}]") for key, factors in given.items()}


@takes(
    model=like("a ThresholdModel, a ScalingModel or a DPrimeModel", "varies", "levelled", "at"),
    varies=optional(_varying),
    method=one_of(*HIERARCHY_METHODS),
    seed=a_seed,
)
def fit_hierarchy(
    participant: ArrayLike,
    image: ArrayLike | None,
    level: ArrayLike | None,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    model: CellModel,
    varies: Mapping[str, tuple[str, ...]] | None = None,
    method: str = "laplace",
    seed: int = 0,
) -> Hierarchy:
    """Fit a curve to every person and image, with parameters partially pooled over both.

    Parameters
    ----------
    participant, image, level, n_correct, n_trials
        Labels, levels and counts by row (R,), as for `population_threshold`; `image` may be None, and `level`
        for a `DPrimeModel`.
    model
        `ThresholdModel`, `ScalingModel` or `DPrimeModel`.
    varies
        For each parameter that varies, its factors, such as ``{"threshold": ("participants", "images"),
        "lapse": ("participants",)}``; None for thresholds and widths, critical scaling and gain, or d', over
        people and images. ``"interaction"`` is one more factor: people who see each image in a way of their
        own. A parameter that does not vary is taken to be the same for all.
    method
        ``"laplace"`` (default), or ``"nuts"`` with the extra ``[bayes]``.
    seed
        Of quasi-random points, chains and predictive checks.

    Raises
    ------
    InputError
        If the counts or labels are not valid, or a name is unknown.
    MissingExtra
        If ``"nuts"`` is asked for without numpyro.

    Examples
    --------
    >>> from analysis.curves.cell_models import DPrimeModel
    >>> people, right = ["a", "b", "c", "d"], [40, 42, 38, 41]
    >>> found = fit_hierarchy(people, None, None, right, [50] * 4, model=DPrimeModel(task="2ifc"))
    >>> found.population["dprime"].for_whom, round(found.population["dprime"].value, 1)
    ('new people', 1.2)
    """
    if level is None and model.levelled:
        raise InputError(f"a {type(model).__name__} needs the level of every row; none was given")
    rows = crossed_counts(participant, image, level, n_correct, n_trials)
    check_no_shares(rows.n_correct, rows.n_trials)
    table = cell_table(rows)
    curve = model.at(table.levels)
    everywhere = dict.fromkeys(model.varies, tuple(table.codes))
    effects = _effects_of(curve, table, everywhere if varies is None else varies)
    problem = _problem(curve, table, effects)
    pooled = PooledAnswers(
        table=table, curve=curve, problem=problem, quantities=_quantities_of(problem, table)
    )
    coefficients = np.stack([row.coefficients for row in pooled.quantities])
    posterior = HIERARCHY_METHODS[method](problem, coefficients, seed=seed)
    return hierarchy_of(pooled, posterior, method=method, seed=seed)


def _effects_of(
    curve: CellCurve, table: CellTable, varies: Mapping[str, tuple[str, ...]]
) -> tuple[Effect, ...]:
    """Return the effects of a design; a factor of a single level has none."""
    counts = {name: len(labels) for name, labels in table.labels.items()}
    counts[INTERACTION] = len(table.n_trials)
    effects = []
    for name, factors in varies.items():
        if name not in curve.names:
            raise unknown_name("parameter", name, list(curve.names))
        k = curve.names.index(name)
        for factor in factors:
            if factor not in counts:
                raise unknown_name("factor", factor, list(counts))
            if counts[factor] > 1:
                effects.append(Effect(factor=factor, parameter=k, scale=float(curve.scales[k])))
    return tuple(effects)


def _problem(curve: CellCurve, table: CellTable, effects: tuple[Effect, ...]) -> MixedProblem:
    problem = MixedProblem(
        curve=curve.curve,
        prior=curve.prior,
        formula=curve.formula,
        log_prior=curve.log_prior,
        n_correct=table.n_correct,
        n_trials=table.n_trials,
        factors={**table.codes, INTERACTION: np.arange(len(table.n_trials))},
        effects=effects,
        integrated=curve.integrated,
        start=curve.starts[0],
    )
    alone = replace(problem, effects=())
    x, value, _ = modes(alone, np.zeros((len(curve.starts), 0)), curve.starts)
    return replace(problem, start=x[int(value.argmax())])


def _quantities_of(problem: MixedProblem, table: CellTable) -> list[ReportedQuantity]:
    """Return the quantities of the population, of these people and images, and of each of them."""
    n_common, unit = len(problem.start), np.eye(problem.size)
    begins = n_common + np.concatenate([[0], np.cumsum(problem.counts)])
    rows = []
    for k in range(n_common):
        own = {
            effect.factor: unit[begin : begin + count]
            for effect, begin, count in zip(problem.effects, begins, problem.counts, strict=False)
            if effect.parameter == k
        }
        means = {name: columns.mean(axis=0) for name, columns in own.items()}
        few = [means[name] for name in table.labels if name in own and len(own[name]) < FEWEST]
        rows.append(
            ReportedQuantity(parameter=k, factor=NEW, label="", coefficients=sum(few, unit[k]))
        )
        whole = sum(means.values(), unit[k])
        rows.append(ReportedQuantity(parameter=k, factor=THESE, label="", coefficients=whole))
        for name, columns in own.items():
            rows += [
                ReportedQuantity(
                    parameter=k,
                    factor=name,
                    label=str(label),
                    coefficients=whole - means[name] + column,
                )
                for label, column in zip(table.labels.get(name, ()), columns, strict=False)
            ]
    return rows
