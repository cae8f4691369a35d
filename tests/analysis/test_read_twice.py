"""Tables that may have been read twice, numbers with commas, and units that come back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.data.reading import read_trials
from analysis.report.headlines import assumptions_of
from analysis.report.results import analyse
from analysis.report.write import write_report
from stimuli_store.errors import InputError

TRIALS = pd.DataFrame(
    {
        "participant": list("aabbab"),
        "level": [1, 2, 1, 2, 1, 2],
        "rt_s": [0.5, 0.6, 0.7, 0.8, 0.5, 0.9],
        "correct": [1, 0, 1, 1, 1, 1],
    }
)


def test_equal_rows_are_repetitions_and_a_note_says_how_many() -> None:
    answers = read_trials(TRIALS, task="2ifc")
    assert len(answers) == 6
    assert answers.notes[0].startswith("1 row equals an earlier one in every column")
    assert "role order" in repr(answers)
    assert answers.notes[0] in assumptions_of(analyse(answers))


@pytest.mark.parametrize(
    "table",
    [TRIALS.assign(order=range(6)), TRIALS.drop(index=4), TRIALS.assign(n_correct=1, n_trials=1)],
    ids=["numbered", "different", "counts"],
)
def test_rows_that_differ_or_count_need_no_note(table: pd.DataFrame) -> None:
    assert read_trials(table).notes == ()


def test_a_table_appended_to_itself_is_refused() -> None:
    with pytest.raises(InputError, match="more than once, to the very response time"):
        read_trials(pd.concat([TRIALS, TRIALS]))
    untimed = TRIALS.drop(columns="rt_s")
    assert read_trials(pd.concat([untimed, untimed])).notes[0].startswith("8 rows equal")


def timed(name: str, rng: np.random.Generator) -> pd.DataFrame:
    """60 trials of a participant at three levels, with response times of a fine clock."""
    rows = {"level": np.repeat([1, 2, 4], 20), "correct": rng.integers(0, 2, 60)}
    return pd.DataFrame({"participant": name, **rows, "rt_s": rng.gamma(4, 0.2, 60)})


@pytest.mark.parametrize("n", [1, 7, 60])
def test_copied_trials_of_one_participant_are_refused_with_their_number(n: int) -> None:
    rng = np.random.default_rng(4)
    ann, ben = timed("ann", rng), timed("ben", rng)
    said = f"participant 'ann' has {n} trials? of .* more than once.*drop_duplicates.*role order"
    table = pd.concat([ann, ben, ann[:n]])
    with pytest.raises(InputError, match=said):
        read_trials(table)
    assert len(read_trials(table.drop_duplicates())) == 120
    assert len(read_trials(table.drop(columns="rt_s"))) == 120 + n
    assert read_trials(table.assign(order=range(len(table)))).notes == ()


def test_copied_rows_of_whole_milliseconds_are_noted_with_their_number() -> None:
    """Half of the rows of an honest table can agree to the millisecond, so this is no error, but is said."""
    rng = np.random.default_rng(6)
    table = timed("ann", rng).assign(rt_s=lambda t: t.rt_s.round(3))
    copied = read_trials(pd.concat([table, table[:7]]))
    assert copied.notes[0].startswith("7 rows equal an earlier one in every column")
    quick = pd.concat([timed("ann", rng)] * 4).assign(level=1, correct=1)
    quick["rt_s"] = 0.2 + 0.001 * rng.integers(0, 60, len(quick))
    n = quick.duplicated().sum()
    assert n > 120 and read_trials(quick).notes[0].startswith(f"{n} rows equal")


def _files(folder: Path, first: pd.DataFrame, names: tuple[str, ...]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        first.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ("ann.csv", "ann_copy.csv"),
        ("ann.csv", "old/ann.csv.gz"),
        ("sub-1_task-look_beh.tsv", "sub-2_task-look_beh.tsv"),
    ],
    ids=["csv", "packed", "BIDS"],
)
@pytest.mark.parametrize("numbered", [False, True])
def test_a_folder_with_a_copy_of_a_file_is_refused(
    tmp_path: Path, names: tuple[str, str], numbered: bool
) -> None:
    trials = timed("ann", np.random.default_rng(7))
    if numbered:
        trials = trials.assign(order=range(60))
    said = f"{Path(names[1]).name} holds the same 60 rows as .*remove one of them"
    with pytest.raises(InputError, match=said):
        read_trials(_files(tmp_path / "twice", trials, names), {"participant": "participant"})
    folder = _files(tmp_path / "two", trials, names)
    _files(folder, trials.assign(session=2), names[1:])
    _files(folder, trials.assign(session=1), names[:1])
    assert len(read_trials(folder, {"participant": "participant", "order": ""})) == 120


def test_files_of_people_who_answered_alike_are_noted(tmp_path: Path) -> None:
    """Without response times or names, all that tells them apart is the file, and answers may agree."""
    counts = pd.DataFrame({"level": [1, 2, 4, 8], "n_correct": [6, 9, 10, 10], "n_trials": 10})
    folder = _files(tmp_path, counts, ("ann.csv", "ben.csv"))
    answers = read_trials(folder, {"participant": "file"})
    assert len(answers) == 8
    assert "in ben.csv the same rows as ann.csv; if that is a copy, remove it" in answers.notes[0]


@pytest.mark.parametrize("step", [0.001, 1 / 60, 1 / 144])
def test_times_in_steps_agree_by_chance(step: float) -> None:
    """Times of whole milliseconds or frames come twice in repeated trials, so they are no copies."""
    rng = np.random.default_rng(5)
    table = pd.concat([timed("ann", rng)] * 3).assign(level=1, correct=1)
    table["rt_s"] = step * np.round(rng.gamma(4, 0.2, len(table)) / step)
    assert "in every column" in read_trials(table).notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('level,rt_ms,correct\n1,"1,000",1\n2,950,0\n', "comma may stand between thousands"),
        ("level\trt_ms\tcorrect\n1\t1,000\t1\n2\t950\t0\n", "write a thousand as 1000"),
        (
            "level,rt_ms,correct\n" + "1,300,1\n" * 60 + '2,"1,000",1\n',
            "'1,000' is none, for its comma may stand between thousands",
        ),
    ],
    ids=["quoted", "tabs", "far down"],
)
def test_commas_between_thousands_are_not_read_as_decimals(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_trials(path)


@pytest.mark.parametrize(
    "text",
    [
        "level;rt_s;correct\n1;1,000;1\n2;0,950;0\n",
        'level,rt_s,correct\n1,"1,000",1\n2,"0,950",0\n',
    ],
    ids=["semicolons", "another decimal"],
)
def test_decimal_commas_are_read_where_they_are_beyond_doubt(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(text, encoding="utf-8")
    assert read_trials(path).table.rt_s.tolist() == [1.0, 0.95]


def test_the_trials_of_a_report_keep_their_unit(tmp_path: Path) -> None:
    answers = read_trials([[8, 26, 50], [16, 31, 50], [32, 45, 50]], task="2ifc", unit="px")
    write_report(answers, tmp_path)
    again = read_trials(tmp_path / "trials.csv")
    assert again.unit == "px"
    assert again.counts().values.tolist() == answers.counts().values.tolist()


@pytest.mark.parametrize(
    ("column", "given", "unit"),
    [
        (["px"] * 6, "", "px"),
        (["px"] * 6, "deg", "deg"),
        (list("abcabc"), "", ""),
        ([1] * 6, "", ""),
    ],
)
def test_a_column_of_units_is_understood_where_it_holds_one(
    column: list[str], given: str, unit: str
) -> None:
    assert read_trials(TRIALS.assign(unit=column), unit=given).unit == unit
