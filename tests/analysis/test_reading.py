"""Tables of any laboratory: each is read as it was meant."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import compare_groups, diagnose, dprimes, fit
from analysis.data.answers import Answers
from analysis.data.reading import read_trials
from analysis.report.results import analyse
from stimuli_store.errors import InputError, MissingExtra, StimsynthError
from stimuli_store.tasks import task_named
from stimuli_store.tasks.types import Task

PLAIN = {"subj": ["a", "a", "b"], "contrast": [0.5, 1.5, 0.5], "acc": [1, 0, 1]}
ROLES = {"participant": "subj", "level": "contrast", "correct": "acc"}


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({**PLAIN, **columns})


def words(answers: Answers, *names: str) -> list[list[Any]]:
    rows = answers.table[list(names)].astype(object)
    return rows.where(rows.notna(), None).to_numpy().tolist()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


# --- one table in every form


FILES: dict[str, tuple[str, str]] = {
    "comma.csv": ("subj,contrast,acc\na,0.5,1\na,1.5,0\nb,0.5,1\n", "utf-8"),
    "german.csv": ("subj;contrast;acc\na;0,5;1\na;1,5;0\nb;0,5;1\n", "cp1252"),
    "excel.csv": ("sep=;\r\nsubj;contrast;acc\r\na;0,5;1\r\na;1,5;0\r\nb;0,5;1\r\n", "utf-8-sig"),
    "quoted.csv": ('"subj","contrast","acc"\n"a","0,5",1\n"a","1,5",0\n"b","0,5",1\n', "utf-8"),
    "tabs.tsv": ("subj\tcontrast\tacc\na\t0.5\t1\na\t1.5\t0\nb\t0.5\t1\n", "utf-16"),
    "tabs.txt": ("# two people\nsubj\tcontrast\tacc\na\t.5\t1\na\t1.5\t0\nb\t.5\t1\n", "utf-8"),
    "blanks.dat": ("subj contrast  acc\na  0.5  1\na  1.5  0\nb  0.5  1\n", "utf-8"),
    "pipes.csv": ("subj|contrast|acc\na|0.5|1\na|1.5|0\nb|0.5|1\n", "utf-8"),
    "trailing.csv": ("subj,contrast,acc,\na,0.5,1,\na,1.5,0,\nb,0.5,1,\n", "utf-8"),
    "trailing_rows.csv": ("subj,contrast,acc\na,0.5,1,\na,1.5,0,\nb,0.5,1,\n", "utf-8"),
    "pandas.csv": (",subj,contrast,acc\n0,a,0.5,1\n1,a,1.5,0\n2,b,0.5,1\n", "utf-8"),
    "r.txt": ('"subj" "contrast" "acc"\n"1" "a" 0.5 1\n"2" "a" 1.5 0\n"3" "b" 0.5 1\n', "utf-8"),
}


@pytest.mark.parametrize("name", FILES)
def test_one_table_is_the_same_in_every_form(name: str, tmp_path: Path) -> None:
    text, encoding = FILES[name]
    answers = read_trials(write(tmp_path / name, text, encoding), ROLES)
    assert words(answers, "participant", "level", "n_correct", "n_trials", "order") == [
        ["a", 0.5, 1, 1, 0],
        ["a", 1.5, 0, 1, 1],
        ["b", 0.5, 1, 1, 0],
    ]
    assert answers.conditions == ()


def test_a_packed_file_and_a_parquet_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(FILES["comma.csv"][0].encode()))
    assert read_trials(path, ROLES).table.level.tolist() == [0.5, 1.5, 0.5]
    pytest.importorskip("pyarrow")
    frame().to_parquet(tmp_path / "t.parquet")
    assert read_trials(tmp_path / "t.parquet", ROLES).table.level.tolist() == [0.5, 1.5, 0.5]


def test_parquet_without_pyarrow_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ImportError("no engine")

    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(MissingExtra, match="needs pyarrow"):
        read_trials(write(tmp_path / "t.parquet", "PAR1"), ROLES)


def test_umlauts_of_an_old_windows_program_are_understood(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "Versuchsperson;richtig\nJörg;1\nÄnne;0\n", "cp1252")
    answers = read_trials(path, {"participant": "Versuchsperson", "correct": "richtig"})
    assert answers.table.participant.tolist() == ["Jörg", "Änne"]


def test_names_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "subj,pic,acc\n007,01,1\nNA,02,0\n7,2,1\n")
    answers = read_trials(path, {"participant": "subj", "image": "pic", "correct": "acc"})
    assert words(answers, "participant", "image") == [["007", "01"], ["NA", "02"], ["7", "2"]]


def test_counts_come_as_array_list_table_or_file_without_header(tmp_path: Path) -> None:
    rows = [[0.1, 11, 20], [0.2, 15, 20], [0.4, 19, 20]]
    path = write(tmp_path / "psignifit.txt", "0,1\t11\t20\n0,2\t15\t20\n0,4\t19\t20\n")
    named = pd.DataFrame(rows, columns=["c", "k", "n"])
    roles = {"level": "c", "n_correct": "k", "n_trials": "n"}
    for answers in (
        read_trials(np.array(rows)),
        read_trials(rows, task="2afc", unit="contrast"),
        read_trials(path),
        read_trials(named, roles),
    ):
        assert answers.counts().to_numpy().tolist() == rows
        assert answers.table.participant.unique().tolist() == ["all"]


# --- words


@pytest.mark.parametrize(
    "values",
    [
        [1, 0, None],
        [True, False, None],
        ["1", "0", ""],
        ["1.0", "0.0", "NaN"],
        ["yes", "No", "n/a"],
        ["correct", "incorrect", "missing"],
        ["TRUE", "false", "timeout"],
        ["right", "wrong", None],
    ],
)
def test_right_and_wrong_in_any_words(values: list[Any]) -> None:
    answers = read_trials(frame(acc=values), ROLES)
    assert answers.table.n_correct.tolist() == [1, 0, 0]
    assert answers.table.excluded.tolist() == ["", "", "no answer"]


@pytest.mark.parametrize(
    ("task", "answer", "response", "own", "read"),
    [
        ("pair", ["Left", "RIGHT"], ["left", "left"], {}, [["left", "left"], ["right", "left"]]),
        ("oddity", [1, 3], [1.0, 2.0], {}, [["1", "1"], ["3", "2"]]),
        ("yes-no", [True, False], [1, 1], {}, [["yes", "yes"], ["no", "yes"]]),
        ("yes-no", ["y", "n"], ["yes", "0"], {}, [["yes", "yes"], ["no", "no"]]),
        ("2afc", ["left", "right"], ["Left", "left"], {}, [["left", "left"], ["right", "left"]]),
        (
            "pair",
            ["links", "rechts"],
            ["links", "links"],
            {"links": "left", "rechts": "right"},
            [["left", "left"], ["right", "left"]],
        ),
        ("same-different", ["s", "d"], ["s", "s"], {"s": "same", "d": "different"}, None),
        (
            "pair",
            [0, 1],
            [0, 0],
            {0: "left", 1: "right"},
            [["left", "left"], ["right", "left"]],
        ),
        (None, ["up", "down"], ["UP", "up"], {}, [["up", "up"], ["down", "up"]]),
    ],
)
def test_answers_in_the_words_of_a_table(
    task: str | None, answer: list[Any], response: list[Any], own: dict[Any, str], read: Any
) -> None:
    table = pd.DataFrame({"should": [*answer, answer[0]], "key": [*response, None]})
    answers = read_trials(table, {"answer": "should", "response": "key", "answers": own}, task=task)
    read = read or [["same", "same"], ["different", "same"]]
    assert words(answers, "answer", "response") == [*read, [read[0][0], None]]
    assert answers.table.n_correct.tolist() == [float(a == b) for a, b in read] + [0]
    assert answers.table.excluded.tolist() == ["", "", "no answer"]
    assert set(answers.table.answer.cat.categories) >= set(task_named(task).answers if task else ())


def test_what_is_missing_follows_where_it_can() -> None:
    """Of two answers the right one is known from the given one and the score, and the other way round."""
    given = frame(key=["left", "left", "right"])
    answers = read_trials(given, {**ROLES, "response": "key"}, task="pair")
    assert answers.table.answer.tolist() == ["left", "right", "right"]
    right = frame(side=["left", "left", "right"])
    answers = read_trials(right, {**ROLES, "answer": "side"}, task="pair")
    assert answers.table.response.tolist() == ["left", "right", "right"]
    odd = frame(key=[1, 2, 3])
    answers = read_trials(odd, {**ROLES, "response": "key"}, task="oddity")
    assert words(answers, "answer") == [["1"], [None], ["3"]]


def test_a_preference_has_no_right_answer() -> None:
    table = pd.DataFrame({"chosen": ["left", "right"], "d_left": [1.0, 5.0], "d_right": [4.0, 2.0]})
    roles = {
        "response": "chosen",
        "evidence": {"lpips": {"left": "d_left", "right": "d_right", "prefers": "lower"}},
    }
    answers = read_trials(table, roles, task="pair")
    assert answers.preferences
    # One pair, shown in both orders: the same side is counted, and chosen, in both.
    assert words(answers, "answer", "response") == [["left", "left"], ["right", "right"]]
    assert answers.table.n_correct.tolist() == [1, 1]
    assert answers.table.evidence_lpips.tolist() == [3.0, 3.0]
    for asked in (fit, dprimes, lambda a: compare_groups(a, between="chosen")):
        with pytest.raises(InputError, match="are preferences: none is right"):
            asked(answers)
    assert all("no answer is right" in check.sentence for check in diagnose(answers))
    results = analyse(answers)
    assert results.headline.fit is None and not results.headline.dprimes


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("toward", [2.0, -3.0, 4.0]),  # as it stands: positive where the model is right
        ({"left": "toward"}, [2.0, 3.0, 4.0]),  # a score in favour of the left one
        ({"RIGHT": "toward"}, [-2.0, -3.0, -4.0]),
        ({"left": "l", "right": "r"}, [1.0, 4.0, 3.0]),
        ({"right": "r", "left": "l", "prefers": "lower"}, [-1.0, -4.0, -3.0]),
    ],
)
def test_signed_scores_speak_for_the_right_answer(says: Any, expected: list[float]) -> None:
    table = pd.DataFrame(
        {
            "side": ["left", "right", "left"],
            "key": ["left", "left", "right"],
            "toward": [2.0, -3.0, 4.0],
            "l": [3.0, 1.0, 5.0],
            "r": [2.0, 5.0, 2.0],
        }
    )
    roles = {"answer": "side", "response": "key", "evidence": {"m": says}}
    answers = read_trials(table, roles, task="pair")
    assert answers.table.evidence_m.tolist() == expected
    assert answers.models == ("m",)


# --- programs


def psychopy_csv(participant: str, keys: list[str], corr: list[str]) -> str:
    scored = "key_resp.keys,key_resp.corr,key_resp.rt"
    head = f"contrast,corrAns,trials.thisN,{scored},participant,session,expName,"
    rows = [f",,,,,,{participant},001,exp,"]  # the instructions
    for i, (key, score) in enumerate(zip(keys, corr, strict=True)):
        rt = "" if key == "None" else f"0.{i + 3}"
        rows.append(f"0.{i + 1},left,{i},{key},{score},{rt},{participant},001,exp,")
    return "\n".join([head, *rows]) + "\n"


def test_data_files_of_psychopy_need_no_roles(tmp_path: Path) -> None:
    for name in ("07", "08"):
        text = psychopy_csv(name, ["left", "right", "None"], ["1", "0", "0"])
        write(tmp_path / f"{name}_exp_2026.csv", text)
        write(tmp_path / f"._{name}_exp_2026.csv", "\0\5\x16\7")
    answers = read_trials(tmp_path, {"level": "contrast"})
    row = words(
        answers, "participant", "session", "order", "level", "n_correct", "rt_s", "excluded"
    )
    assert row[:3] == [
        ["07", 1, 0, 0.1, 1, 0.3, ""],
        ["07", 1, 1, 0.2, 0, 0.4, ""],
        ["07", 1, 2, 0.3, 0, None, "no answer"],
    ]
    assert len(answers) == 6
    roles = {"level": "contrast", "answer": "corrAns", "response": "key_resp.keys"}
    again = read_trials(tmp_path / "07_exp_2026.csv", roles, task="pair")
    assert again.table.response.dropna().tolist() == ["left", "right"]
    assert "trials.thisN" in again.conditions


def test_behaviour_in_bids_brings_its_participants(tmp_path: Path) -> None:
    for sub, score in (("01", "1"), ("xy", "n/a")):
        folder = tmp_path / f"sub-{sub}" / "ses-2" / "beh"
        folder.mkdir(parents=True)
        text = f"side\tcontrast\thit\tresponse_time\nl\t0.5\t{score}\t0.7\nr\t0.25\t0\tn/a\n"
        write(folder / f"sub-{sub}_ses-2_task-look_run-1_beh.tsv", text)
    write(tmp_path / "participants.tsv", "participant_id\tage\nsub-01\t30\n")
    answers = read_trials(tmp_path, {"level": "contrast", "correct": "hit"})
    assert words(answers, "participant", "session", "level", "n_correct", "rt_s") == [
        ["01", 2, 0.5, 1, 0.7],
        ["01", 2, 0.25, 0, None],
        ["xy", 2, 0.5, 0, 0.7],
        ["xy", 2, 0.25, 0, None],
    ]
    assert answers.exclusions.to_numpy().tolist() == [["no answer", 1]]
    assert {"side", "run", "task_label"} <= set(answers.conditions)


def test_a_folder_of_tables_names_their_files(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        write(tmp_path / f"{name}.csv", "contrast,acc\n0.5,1\n1.5,0\n")
    roles = {"level": "contrast", "correct": "acc"}
    with pytest.raises(StimsynthError, match='say participant = "file" if each file is of one'):
        read_trials(tmp_path, roles)
    answers = read_trials(tmp_path, {**roles, "participant": "file"})
    assert answers.table.participant.tolist() == ["ann", "ann", "bob", "bob"]


def test_roles_stand_in_a_file(tmp_path: Path) -> None:
    roles = write(
        tmp_path / "roles.toml",
        """
