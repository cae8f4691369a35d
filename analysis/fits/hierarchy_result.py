"""Results of hierarchies: parameters of the population, of these people and images, and of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from analysis.curves.cell_curve import CellCurve
from analysis.data.counts import SURE, TOLD_APART, is_below, summed_counts, trend_of
from analysis.data.crossed import CellTable
from analysis.infer.estimates import Estimate
from analysis.infer.laplace import mixture_quantiles
from analysis.infer.likelihood import log_likelihood
from analysis.infer.mixed import MixedPosterior, MixedProblem
from analysis.infer.population import PopulationEstimate, caution_of, whom
from analysis.infer.predictive import PredictiveChecks, predictive_checks
from stimuli_store.tools import html

if TYPE_CHECKING:
    import pandas as pd

NEW, THESE = "population", "these"


class HierarchyStatus(Enum):
    """Outcome of a fit; the value is the sentence shown to people.

    Examples
    --------
    >>> from analysis import DPrimeModel, fit_hierarchy
    >>> people, right = ["a", "b", "c", "d"], [40, 42, 38, 41]
    >>> found = fit_hierarchy(people, None, None, right, [50] * 4, model=DPrimeModel(task="2ifc"))
    >>> found.status.name
    'CONVERGED'
    """

    CONVERGED = "the posterior was found"
    UNDETERMINED = "the answers add little to the prior; do not use the interval"
    AT_CHANCE = "the answers are not told apart from guessing; do not use the interval"
    BELOW_CHANCE = (
        "answers are below chance beyond doubt; are the keys, or right and wrong, swapped?"
    )
    FALLING = (
        "answers get worse as the level rises, and the curve only rises; give levels that turn, such as "
        "1/level"
    )
    ROUGH = (
        "few points carry the integral over the spreads of people and images; compare method='nuts'"
    )
    UNMIXED = "the chains did not mix; do not use the result"
    DIVERGENT = "some transitions diverged; the posterior may be cut off, compare method='laplace'"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A parameter of one person (over the images shown) or of one image (over the people who took part)."""

    factor: str
    label: str
    parameter: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True, repr=False)
class Hierarchy:
    """Posterior of a hierarchy.

    Attributes
    ----------
    population
        Parameters of the population by name, with 95 % intervals for new people and new images as far as
        there are at least three.
    these
        The same for these people and images only.
    spread
        Standard deviations between people and between images, by parameter and factor, on the scale of the
        parameter: octaves or levels for thresholds, octaves for widths, natural logarithms for critical
        scaling and gain, logits for lapse rates, d'.
    members
        Every person's and every image's parameters.
    method
        ``"laplace"`` or ``"nuts"``.
    status
        A `HierarchyStatus`.
    diagnostics
        For Laplace the points of the integral and how many of them count; for NUTS the largest R-hat, the
        smallest effective sample size, and the number of divergent transitions.
    checks
        Posterior predictive checks.
    n_trials
        Number of trials.

    Examples
    --------
    >>> from analysis import DPrimeModel, fit_hierarchy
    >>> people, right = ["a", "b", "c", "d"], [40, 42, 38, 41]
    >>> found = fit_hierarchy(people, None, None, right, [50] * 4, model=DPrimeModel(task="2ifc"))
    >>> found.population["dprime"].low < found.population["dprime"].value
    True
    """

    population: Mapping[str, PopulationEstimate]
    these: Mapping[str, PopulationEstimate]
    spread: Mapping[tuple[str, str], Estimate]
    members: tuple[Member, ...]
    method: str
    status: HierarchyStatus
    diagnostics: Mapping[str, float]
    checks: PredictiveChecks
    n_trials: int

    def __repr__(self) -> str:
        first = next(iter(self.population.values()))
        values = ", ".join(
            f"{name} {found.value:.3g} [{found.low:.3g}, {found.high:.3g}]"
            for name, found in self.population.items()
        )
        return f"{values}; for {first.for_whom} ({self.status.name})"

    def _repr_html_(self) -> str:
        rows = [
            [name, f"{e.value:.3g}", f"{e.low:.3g} to {e.high:.3g}", e.for_whom]
            for name, e in self.population.items()
        ]
        shown = html.table(["parameter", "value", "95 % interval", "for"], rows)
        return shown + html.paragraph(f"{self.method}: {self.status.value}", "small")

    def save(self, path: str | Path) -> Path:
        """Write the hierarchy to a JSON file and return its path (`analysis.fits.saved_hierarchy`)."""
        from analysis.fits.saved_hierarchy import save_hierarchy

        return save_hierarchy(self, path)

    @staticmethod
    def load(path: str | Path) -> "Hierarchy":
        """Return the hierarchy of a file that `save` wrote."""
        from analysis.fits.saved_hierarchy import load_hierarchy

        return load_hierarchy(path)

    @property
    def table(self) -> "pd.DataFrame":
        """Population, people and images as rows: factor, label, parameter, value, low, high."""
        import pandas as pd

        rows = [
            ("population", found.for_whom, name, found.value, found.low, found.high)
            for name, found in self.population.items()
        ]
        rows += [
            (m.factor, m.label, m.parameter, m.estimate.value, m.estimate.low, m.estimate.high)
            for m in self.members
        ]
        columns = ["factor", "label", "parameter", "value", "low", "high"]
        return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportedQuantity:
    """A reported quantity: its parameter, of what it is, and its coefficients (D,)."""

    parameter: int
    factor: str
    label: str
    coefficients: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class PooledAnswers:
    """Answers with the curve of their cells, the problem that pools these, and the reported quantities."""

    table: CellTable
    curve: CellCurve
    problem: MixedProblem
    quantities: Sequence[ReportedQuantity]


