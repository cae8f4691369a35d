"""Convert the results of an analysis to plain JSON values."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.data.answers import Answers
from analysis.infer.estimates import Estimate
from analysis.observers.counted.dprime_result import DPrime
from analysis.ranking.records import Ranking
from analysis.report.conditions import Condition, undetermined
from analysis.report.headlines import (
    answers_line,
    assumptions_of,
    sorts_line,
    statements_of,
)
from analysis.report.results import Results
from analysis.report.statements import MISFIT
from stimuli_store.records.convert import to_json


def summary_of(results: Results, answers: Answers) -> dict[str, Any]:
    """Return the results as plain JSON values; infinite and missing numbers become null."""
    head, ranking = results.headline, results.ranking
    found = {
        "format": "stimsynth-results",
        "version": 1,
        "headline": {
            "answers": answers_line(results),
            "simulated": sorts_line(results),
            "assumed": assumptions_of(results),
            "statements": [to_json(statement) for statement in statements_of(results)],
        },
        "source": results.source,
        "pin": results.pin,
        "tasks": [task.name for task in results.tasks],
        "p": results.p,
        "seed": results.seed,
        "unit": results.unit,
        "condition": head.name,
        "threshold": results.threshold,
        "interval": _ends(results.estimate),
        "for_whom": head.for_whom if results.estimate else None,
        "status": _status(head),
        "true_threshold": results.true_threshold,
        "best_models": list(results.best),
        "best_models_sentence": ranking.sentence if ranking else None,
        "held_out": ranking.held_out if ranking else None,
        "conditions": [_condition(c) for c in results.conditions],
        "contrasts": [to_json(row) for row in results.contrasts.rows] if results.contrasts else [],
        "rankings": [_ranking(rule, made) for rule, made in results.rankings.items()],
        "not_ranked": results.not_ranked,
        "checks": [to_json(check) for check in results.diagnostics],
        "exclusions": {str(r.reason): int(r.trials) for r in answers.exclusions.itertuples()},
        "simulated_observers": list(results.observers),
        "people": to_json(results.people),
        "simulated": to_json(results.simulated),
        "n_trials": results.n_trials,
        "n_images": results.n_images,
        "participants": list(results.participants),
    }
    return {key: _finite(value) for key, value in found.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _ends(found: Estimate | None) -> list[float] | None:
    return [found.low, found.high] if found else None


def _status(condition: Condition) -> str | None:
    if condition.fit is None:
        return None
    return undetermined(condition.fit) or condition.fit.status.value


def _condition(condition: Condition) -> dict[str, Any]:
    found = {
        **_part(condition),
        "task": condition.task.name if condition.task else None,
        "rule": condition.rule,
        "unit": condition.unit,
        "simulated": condition.simulated,
        "n_participants": condition.n_participants,
        "n_images": condition.n_images,
        "population": to_json(condition.population) if condition.population else None,
        "dprime_population": [to_json(d) if d else None for d in condition.population_dprimes],
        "goodness_of_fit": condition.misfit,
        "describes_the_answers": None if condition.misfit is None else condition.misfit >= MISFIT,
        "levels_caution": condition.levels_caution,
        "critical_scaling": _scaling(condition),
        "by_participant": [_part(part) for part in condition.by_participant],
        "by_image": [_part(part) for part in condition.by_image],
    }
    others = {rule: made for rule, made in condition.dprimes.items() if rule != condition.rule}
    if others:
        found["dprime_by_rule"] = {
            rule: _dprimes(made, condition.these) for rule, made in others.items()
        }
    return found


def _part(condition: Condition) -> dict[str, Any]:
    """Return counts, d' and fit, which a condition and each of its participants and images has."""
    return {
        "name": condition.name,
        "levels": list(condition.levels),
        "n_correct": condition.n_correct.tolist(),
        "n_trials": condition.n_trials.tolist(),
        **_dprimes(condition.own_dprimes, condition.these),
        "true_dprime": list(condition.true_dprimes),
        **_fit(condition),
    }


def _dprimes(dprimes: Sequence[DPrime | None], these: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "dprime": [d.estimate if d else None for d in dprimes],
        "dprime_interval": [[d.low, d.high] if d else None for d in dprimes],
        "dprime_for_whom": these,
    }
    rates = [d.rates if d else None for d in dprimes]
    if any(rates):
        found["rates"] = [to_json(r) for r in rates]
    return found


def _fit(condition: Condition) -> dict[str, Any]:
    fit, found = condition.fit, condition.estimate
    if fit is None:
        return {"threshold": None, "interval": None, "status": None, "true_threshold": None}
    return {
        "threshold": found.value if found else None,
        "interval": _ends(found),
        "for_whom": condition.for_whom if found else None,
        "threshold_of_the_curve": fit.threshold if found else None,
        "interval_of_the_curve": [fit.low, fit.high] if found else None,
        "status": _status(condition),
        "true_threshold": condition.true_threshold,
        "guess": fit.function.guess,
        "sigmoid": fit.function.sigmoid,
        "width": fit.function.width,
        "lapse": fit.function.lapse,
        "deviance": fit.deviance,
        "dispersion": fit.dispersion,
    }


def _scaling(condition: Condition) -> dict[str, Any] | None:
    scaling = condition.scaling
    if scaling is None:
        return None
    return {
        "critical": scaling.critical,
        "critical_interval": [scaling.critical_low, scaling.critical_high],
        "gain": scaling.gain,
        "gain_interval": [scaling.gain_low, scaling.gain_high],
        "for_whom": condition.these,
        "status": scaling.status.value,
    }


def _ranking(rule: str, found: Ranking) -> dict[str, Any]:
    return {
        "rule": rule,
        "best_models": list(found.best),
        "sentence": found.sentence,
        **to_json(found),
    }
