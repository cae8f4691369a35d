"""Outcomes of plenoptic's tests: what a killed run leaves, and the tables."""

from pathlib import Path

from benchmarks.peer_tests.outcomes import ENDED, add, read, write
from benchmarks.peer_tests.tables import table_of_files, table_of_reasons


def test_the_last_line_of_a_test_counts_and_half_a_line_does_not(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    assert read(file) == {}
    add(file, "test_a.py::one", (ENDED, ""))
    add(file, "test_a.py::one", ("passed", ""))
    add(file, "test_a.py::two", ("differs", "Error: ü\nof two lines"))
    with file.open("a") as more:
        more.write('["test_a.py::three", "pas')
    left = {
        "test_a.py::one": ("passed", ""),
        "test_a.py::two": ("differs", "Error: ü\nof two lines"),
    }
    assert read(file) == left
    write(file, left)
    add(file, "test_a.py::three", ("passed", ""))
    assert read(file) == {**left, "test_a.py::three": ("passed", "")}


def test_each_test_is_in_one_column_and_what_has_no_reason_is_named() -> None:
    found = {
        "test_a.py::one": ("passed", ""),
        "test_a.py::two": ("differs", "InputError: complex values have no colours"),
        "test_b.py::one": ("differs", "ValueError: never seen"),
        "test_b.py::two": (
            "differs",
            "TypeError: f() got an unexpected keyword argument 'epsilon'",
        ),
        "test_b.py::six": ("not run", ""),
    }
    assert table_of_files(found).splitlines() == [
        "| file | tests | passed | different | not offered | no file, weights or GPU | not run |",
        "|---|---|---|---|---|---|---|",
        "| `a` | 2 | 1 | 1 | 0 | 0 | 0 |",
        "| `b` | 3 | 0 | 1 | 1 | 0 | 1 |",
        "| all | 5 | 1 | 2 | 1 | 0 | 1 |",
    ]
    table, unexplained = table_of_reasons(found)
    assert table.splitlines()[2].startswith("| 1 | Complex values have no colours")
    assert unexplained == {"test_b.py::one": "ValueError: never seen"}
