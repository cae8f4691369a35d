"""Latin squares: every condition at every place, after every other, over participants and sessions."""

from collections import Counter
from itertools import pairwise

import pytest

from experiments.balance import latin_square, row_of
from stimuli_store.errors import InputError


@pytest.mark.parametrize("n", range(1, 13))
def test_a_square_is_balanced_in_place_and_in_sequence(n: int) -> None:
    rows = latin_square(n)
    times = len(rows) // n
    assert len(rows) == (2 * n if n % 2 and n > 1 else n)
    places = Counter((place, value) for row in rows for place, value in enumerate(row))
    assert places == Counter({(p, v): times for p in range(n) for v in range(n)})
    follows = Counter(two for row in rows for two in pairwise(row))
    assert follows == Counter({(a, b): times for a in range(n) for b in range(n) if a != b})


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_a_cycle_of_participants_or_of_sessions_is_complete(n: int) -> None:
    rows = latin_square(n)
    cycle = range(1, len(rows) + 1)
    people = [row_of(f"S{number:02d}", 2, "number") for number in cycle]
    sessions = [row_of("S05", session, "number") for session in cycle]
    for chosen in (people, sessions):
        for place in range(n):
            seen = Counter(rows[row % len(rows)][place] for row in chosen)
            assert seen == Counter(dict.fromkeys(range(n), len(rows) // n))


@pytest.mark.parametrize(
    ("participant", "latin", "row"),
    [("S01", "number", 0), ("12", "number", 11), ("ann", ("bea", "ann"), 1)],
)
def test_rows_are_counted_by_number_or_by_list(participant, latin, row) -> None:
    assert row_of(participant, 1, latin) == row
    assert row_of(participant, 3, latin) == row + 2


@pytest.mark.parametrize(
    ("participant", "latin", "sentence"),
    [
        ("ann", "number", "'ann' has no number at the end"),
        ("S1a", "number", "'S1a' has no number at the end"),
        ("cid", ("ann", "bea"), r"'cid' is not in the list .* \(ann, bea\)"),
    ],
)
def test_a_participant_without_a_row_is_refused(participant, latin, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        row_of(participant, 1, latin)
