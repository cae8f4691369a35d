"""Wrong tables: each is refused in one sentence that says what is wrong and what would do."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.data.journals import read_sessions
from analysis.data.reading import read_trials
from stimuli_store.errors import JournalError, StimsynthError
from tests.analysis.test_reading import FILES, ROLES, frame, write


def counts(k: list[float], n: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"level": [1.0, 2.0], "n_correct": k, "n_trials": n})


def answered(key: list[Any], **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"answer": ["left", "right", "left"], "response": key, **more})


WRONG: dict[str, tuple[Any, Mapping[str, Any] | None, Mapping[str, Any], str]] = {
    "no roles": (frame(), None, {}, r"no column says which answers were right.*\(|roles="),
    "a role without its column": (
        frame(),
        {**ROLES, "level": "contrats"},
        {},
        "column for the role 'level': 'contrats'; did you mean 'contrast'",
    ),
    "a misspelt role": (frame(), {"particpant": "subj"}, {}, "did you mean 'participant'"),
    "a misspelt task": (frame(), ROLES, {"task": "odity"}, "did you mean 'oddity'"),
    "a misspelt rule": (
        frame(),
        ROLES,
        {"task": "abx", "rule": "diferencing"},
        "did you mean 'differencing'",
    ),
    "a misspelt part": (frame(), {**ROLES, "exclude": {"rts": [0, 1]}}, {}, "key in roles.exclude"),
    "correct above 1": (frame(acc=[2, 0, 1]), ROLES, {}, "must hold 1 and 0.*not '2'"),
    "correct in other words": (frame(acc=["ok", "ok", "ko"]), ROLES, {}, "not 'ok'"),
    "a strange response": (
        answered(["left", "up", "right"]),
        None,
        {"task": "pair"},
        "'up' in 'answer' and 'response' is no answer of the task pair",
    ),
    "words of a task with a criterion": (
        answered(["left", "right", "right"]),
        None,
        {"task": "yes-no"},
        "no answer of the task yes-no .no, yes.*answers = ",
    ),
    "more words than answers": (
        answered(["up", "down", "in"], answer=["up", "up", "up"]),
        None,
        {"task": "pair"},
        "'up', 'down', 'in'",
    ),
    "words for another answer": (
        answered(["left", "left", "left"]),
        {"answers": {"l": "lefft"}},
        {"task": "pair"},
        "did you mean 'left'",
    ),
    "a response without a right answer": (
        answered(["left", "left", "left"], answer=["left", None, "right"]),
        None,
        {"task": "pair"},
        "row 2 has a response but no right answer",
    ),
    "a score that contradicts": (
        answered(["left", "left", "right"], correct=[1, 1, 0]),
        None,
        {"task": "pair"},
        "row 2 is correct, but its response differs",
    ),
    "a preference in a task without one": (
        answered(["A", "B", "A"]).drop(columns="answer"),
        None,
        {"task": "abx"},
        "are preferences, which need a task",
    ),
    "a trial twice": (
        frame(order=[4, 4, 1]),
        ROLES,
        {},
        "participant a has two trials with order 4 in session 1",
    ),
    "an order in words": (
        frame(order=["x", "y", "z"]),
        ROLES,
        {},
        "'order' must hold numbers; 'x'",
    ),
    "an order between": (frame(order=[0.5, 1, 2]), ROLES, {}, "whole numbers; not 0.5"),
    "a negative distance": (
        frame(d=[0.1, -0.2, 0.3]),
        {**ROLES, "evidence": {"m": "d"}},
        {"task": "abx"},
        "row 2 has -0.2",
    ),
    "a distance in words": (
        frame(d=["0.1", "far", "0.3"]),
        {**ROLES, "evidence": {"m": "d"}},
        {"task": "abx"},
        "'d' .role 'evidence.m'. must hold numbers; 'far'",
    ),
    "a model's missing column": (
        frame(dist=[1, 2, 3]),
        {**ROLES, "evidence": {"m": "dits"}},
        {},
        "did you mean 'dist'",
    ),
    "scores by answer where none is higher": (
        frame(d=[1, 2, 3]),
        {**ROLES, "evidence": {"m": {"A": "d"}}},
        {"task": "abx"},
        "scores by answer",
    ),
    "scores of a strange answer": (
        answered(["left", "left", "left"], d=[1, 2, 3]),
        {"evidence": {"m": {"lefft": "d"}}},
        {"task": "pair"},
        "did you mean 'left'",
    ),
    "a misspelt preference": (
        answered(["left", "left", "left"], d=[1, 2, 3]),
        {"evidence": {"m": {"left": "d", "prefers": "low"}}},
        {"task": "pair"},
        "did you mean 'lower'",
    ),
    "proportions": (counts([0.55, 1], [20, 20]), None, {}, "holds proportions .0.55 of 20"),
    "fractional counts": (counts([7.5, 9], [10, 10]), None, {}, "row 1 has 7.5"),
    "fractional trials": (counts([7, 9], [10.5, 10]), None, {}, "row 1 has 10.5"),
    "more right than there were": (counts([7, 11], [10, 10]), None, {}, "row 2 has 11 of 10"),
    "negative counts": (counts([7, -1], [10, 10]), None, {}, "row 2 has -1"),
    "half of the counts": (counts([7, 1], [10, 10])[["level", "n_correct"]], None, {}, "n_trials"),
    "a count that is missing": (counts([7, np.nan], [10, 10]), None, {}, "row 2 lacks n_correct"),
    "levels with a comma": (
        frame(contrast=["1,5", "2,5", "4"]),
        ROLES,
        {},
        "'1,5' is none: write it with a decimal point",
    ),
    "levels of both sorts": (
        frame(contrast=["1", "low", "4"]),
        ROLES,
        {},
        "'low' is none, so give",
    ),
    "an infinite level": (frame(contrast=[1, np.inf, 2]), ROLES, {}, "infinite"),
    "nobody's answer": (frame(subj=["a", None, "b"]), ROLES, {}, "row 2 has no participant"),
    "milliseconds as seconds": (
        frame(rt=[512, 700, 430]),
        {**ROLES, "rt_s": "rt"},
        {},
        "give their column 'rt' the role rt_ms",
    ),
    "a negative response time": (frame(rt_s=[0.1, -1, 1]), ROLES, {}, "row 2 has -1"),
    "lists in a column": (frame(acc=[[1], [0], [1]]), ROLES, {}, "neither numbers nor text"),
    "an empty table": (frame().iloc[:0], ROLES, {}, "holds no rows"),
    "two columns of one name": (
        pd.DataFrame([[1, 0]], columns=["correct", "correct"]),
        None,
        {},
        "two columns called 'correct'",
    ),
    "an array of another shape": (np.ones((3, 2)), None, {}, r"\(n, 3\); not \(3, 2\)"),
    "counts without a level": ([[np.nan, 1, 2]], None, {}, "needs a level"),
    "no table at all": (object(), None, {}, "cannot read trials from an object of type object"),
    "roles in a list": (frame(), ["subj"], {}, "not list"),  # type: ignore[dict-item]
    "a task by number": (frame(), ROLES, {"task": 2}, "not 2"),
    "complex numbers": (frame(order=[1j, 2j, 3j]), ROLES, {}, "must hold numbers; .*1j"),
    "the text of a table": ("subj,acc\n" + "a,1\n" * 200, ROLES, {}, "does not exist"),
    "no participant of this name": (
        frame(),
        {**ROLES, "exclude": {"participants": ["c"]}},
        {},
        "unknown participant 'c'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_is_refused_in_a_sentence(name: str) -> None:
    source, roles, how, said = WRONG[name]
    with pytest.raises(StimsynthError, match=said) as error:
        read_trials(source, roles, **how)
    assert "\n" not in str(error.value)


WRONG_FILES: dict[str, tuple[str, bytes, str]] = {
    "prose": (
        "a.txt",
        b"Dear all,\nhere are, as promised, the data.\nBest wishes\n",
        "number of fields",
    ),
    "binary": ("a.csv", b"\x89HDF\r\n\x1a\n\x00\x00\x00\x00", "is a bank, not a table"),
    "a workbook": ("a.xlsx", b"PK\x03\x04\x14\x00\x06\x00", "save its table as CSV"),
    "nothing": ("a.csv", b"", "is empty"),
    "a header alone": ("a.csv", b"subj,contrast,acc\n", "holds no rows"),
    "a name twice": ("a.csv", b"acc,acc\n1,0\n0,1\n", "two columns called 'acc'"),
    "a longer first line": ("a.csv", b"acc,level\n1,2,3\n1,2\n1,2\n", "same number of fields"),
    "one column": ("a.csv", b"acc\n1\n0\n1\n", "one column only"),
    "numbers without names": ("a.csv", b"1,2,3,4\n1,2,3,4\n", "no line of column names"),
    "a broken line": ("a.csv", b"subj,contrast,acc\na,1,1\na,2,0\nb,3,1,9,9\n", "line 4"),
    "not packed": ("a.csv.gz", b"subj,contrast,acc\na,1,1\n", "cannot read the table"),
    "not Parquet": ("a.parquet", b"subj,contrast,acc\na,1,1\n", "Parquet"),
    "a journal": ("a.jsonl", b'{"body":{},"event":"header","n":0,"sum":"0"}\n', "answers_of"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    file, content, said = WRONG_FILES[name]
    if file.endswith(".parquet") and importlib.util.find_spec("pyarrow") is None:
        said = "pyarrow"
    (tmp_path / file).write_bytes(content)
    with pytest.raises(StimsynthError, match=said) as error:
        read_trials(tmp_path / file, ROLES)
    assert "\n" not in str(error.value)


def test_folders_without_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StimsynthError, match="holds no table; tables are"):
        read_trials(tmp_path)
    with pytest.raises(StimsynthError, match="does not exist"):
        read_trials(tmp_path / "nowhere.csv")
    (tmp_path / "sub-1.jsonl").write_bytes(WRONG_FILES["a journal"][1])
    with pytest.raises(StimsynthError, match="session journals; read them with read_sessions"):
        read_trials(tmp_path)
    write(tmp_path / "a.csv", "acc,level\n1,2\n")
    write(tmp_path / "b.csv", "age,level\n1,2\n")
    with pytest.raises(StimsynthError, match=r"b\.csv has other columns than .*a\.csv"):
        read_trials(tmp_path, {"correct": "acc"})


def test_a_table_where_a_journal_belongs_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", FILES["comma.csv"][0])
    with pytest.raises(JournalError, match=r"is a table, not a session journal.*read_trials"):
        read_sessions(path)
