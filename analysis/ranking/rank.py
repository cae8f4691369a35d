"""Ranking of models by how well their evidence predicts answers they were not fitted to.

All models have the same choice model and the same three free parameters (`analysis.curves.choice_model`).
The parameters are fitted on some images and participants and scored on other images **and** other
participants. The score is the log probability of the held-out answers, averaged over the posterior of the
parameters, in bits per trial above chance. Every answer counts equally, unless participants are to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.data.answers import Answers
from analysis.data.cell_counts import cells_of, models_without_evidence
from analysis.data.cells import Cells, guesses_of
from analysis.data.kinds import given_answers, given_cells
from analysis.infer.jackknife import WEIGHINGS, weights_of
from analysis.ranking.baselines import (
    CHANCE,
    CONDITION_MEANS,
    IMAGE_MEANS,
    LEVEL_ONLY,
    baselines_of,
    guessing,
)
from analysis.ranking.diagnose import decision_rule, diagnose, rules_of
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import score
from analysis.ranking.pairs import compare_pairs
from analysis.ranking.proportions import ceiling_bits, groups_of
from analysis.ranking.records import GroupScore, Ranking
from analysis.ranking.scores import measure, summarized
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import (
    a_count,
    a_seed,
    a_text,
    a_yes_or_no,
    one_of,
    optional,
    some_names,
    takes,
)
from stimuli_store.tools.progress import progress_bar

_WEIGHED: Mapping[str, tuple[str, ...]] = {
    "trials": (),
    "participants": ("every participant counts the same, however many trials they answered",),
}
_RESERVED = (CHANCE, LEVEL_ONLY, CONDITION_MEANS, IMAGE_MEANS)


@takes(
    answers=given_answers,
    models=optional(some_names),
    rule=optional(a_text),
    conditions=optional(some_names),
    baselines=a_yes_or_no,
    weigh=one_of(*WEIGHINGS),
    n_draws=a_count,
    seed=a_seed,
)
def rank(
    answers: Answers,
    *,
    models: Sequence[str] | None = None,
    rule: str | None = None,
    conditions: Sequence[str] | None = None,
    baselines: bool = True,
    weigh: str = "trials",
    n_draws: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Return models ranked by how well they predict answers that they were not fitted to.

    Parameters
    ----------
    answers
        From `analysis.read_trials` or `analysis.answers_of`, with evidence of at least one model.
    models
        Labels of the models; None for all that have evidence in every row.
    rule
        Decision rule under which all answers are predicted; None for that of each trial.
    conditions
        Columns that tell conditions apart, for the baselines and ceilings; None for those with few values.
    baselines
        Whether to score predictions that need no model too (level, condition means, image × condition).
        Chance is always there. Pixel MSE is a model like any other: give its distances as evidence.
    weigh
        What counts the same in means of bits: ``"trials"`` (default), so that who answered more counts more,
        or ``"participants"``. Models are fitted to trials in both cases.
    n_draws, seed
        Resamplings of participants and images for the intervals, and the seed that draws them.

    Raises
    ------
    InputError
        If there is no answer or no model, a name is unknown, a model has the name of a baseline or lacks
        evidence, or no task is stated.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import read_trials
    >>> rows = [(who, image, d, 2 * d + 1) for who in "ab" for image in "xyz" for d in (1, 2, 3, 4)] * 9
    >>> table = pd.DataFrame(rows, columns=["who", "image", "d", "right"]).assign(n=10)
    >>> roles = {"participant": "who", "image": "image", "n_correct": "right", "n_trials": "n"}
    >>> answers = read_trials(table, {**roles, "evidence": {"far": "d"}}, task="2ifc")
    >>> rank(answers).best
    ('far',)
    """
    chosen = answers if rule is None else answers.with_rule(rule)
    cells = cells_of(chosen, models, conditions)
    found = rank_models(cells, baselines=baselines, weigh=weigh, n_draws=n_draws, seed=seed)
    left_out = models_without_evidence(chosen) if models is None else ()
    notes = [f"{label} is not ranked, since it says nothing of some pairs" for label in left_out]
    speaks = decision_rule(cells, found.rows[0].label, n_draws=n_draws, seed=seed)
    return replace(found, notes=(*notes, *found.notes), diagnostics=(*diagnose(chosen), speaks))


