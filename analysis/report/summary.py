"""Convert the results of an analysis to plain JSON values."""

import math
from collections.abc import Sequence
from typing import Any

from analysis.fits.fit import Fit
from analysis.fits.scaling import ScalingFit
from analysis.observers.from_counts import DPrime
from analysis.ranking.records import ModelScore, Ranking
from analysis.report.conditions import Condition
from analysis.report.results import Results
from stimuli_store.records.convert import to_json


def summary_of(results: Results) -> dict[str, Any]:
    """Return the results as plain JSON values; infinite and missing numbers become null."""
    return {
        "pin": results.pin,
        "task": results.task.name,
        "p": results.p,
        "unit": results.unit,
        "comparison": results.headline.name,
        "threshold": _number(results.threshold),
        "interval": _ends(results.headline.fit),
        "status": results.headline.fit.status.value if results.headline.fit else None,
        "true_threshold": _number(results.true_threshold),
        "best_models": list(results.best),
        "best_models_sentence": results.ranking.sentence if results.ranking else None,
        "held_out": results.ranking.held_out if results.ranking else None,
        "ranking": _ranking_json(results.ranking),
        "checks": [to_json(check) for check in results.diagnostics],
        "critical_scaling": _scaling_json(results.headline.scaling),
        "conditions": [_condition_json(c) for c in (results.headline, *results.others)],
        "by_participant": [_condition_json(c) for c in results.by_participant],
        "simulated_observers": list(results.observers),
        "n_trials": results.n_trials,
        "participants": list(results.participants),
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _ends(fit: Fit | None) -> list[float | None] | None:
    return [_number(fit.low), _number(fit.high)] if fit else None


def _condition_json(condition: Condition) -> dict[str, Any]:
    return {
        "name": condition.name,
        "task": condition.task.name,
        "rule": condition.rule,
        "unit": condition.unit,
        "levels": list(condition.levels),
        "n_correct": [int(k) for k in condition.n_correct],
        "n_trials": [int(n) for n in condition.n_trials],
        "dprime": [d.estimate if d else None for d in condition.dprimes],
        "dprime_interval": [
            [_number(d.low), _number(d.high)] if d else None for d in condition.dprimes
        ],
        "true_dprime": [_number(d) for d in condition.true_dprimes],
        **_rates_json(condition.dprimes),
        **_fit_json(condition),
    }


def _rates_json(dprimes: Sequence[DPrime | None]) -> dict[str, Any]:
    known = [d.rates if d else None for d in dprimes]
    if not any(known):
        return {}
    return {"rates": [to_json(rates) for rates in known]}


def _fit_json(condition: Condition) -> dict[str, Any]:
    fit = condition.fit
    if fit is None:
        return {"threshold": None, "interval": None, "status": None, "true_threshold": None}
    return {
        "threshold": _number(fit.threshold),
        "interval": _ends(fit),
        "status": fit.status.value,
        "true_threshold": _number(condition.true_threshold),
        "guess": fit.function.guess,
        "sigmoid": fit.function.sigmoid,
        "width": fit.function.width,
        "lapse": fit.function.lapse,
        "deviance": fit.deviance,
        "dispersion": fit.dispersion,
    }


def _scaling_json(scaling: ScalingFit | None) -> dict[str, Any] | None:
    if scaling is None:
        return None
    return {
        "critical": scaling.critical,
        "critical_interval": [_number(scaling.critical_low), _number(scaling.critical_high)],
        "gain": scaling.gain,
        "gain_interval": [_number(scaling.gain_low), _number(scaling.gain_high)],
    }


def _ranking_json(ranking: Ranking | None) -> list[dict[str, Any]]:
    rows = (*ranking.rows, *ranking.baselines) if ranking else ()
    return [_score_json(row) for row in rows]


def _score_json(row: ModelScore) -> dict[str, Any]:
    return {
        "model": row.label,
        "bits": row.bits,
        "bits_interval": [_number(row.low), _number(row.high)],
        "bits_in_sample": row.bits_in_sample,
        "difference": row.difference,
        "difference_interval": [_number(row.difference_low), _number(row.difference_high)],
        "gain": row.fit.gain if row.fit else None,
        "exponent": row.fit.exponent if row.fit else None,
        "lapse": row.fit.lapse if row.fit else None,
    }
