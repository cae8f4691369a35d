"""Slips that other people's tables have: understood with a note, or refused with the way out."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.data.answers import Answers
from analysis.data.reading import read_trials
from analysis.fits.groups import fit
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named

ROLES = {"participant": "subj", "level": "size", "correct": "ok"}


def table(**columns: Any) -> pd.DataFrame:
    given = {"subj": ["a", "a", "b", "b"], "size": [1.0, 2, 1, 2], "ok": [1, 1, 0, 1]}
    return pd.DataFrame({**given, **columns})


def read(**columns: Any) -> Answers:
    return read_trials(table(**columns), ROLES, task="2afc")


def test_names_in_the_index_are_pointed_out() -> None:
    counted = table().groupby(["subj", "size"]).ok.agg(["sum", "count"])
    roles = {"participant": "subj", "level": "size", "n_correct": "sum", "n_trials": "count"}
    with pytest.raises(InputError, match=r"in its index; give frame\.reset_index\(\)"):
        read_trials(counted, roles)
    with pytest.raises(InputError, match=r"'dist' is no column.*reset_index"):
        read_trials(table(dist=0.1).set_index("dist"), {**ROLES, "evidence": {"m": "dist"}})
    assert len(read_trials(counted.reset_index(), roles)) == 4


@pytest.mark.parametrize(
    ("rows", "said"), [(1, "1 row of t.csv holds"), (3, "3 rows of t.csv hold")]
)
def test_empty_rows_are_passed_over_and_counted(rows: int, said: str, tmp_path: Path) -> None:
    text = "subj;size;ok;\na;1,5;1;\na;2,5;0;\n" + ";;;\n" * rows
    (tmp_path / "t.csv").write_text(text)
    answers = read_trials(tmp_path / "t.csv", ROLES, task="2afc")
    assert answers.table[["level", "n_correct"]].to_numpy().tolist() == [[1.5, 1.0], [2.5, 0.0]]
    (note,) = answers.notes
    assert note.startswith(said)
    for name in ("u.csv", "v.csv"):
        (tmp_path / name).write_text(text.replace("a;", f"{name[0]};"))
    assert read_trials(tmp_path, ROLES, task="2afc").notes == (
        f"{note}; so were some of 2 more files",
    )
    blank = read_trials(table().reindex(range(4 + rows)), ROLES, task="2afc")
    assert len(blank) == 4
    assert f"{rows} row" in blank.notes[0]
    lacking = table(subj=["a", None, "b", "b"])
    with pytest.raises(InputError, match="row 2 has no participant"):
        read_trials(lacking, ROLES)


def test_a_decimal_comma_may_have_an_exponent(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subj;size;ok\na;1,5E-3;1\na;2,5e-03;0\n")
    answers = read_trials(tmp_path / "t.csv", ROLES, task="2afc")
    assert answers.table.level.tolist() == [0.0015, 0.0025]


@pytest.mark.parametrize(("given", "near"), [("2AFC", "2afc"), ("ABX", "abx"), ("Odity", "oddity")])
def test_the_nearest_name_is_found_in_any_letters(given: str, near: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{near}'"):
        task_named(given)


def test_numbers_with_their_unit_are_told() -> None:
    advice = "'1 px' is a number with its unit: write 1 alone, and say unit='px'"
    answers = read(size=["1 px", "2 px", "1 px", "2 px"])
    assert advice in answers.notes
    with pytest.raises(InputError, match=f"these are words, .*; {advice}"):
        fit(answers)
    with pytest.raises(InputError, match=r"'32%' is none; '32%' is a number with its unit"):
        read(size=["32%", "2", "1", "2"])
    assert read(size=["near", "far", "near", "far"]).notes == ()


def test_people_whose_names_differ_in_case_are_asked_about() -> None:
    (note,) = read(subj=["S01", "s01", "S02", "S02"]).notes
    assert note.startswith(
        "the participants 'S01' and 's01' differ in small and large letters only"
    )
    assert read(subj=["S01", "S01", "S02", "S02"]).notes == ()


@pytest.mark.parametrize(
    ("role", "times", "side"),
    [
        ("rt_ms", [0.4, 0.5, 0.6, None], "below 0.0005 s"),
        ("rt_s", [40, 50, 60, None], "above 50 s"),
    ],
)
def test_times_in_another_unit_do_not_leave_everything_out(
    role: str, times: list[float | None], side: str
) -> None:
    answers = read_trials(table(time=times), {**ROLES, role: "time"}, task="2afc")
    with pytest.raises(
        InputError, match=rf"all 3 response times lie outside.*{side}.*rt_s or rt_ms"
    ):
        answers.exclude_rt(0.15, 2.0)
    one = read_trials(table(time=[0.1, 0.5, 0.6, 3]), {**ROLES, "rt_s": "time"}, task="2afc")
    assert len(one.exclude_rt(0.15, 2.0).kept) == 2


def test_a_number_may_say_that_there_was_no_answer() -> None:
    with pytest.raises(InputError, match=r'not \'-1\', and answers = {"-1" = ""} where'):
        read(ok=[1, -1, 0, 1])
    with pytest.raises(InputError, match=r"not '-1'$"):  # which may stand for wrong
        read(ok=[1, -1, -1, 1])
    roles = {**ROLES, "answers": {"-1": "", "0": ""}}  # 0 goes on to be wrong
    answers = read_trials(table(ok=[1, -1, 0, 1]), roles, task="2afc")
    assert answers.exclusions.to_numpy().tolist() == [["no answer", 1]]
    assert answers.kept.n_correct.tolist() == [1, 0, 1]
    with pytest.raises(InputError, match=r'answers = {"none given" = ""} if it says'):
        read_trials(
            pd.DataFrame({"answer": ["left", "right"], "response": ["left", "none given"]}),
            task="pair",
        )


def psychopy(**loops: list[int | None]) -> pd.DataFrame:
    n = len(next(iter(loops.values())))
    frame = pd.DataFrame({f"{name}.thisN": values for name, values in loops.items()})
    return frame.assign(**{"key_resp.corr": 1, "size": range(n)}, expName="x", participant="p")


def test_practice_loops_of_psychopy_are_noted(tmp_path: Path) -> None:
    def notes(**loops: list[int | None]) -> tuple[str, ...]:
        psychopy(**loops).to_csv(tmp_path / "p.csv", index=False)
        return read_trials(tmp_path / "p.csv", {"level": "size"}, task="2afc").notes

    practice, trials = [0, 1, None, None, None], [None, None, 0, 1, 2]
    blocks = [0, 0, 0, 0, 0]
    (note,) = notes(practice=practice, trials=trials, blocks=blocks)
    assert note.startswith(
        "the trials are of the loops practice (2) and trials (3); leave practice"
    )
    answers = read_trials(tmp_path / "p.csv", {"level": "size"}, task="2afc")
    assert len(answers.exclude("practice", answers.table["practice.thisN"].notna()).kept) == 3
    assert notes(trials=[0, 1, 2], blocks=[0, 0, 1]) == ()
    assert notes(trials=[0, 1, 2], other=[None, None, None]) == ()
