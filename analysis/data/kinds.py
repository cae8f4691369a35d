"""Gates of the records that functions of the analysis pass on to each other."""

from typing import Any

from stimuli_store.tools.gates import Gate, like, several

given_answers: Gate = like("Answers, from read_trials or answers_of", "table", "groups")
given_fit: Gate = like("a Fit, from fit_psychometric or fits[key]", "counts", "threshold_at")
given_fits: Gate = like("Fits, from fit(answers, by=…)", "keys", "values_of")
given_cells: Gate = like("Cells, from cells_of(answers)", "evidence", "n_correct")
given_bank: Gate = like("a Bank, from open_bank", "distances", "references")
_a_session = like("a list of Sessions, from read_sessions", "header", "records")


def sessions_given(value: Any, name: str) -> tuple[Any, ...]:
    """Return sessions, read from journals, as a tuple."""
    return tuple(_a_session(one, name) for one in several(value, name))
