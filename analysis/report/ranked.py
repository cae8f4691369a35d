"""Rankings of models for the report: under the rule of each trial, or under several."""

from collections.abc import Mapping, Sequence

from analysis.data.answers import Answers
from analysis.data.cell_counts import models_without_evidence
from analysis.ranking.rank import rank, rank_by_rule
from analysis.ranking.records import Ranking
from stimuli_store.errors import InputError


def rankings_of(
    answers: Answers, rules: Sequence[str], seed: int
) -> tuple[Mapping[str, Ranking], str]:
    """Return decision rule to the models ranked under it, and why there is no ranking, if so.

    Parameters
    ----------
    answers
        Answers of people, or of simulated observers.
    rules
        Rules to rank under; none for that of each trial, whose name is "" if there are several.
    seed
        Seed of the resampling.
    """
    if not answers.models:
        return {}, ""
    left_out = models_without_evidence(answers)
    if len(left_out) == len(answers.models):
        return {}, f"no model says something of every pair that was shown ({', '.join(left_out)})"
    try:
        if rules:
            return rank_by_rule(answers, rules, seed=seed), ""
        own = [str(rule) for rule in answers.kept.rule.unique()]
        return {own[0] if len(own) == 1 else "": rank(answers, seed=seed)}, ""
    except InputError as error:
        return {}, str(error)
