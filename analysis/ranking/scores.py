"""Means of bits with their intervals: of models, baselines and noise ceilings, and shares of a ceiling."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.data.cells import Cells
from analysis.ranking.dual_bootstrap import Resampled, Spread, resample, spreads_of
from analysis.ranking.held_out import ScoredModel
from analysis.ranking.proportions import LOWER, UPPER, CeilingBits
from analysis.ranking.records import Ceiling, CeilingShare, ModelScore


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Resampled bits of everything that is scored.

    Attributes
    ----------
    names
        Names of the quantities in `resampled`, in order; that of the best model is the first.
    resampled
        Their means, and their means in resamplings.
    ceiling
        The noise ceiling, or None.
    shares
        Whether the ceiling lies far enough above chance to divide by it.
    notes
        Sentences on what could not be computed.
    """

    names: tuple[str, ...]
    resampled: Resampled
    ceiling: Ceiling | None
    shares: bool
    notes: tuple[str, ...]


def measure(
    cells: Cells,
    bits: Mapping[str, np.ndarray],
    ceiling: CeilingBits,
    *,
    n_draws: int,
    seed: int,
) -> Measured:
    """Return the resampled means of bits.

    Parameters
    ----------
    cells
        The answers.
    bits
        Bits in each cell, summed over its trials (C,), by label; the best model's are the first.
    ceiling
        From `analysis.ranking.proportions.ceiling_bits`.
    n_draws, seed
        As in `analysis.ranking.dual_bootstrap.resample`.
    """
    everything = {**bits, **ceiling.bounds}
    resampled = resample(
        np.stack(list(everything.values())),
        cells.n_trials,
        cells.participant,
        cells.image,
        n_draws=n_draws,
        seed=seed,
    )
    names = tuple(everything)
    if not ceiling.bounds:
        return Measured(
            names=names, resampled=resampled, ceiling=None, shares=False, notes=(ceiling.why,)
        )
    lower, upper = (_spread(names, resampled, {name: 1.0}) for name in (LOWER, UPPER))
    shares = lower.low > 0
    note = (
        f"no share of the noise ceiling is given, since its lower bound, {lower.mean:.3f} bits per "
        "trial, is not told apart from chance"
    )
    return Measured(
        names=names,
        resampled=resampled,
        ceiling=Ceiling(
            lower=lower.mean,
            lower_low=lower.low,
            lower_high=lower.high,
            upper=upper.mean,
            upper_low=upper.low,
            upper_high=upper.high,
        ),
        shares=shares,
        notes=() if shares else (note,),
    )


def summarized(
    measured: Measured, label: str, scored: ScoredModel | None = None, note: str = ""
) -> ModelScore:
    """Return the scores of one model, with its fit in `scored`, or of a baseline."""
    names, resampled, best = measured.names, measured.resampled, measured.names[0]
    own = _spread(names, resampled, {label: 1.0})
    gap = _spread(names, resampled, {label: 1.0, best: -1.0} if label != best else {})
    return ModelScore(
        label=label,
        bits=own.mean,
        low=own.low,
        high=own.high,
        bits_in_sample=scored.in_sample if scored else None,
        difference=gap.mean,
        difference_low=gap.low if label != best else 0.0,
        difference_high=gap.high if label != best else 0.0,
        of_lower=_share(measured, label, LOWER),
        of_upper=_share(measured, label, UPPER),
        fit=scored.fit if scored else None,
        note=note,
    )


def _share(measured: Measured, label: str, bound: str) -> CeilingShare | None:
    """Return a share of a ceiling, with the interval of the bits minus the share times the ceiling's bits."""
    if not measured.shares:
        return None
    places = {name: i for i, name in enumerate(measured.names)}
    top = measured.resampled.means[places[bound]]
    share = float(measured.resampled.means[places[label]] / top)
    rest = _spread(measured.names, measured.resampled, {label: 1.0, bound: -share})
    half = float((rest.high - rest.low) / 2 / top)
    return CeilingShare(value=share, low=share - half, high=share + half)


def _spread(names: tuple[str, ...], resampled: Resampled, weights: Mapping[str, float]) -> Spread:
    contrast = np.array([[weights.get(name, 0.0) for name in names]])
    return spreads_of(resampled, contrast)[0]