participant = "subj"
level = "contrast"
answer = "side"
response = "key"
rt_ms = "ms"
order = ""
answers = { links = "left", rechts = "right" }

[evidence]
ssim = "d"

[every_trial]
task = "pair"
unit = "Michelson contrast"

[exclude]
rt_s = [0.2, 2.0]
participants = ["pilot"]
""",
    )
    table = pd.DataFrame(
        {
            "subj": ["a", "a", "pilot"],
            "contrast": [1, 2, 3],
            "side": ["links", "rechts", "links"],
            "key": ["links", "links", "rechts"],
            "ms": [100, 1500, 600],
            "order": ["ABBA", "ABBA", "BAAB"],
            "d": [0.1, 0.2, -0.3],
        }
    )
    answers = read_trials(table, roles)
    assert answers.task.name == "pair"
    assert answers.table.rt_s.tolist() == [0.1, 1.5, 0.6]
    assert answers.table.excluded.tolist() == ["response time", "", "participant"]
    assert answers.unit == "Michelson contrast"
    assert words(answers, "order", "factor_order") == [[0, "ABBA"], [1, "ABBA"], [0, "BAAB"]]
    assert (answers.column("ms"), answers.column("d")) == ("rt_s", "evidence_ssim")
    assert read_trials(table, roles, unit="%").unit == "%"


def test_a_task_that_a_laboratory_declares_is_read_from_the_roles() -> None:
    declared = {
        "name": "which-half",
        "roles": [{"name": "p", "at": 0}, {"name": "q", "at": 1}],
        "intervals": ["one", "two"],
        "answers": ["one", "two"],
        "phases": [
            {"name": "iti", "ms": 500},
            {"name": "one", "ms": 200, "shows": [{"interval": "one"}]},
            {"name": "two", "ms": 200, "shows": [{"interval": "two"}], "listens": True},
        ],
        "cells": [
            {"fills": {"one": "p", "two": "q"}, "answer": "two"},
            {"fills": {"one": "q", "two": "p"}, "answer": "one"},
        ],
        "rules": ["likelihood"],
    }
    answers = read_trials(frame(), {**ROLES, "every_trial": {"task": declared}})
    assert answers.task.name == "which-half"
    own: Task = replace(answers.task, name="other")
    assert read_trials(frame(), ROLES, task=own).task is own


def test_several_tasks_each_have_their_answers_and_rule() -> None:
    table = frame(task=["pair", "yes-no", "pair"], side=["left", "yes", "right"]).drop(
        columns="acc"
    )
    answers = read_trials(table.assign(key=table.side), {"answer": "side", "response": "key"})
    assert sorted(answers.tasks) == ["pair", "yes-no"]
    assert answers.table.n_correct.tolist() == [1, 1, 1]
    assert answers.table.rule.tolist() == ["likelihood"] * 3
    with pytest.raises(StimsynthError, match="several tasks"):
        _ = answers.task
    assert answers.only(task="yes-no").task.criterion


def test_sessions_in_words_are_numbered_as_they_come() -> None:
    table = frame(session=["pre", "post", "pre"], when=[3, 3, 1])
    answers = read_trials(table, {**ROLES, "order": "when"})
    assert words(answers, "session", "order") == [[1, 3], [2, 3], [1, 1]]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    roles = {**ROLES, "answer": "side", "response": "key", "evidence": {"m": "d"}}
    table = frame(side=["left"] * 3, key=["left", "right", None], d=[0.1, 0.2, 0.3], acc=[1, 0, 0])
    first = read_trials(table.assign(ori=[1, 2, 3]), roles, task="pair")
    first = first.exclude("a pilot", first.table.participant == "b")
    path = tmp_path / "trials.csv"
    path.write_text(first.table.to_csv(index=False))
    again = read_trials(path)
    assert (
        again.table.astype(object)
        .where(again.table.notna(), None)
        .equals(first.table.astype(object).where(first.table.notna(), None))
    )
    assert again.table.excluded.tolist()[2] == "no answer; a pilot"
    assert (again.conditions, again.models, list(again.tasks)) == (("ori",), ("m",), ["pair"])