def hierarchy_of(
    pooled: PooledAnswers, posterior: MixedPosterior, *, method: str, seed: int
) -> Hierarchy:
    """Return the result of a posterior of the reported quantities; `seed` is of the predictive checks."""
    table, curve = pooled.table, pooled.curve
    low, value, high = (mixture_quantiles(posterior, share) for share in (0.025, 0.5, 0.975))
    mean = posterior.weight @ posterior.mean
    variance = posterior.weight @ (posterior.sd**2 + (posterior.mean - mean) ** 2)
    spread = _spreads(pooled, posterior)
    found: dict[str, dict[str, PopulationEstimate]] = {NEW: {}, THESE: {}}
    members = []
    for at, row in enumerate(pooled.quantities):
        name, report = curve.names[row.parameter], curve.reported[row.parameter]
        ends = (float(report(end[at])) for end in (value, low, high))
        estimate = Estimate(**dict(zip(("value", "low", "high"), ends, strict=True)))
        if row.factor in found:
            se = float(np.sqrt(variance[at]) * curve.units[row.parameter])
            of_all = _of_all(estimate, se, table, new=row.factor == NEW)
            people, images = (
                spread[name, factor].value if (name, factor) in spread else np.nan
                for factor in ("participants", "images")
            )
            found[row.factor][name] = replace(of_all, sd_participants=people, sd_images=images)
            continue
        members.append(
            Member(factor=row.factor, label=row.label, parameter=name, estimate=estimate)
        )
    p = curve.formula(np, posterior.cells)
    return Hierarchy(
        population=found[NEW],
        these=found[THESE],
        spread=spread,
        members=tuple(members),
        method=method,
        status=_status(pooled, posterior),
        diagnostics=posterior.diagnostics,
        checks=predictive_checks(p, table.n_correct, table.n_trials, table.codes, seed=seed),
        n_trials=int(table.n_trials.sum()),
    )


def _of_all(estimate: Estimate, se: float, table: CellTable, *, new: bool) -> PopulationEstimate:
    """Return an estimate for new people and images as far as there are enough, or for these."""
    n_participants, n_images = (len(table.labels.get(f, ())) for f in ("participants", "images"))
    return PopulationEstimate(
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        for_whom=whom(n_participants, n_images) if new else whom(1, min(n_images, 1)),
        df=np.nan,
        se=se,
        sd_participants=np.nan,
        sd_images=np.nan,
        n_participants=n_participants,
        n_images=n_images,
        caution=caution_of(n_participants, n_images) if new else "",
    )


def _spreads(pooled: PooledAnswers, posterior: MixedPosterior) -> dict[tuple[str, str], Estimate]:
    """Return the standard deviation of each effect, from weighted quantiles of its points."""
    spreads, curve = {}, pooled.curve
    for effect, tau in zip(pooled.problem.effects, posterior.tau.T, strict=True):
        order = np.argsort(tau)
        share = np.cumsum(posterior.weight[order]) - 0.5 * posterior.weight[order]
        ends = np.interp([0.025, 0.5, 0.975], share, tau[order]) * curve.units[effect.parameter]
        key = (curve.names[effect.parameter], effect.factor)
        spreads[key] = Estimate(value=float(ends[1]), low=float(ends[0]), high=float(ends[2]))
    return spreads


def _status(pooled: PooledAnswers, posterior: MixedPosterior) -> HierarchyStatus:
    if objection := _objection(pooled):
        return objection
    numbers = posterior.diagnostics
    if numbers.get("divergences", 0) > 0:
        return HierarchyStatus.DIVERGENT
    if numbers.get("r_hat", 1.0) > 1.01:
        return HierarchyStatus.UNMIXED
    points, effective = (numbers.get(name, 1.0) for name in ("points", "effective_points"))
    if points > 1 and effective < 10:
        return HierarchyStatus.ROUGH
    mean = posterior.weight @ posterior.mean
    variance = posterior.weight @ (posterior.sd**2 + (posterior.mean - mean) ** 2)
    these = np.array([row.factor == THESE for row in pooled.quantities])
    vague = np.sqrt(variance[these]) > pooled.curve.vague
    return HierarchyStatus.UNDETERMINED if vague.any() else HierarchyStatus.CONVERGED


def _objection(pooled: PooledAnswers) -> HierarchyStatus | None:
    """Return the status of answers that no rising curve describes, as the fit of pooled answers judges them.

    Falls are those within cells, so that people with other levels than the rest do not make one.
    """
    table, curve = pooled.table, pooled.curve
    right, total = table.n_correct, table.n_trials
    by_level = summed_counts(table.levels.ravel(), right.ravel(), total.ravel())
    if is_below(curve.chance, by_level.n_correct[None], by_level.n_trials[None])[0]:
        return HierarchyStatus.BELOW_CHANCE
    if not np.ptp(curve.positions):
        return None
    middle = (total * curve.positions).sum(axis=1, keepdims=True) / total.sum(axis=1, keepdims=True)
    # Rounded, so that cells with the same levels are added.
    off = np.round((curve.positions - middle) / np.ptp(curve.positions), 9)
    within = summed_counts(off.ravel(), right.ravel(), total.ravel())
    trend = trend_of(*(v[None] for v in (within.levels, within.n_correct, within.n_trials)))
    if trend[0] < ndtri(SURE):
        return HierarchyStatus.FALLING
    seen = curve.curve(pooled.problem.start)[0]
    flat = np.full_like(seen, curve.chance)
    gain = log_likelihood(seen, right, total).sum() - log_likelihood(flat, right, total).sum()
    return HierarchyStatus.AT_CHANCE if 2 * gain < TOLD_APART else None
