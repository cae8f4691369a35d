"""Convert the results of an analysis to plain JSON values."""

import math
from typing import Any

from analysis.fits.scaling import ScalingFit
from analysis.ranking.rank import Ranking
from analysis.report.results import Condition, Results


def summary_of(results: Results) -> dict[str, Any]:
    """Return the results as plain JSON values; infinite and missing numbers become null."""
    return {
        "pin": results.pin,
        "p": results.p,
        "unit": results.unit,
        "comparison": results.headline.name,
        "threshold": _number(results.threshold),
        "interval": [_number(end) for end in results.interval],
        "status": results.headline.fit.status.value,
        "true_threshold": _number(results.true_threshold),
        "winner": results.winner,
        "ranking": _ranking_json(results.ranking),
        "critical_scaling": _scaling_json(results.headline.scaling),
        "conditions": [_condition_json(c) for c in (results.headline, *results.others)],
        "by_participant": [_condition_json(c) for c in results.by_participant],
        "simulated_observers": list(results.observers),
        "n_trials": results.n_trials,
        "participants": list(results.participants),
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _condition_json(condition: Condition) -> dict[str, Any]:
    fit = condition.fit
    return {
        "name": condition.name,
        "task": condition.task,
        "rule": condition.rule,
        "levels": condition.levels.tolist(),
        "n_correct": [int(k) for k in condition.n_correct],
        "n_trials": [int(n) for n in condition.n_trials],
        "dprime": [d.estimate for d in condition.dprimes],
        "threshold": _number(fit.threshold),
        "interval": [_number(fit.low), _number(fit.high)],
        "status": fit.status.value,
        "true_threshold": _number(condition.true_threshold),
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
    return [
        {
            "model": row.label,
            "bits": row.bits,
            "bits_in_sample": row.bits_in_sample,
            "difference": row.difference,
            "difference_interval": [_number(row.difference_low), _number(row.difference_high)],
            "gain": row.fit.gain if row.fit else None,
            "exponent": row.fit.exponent if row.fit else None,
            "lapse": row.fit.lapse if row.fit else None,
        }
        for row in (ranking.rows if ranking else ())
    ]