@takes(answers=given_answers, rules=optional(some_names))
def rank_by_rule(
    answers: Answers, rules: Sequence[str] | None = None, **how: Any
) -> dict[str, Ranking]:
    """Return the ranking of `rank` under each of several decision rules.

    Parameters
    ----------
    answers
        Answers to one task.
    rules
        Names of rules; None for all of the task.
    how
        Further arguments of `rank`.

    Raises
    ------
    InputError
        As `rank`, or if the task has no such rule.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> sorted(rank_by_rule(answers, n_draws=20))
    ['differencing', 'independent', 'likelihood']
    """
    chosen = rules_of(answers.task) if rules is None else rules
    return {rule: rank(answers, rule=rule, **how) for rule in chosen}


@takes(cells=given_cells, weigh=one_of(*WEIGHINGS), n_draws=a_count, seed=a_seed)
def rank_models(
    cells: Cells,
    *,
    baselines: bool = True,
    weigh: str = "trials",
    n_draws: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Return the models of `cells.evidence` ranked by held-out bits per trial, all pairs compared.

    Parameters
    ----------
    cells
        Counts of answers.
    baselines
        Whether to score predictions that need no model too; chance is always there.
    weigh
        Whether ``"trials"`` (default) or ``"participants"`` count the same.
    n_draws, seed
        Resamplings of participants and images for the intervals, and the seed that draws them.

    Raises
    ------
    InputError
        If there is no answer or no model, a model has the name of a baseline, or lacks evidence.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from analysis.data.cell_counts import cells_of
    >>> [score.label for score in rank_models(cells_of(answers), n_draws=20).rows]
    ['right', 'wrong']
    """
    _check(cells)
    guess, groups = guesses_of(cells), groups_of(cells)
    folds = folds_of(cells.participant, cells.image, cells.pair)
    scored = {}
    with progress_bar(len(cells.evidence), "model") as bar:
        for label in cells.evidence:
            scored[label] = score(cells, label, folds, guess)
            bar.update()
    weight = weights_of(cells.participant, cells.n_trials, weigh)
    models = _ordered({n: weight * one.held_out for n, one in scored.items()}, cells)
    known = {CHANCE: guessing(cells)}
    if baselines:
        known |= baselines_of(cells, groups, folds, guess)
    others = _ordered({label: weight * one.bits for label, one in known.items()}, cells)
    ceiling = ceiling_bits(cells, groups, guess)
    measured = measure(
        replace(cells, n_trials=weight * cells.n_trials),
        {**models, **others},
        replace(ceiling, bounds={n: weight * b for n, b in ceiling.bounds.items()}),
        n_draws=n_draws,
        seed=seed,
    )
    bits = np.stack(list(models.values()))
    rows = tuple(summarized(measured, label, scored[label]) for label in models)
    beside = tuple(summarized(measured, label, note=known[label].note) for label in others)
    return Ranking(
        rows=rows,
        baselines=beside,
        pairs=compare_pairs(list(models), bits, cells.n_trials, measured.resampled),
        ceiling=measured.ceiling,
        notes=(*measured.notes, *_WEIGHED[weigh]),
        held_out=folds.held_out,
        scheme=folds.scheme,
        spread=measured.resampled.meaning,
        n_trials=int(cells.n_trials.sum()),
        n_participants=len(np.unique(cells.participant)),
        n_images=len(np.unique(cells.image)),
        by_image=_by_group(cells.image, cells, weight, models),
        by_participant=_by_group(cells.participant, cells, weight, models),
    )


def _check(cells: Cells) -> None:
    if not cells.n_trials.sum() or not cells.evidence:
        raise InputError(
            "a ranking needs at least one trial and one model that says something of every pair that was "
            "shown; name its column, as in read_trials(..., evidence={model: column})"
        )
    for label in cells.evidence:
        if label in _RESERVED:
            raise InputError(
                f"a model cannot have the name {label!r}, which is that of a baseline; give it another"
            )


def _ordered(bits: Mapping[str, np.ndarray], cells: Cells) -> dict[str, np.ndarray]:
    """Return bits by label, the most first; sums that differ by rounding go by their labels."""
    mean = {label: round(float(b.sum() / cells.n_trials.sum()), 9) for label, b in bits.items()}
    return {label: bits[label] for label in sorted(bits, key=lambda label: (-mean[label], label))}


def _by_group(
    names: np.ndarray, cells: Cells, weight: np.ndarray, bits: Mapping[str, np.ndarray]
) -> tuple[GroupScore, ...]:
    known, place = np.unique(names, return_inverse=True)
    total = np.bincount(place, cells.n_trials)
    size = np.bincount(place, weight * cells.n_trials)
    means = {label: np.bincount(place, b) / size for label, b in bits.items()}
    return tuple(
        GroupScore(
            name=str(name),
            n_trials=float(total[i]),
            bits={label: float(mean[i]) for label, mean in means.items()},
        )
        for i, name in enumerate(known)
    )
