"""The one gate for whole numbers: what passes as one, and the sentence for what does not."""

from typing import Any

import numpy as np
import pytest

from stimuli_store.errors import InputError
from stimuli_store.tools.whole import pair, whole, wholes


@pytest.mark.parametrize("value", [4, 4.0, np.int8(4), np.uint64(4), np.float32(4), np.array(4)])
def test_whole_numbers_of_any_type_become_plain(value: Any) -> None:
    for found in (
        whole(value, "n", 4),
        *wholes([value], "n", 4),
        *pair(value, "n"),
        *wholes(value, "n"),
    ):
        assert found == 4
        assert type(found) is int


def test_large_numbers_keep_all_their_digits() -> None:
    assert whole(2**62 + 1, "n", most=2**63) == 2**62 + 1
    assert whole(np.int64(2**62 + 1), "n", most=2**63) == 2**62 + 1


@pytest.mark.parametrize("value", [2**31, -(2**31), 1e300, 10**30, np.uint64(2**63)])
def test_numbers_that_no_size_has_are_refused(value: Any) -> None:
    for check in (whole, wholes):
        with pytest.raises(InputError, match="n must be at most 2,147,483,647 in size; not "):
            check(value, "n")
    assert whole(2**31 - 1, "n") == 2**31 - 1


@pytest.mark.parametrize(
    "value",
    [
        3,
        4.5,
        "4",
        b"4",
        None,
        True,
        np.True_,
        np.array(True),
        np.nan,
        np.inf,
        -np.inf,
        4j,
        [4],
        np.array([4]),
        object(),
    ],
)
def test_what_is_no_whole_number_gets_a_sentence(value: Any) -> None:
    with pytest.raises(InputError, match=r"^n must be a whole number of 4 or more; not "):
        whole(value, "n", 4)


@pytest.mark.parametrize("value", [0, 1.5, "12", None, [1], [1, 2, 3], [1, 0], [1, "2"], {}])
def test_what_is_no_size_gets_a_sentence(value: Any) -> None:
    with pytest.raises(
        InputError, match=r"^size(, if not one number,)? must be .* of 1 or more; not "
    ):
        pair(value, "size")
