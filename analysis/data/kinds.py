"""Gates of the records that functions of the analysis pass on to each other."""

from typing import Any

from stimuli_store.errors import InputError
from stimuli_store.tools.gates import Gate, a_list, like, some_names

given_answers: Gate = like("Answers, from read_trials or answers_of", "table", "groups")


def scored_answers(value: Any, name: str) -> Any:
    """Return answers of which some can be right; refuse preferences."""
    if given_answers(value, name).preferences:
        raise InputError(
            f"the {name} are preferences: none is right, so they have no proportion correct, d' or "
            "threshold; rank(answers) compares models by the choices"
        )
    return value


given_fit: Gate = like("a Fit, from fit_psychometric or fits[key]", "counts", "threshold_at")
given_fits: Gate = like("Fits, from fit(answers, by=…)", "keys", "values_of")
given_cells: Gate = like("Cells, from cells_of(answers)", "evidence", "n_correct")
given_bank: Gate = like("a Bank, from open_bank", "distances", "references")
_a_session = like("a list of Sessions, from read_sessions", "header", "records")


def sessions_given(value: Any, name: str) -> tuple[Any, ...]:
    """Return sessions, read from journals, as a tuple."""
    return tuple(_a_session(one, name) for one in a_list(value, name))


def apart_from(*taken: str) -> Gate:
    """Return the gate of columns to group by, none of which has the name of a column of the result."""

    def gate(value: Any, name: str) -> tuple[str, ...]:
        given = some_names(value, name)
        for column in given:
            if column in taken:
                raise InputError(
                    f"{name} has the column {column!r}, whose name is that of a result in the table; rename "
                    "it before reading"
                )
        return given

    return gate
