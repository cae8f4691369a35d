"""Answers described in a few words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.data.answers import Answers


def facts_of(answers: "Answers") -> list[tuple[str, str]]:
    """Return facts about answers as pairs of words: trials, participants, levels, models, …"""
    table, left_out = answers.table, answers.table.excluded != ""
    n_left_out = table.n_trials.to_numpy()[left_out].sum()
    reasons = ", ".join(f"{r.reason} {r.trials}" for r in answers.exclusions.itertuples())
    facts = {
        "trials": f"{table.n_trials.sum():.0f}"
        + (f", {n_left_out:.0f} left out ({reasons})" if reasons else ""),
        "participants": str(table.participant.nunique()),
        "images": str(table.image.nunique() or ""),
        "tasks": ", ".join(sorted(answers.tasks)),
        "levels": f"{table.level.nunique()} {answers.unit}".strip(),
        "conditions": ", ".join(answers.conditions),
        "models": ", ".join(answers.models),
        "simulated": str(int(table.simulated.sum()) or ""),
        "source": answers.source,
        "look at": "; ".join(answers.notes),
    }
    return [(what, said) for what, said in facts.items() if said]
