"""Journals to table: every column from its source, and every wrong journal refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.data.cell_counts import cells_of
from analysis.data.journals import read_sessions
from analysis.data.presented import timing_ok
from analysis.data.reading import read_trials
from analysis.data.tables import answers_of, level_counts
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import JournalError, PinMismatch
from tests.analysis.builders import (
    header,
    observer_for,
    record_of,
    session_trials,
    simulate,
    write_journal,
)
from tests.helpers import tiny_bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def folder(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    observer = observer_for(bank, trials)
    return simulate(bank, observer, tmp_path_factory.mktemp("data"), participants=3)


def test_a_row_says_what_its_journal_says(bank: Bank, folder: Path) -> None:
    sessions = read_sessions(folder)
    table = answers_of(bank, sessions).table
    assert len(table) == sum(len(s.records) for s in sessions) == 3 * 3 * 24
    record = sessions[1].records[5]
    row = table[(table.participant == "p1") & (table.trial == 5)].iloc[0]
    assert row.stimulus_p == record.trial.stimuli["p"]
    assert record.trial.intervals["X"] == row.interval_X
    assert row.level == record.trial.factors["level"]
    assert row.n_correct == record.correct == (record.response == record.trial.answer)
    assert (row.image, row.order, row.n_trials) == (record.trial.factors["target"], 5, 1)
    assert row.rt_s == record.rt_s
    pair = frozenset(record.trial.stimuli.values())
    assert row.evidence_right == bank.distances("right")[pair]
    assert row.evidence_wrong == bank.distances("wrong")[pair]
    assert row.planned_frames == row.realised_frames == 126
    assert row.timing_ok
    assert row.simulated
    assert row.pin == bank.pin
    assert table.frames_verified.isna().all()  # no screen was involved


def test_level_counts_and_cells_add_up(bank: Bank, folder: Path) -> None:
    answers = answers_of(bank, read_sessions(folder))
    table = answers.table
    levels, right, total = level_counts(answers.kept)
    assert levels.tolist() == [4.0, 8.0, 16.0, 32.0]
    assert right.sum() == table.n_correct.sum()
    cells = cells_of(answers)
    assert cells.n_trials.sum() == total.sum() == len(table)
    assert cells.n_correct.sum() == table.n_correct.sum()
    assert set(cells.evidence) == {"right", "wrong"}
    assert len(cells.n_trials) == 3 * 24  # participants × pairs
    one = table[(table.participant == "p0") & (table.target == "leaf")]
    mine = (cells.participant == "p0") & (cells.image == "leaf")
    assert cells.n_correct[mine].sum() == one.n_correct.sum()


def test_unanswered_trials_stay_in_the_table_but_not_in_the_counts(
    bank: Bank, tmp_path: Path
) -> None:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, t, None if t.index < 4 else "A", 0.5) for t in trials]
    write_journal(tmp_path / "a.jsonl", header(bank, "a", len(trials)), records)
    answers = answers_of(bank, read_sessions(tmp_path))
    assert len(answers) == 24
    assert (answers.table["flags"] == "no_response").sum() == 4
    assert level_counts(answers.kept)[2].sum() == cells_of(answers).n_trials.sum() == 20
    assert not answers.table.simulated.any()


@pytest.mark.parametrize(
    ("fault", "verified", "reason"),
    [(None, True, ""), ("hash", False, "wrong frame"), ("gone", False, "unverified frame")],
)
def test_frames_shown_are_compared_with_their_certificates(
    bank: Bank, tmp_path: Path, fault: str | None, verified: bool, reason: str
) -> None:
    planned = session_trials(bank, 1, np.random.default_rng(0))[0]
    record = record_of(bank, planned, "A", 0.5)
    hashes = dict(record.frame_sha256)
    if fault == "hash":
        hashes["X"] = "0" * 64
    if fault == "gone":
        del hashes["B"]
    head = header(bank, "a", 1, booth={"adapter": "psychopy"})
    write_journal(tmp_path / "a.jsonl", head, [replace(record, frame_sha256=hashes)])
    answers = answers_of(bank, read_sessions(tmp_path))
    assert answers.table.frames_verified.tolist() == [verified]
    assert answers.table.excluded.tolist() == [reason]
    assert len(answers.include(reason).kept if reason else answers.kept) == 1


def test_timing_is_judged_while_pictures_are_up(bank: Bank) -> None:
    planned = session_trials(bank, 1, np.random.default_rng(0))[0]
    record = record_of(bank, planned, "A", 0.5)

    def with_phase(name: str, **fields: object):  # type: ignore[no-untyped-def]
        timing = tuple(
            replace(p, **fields) if p.name == name else p  # type: ignore[arg-type]
            for p in record.timing
        )
        return replace(record, timing=timing)

    assert timing_ok(record) is True
    assert timing_ok(with_phase("B", n_frames=13)) is False
    assert timing_ok(with_phase("X", dropped=(3,))) is False
    assert timing_ok(with_phase("iti", n_frames=14)) is True
    assert timing_ok(with_phase("respond", n_frames=99)) is True
    assert timing_ok(replace(record, timing=())) is None


def test_journal_of_another_bank_is_refused(bank: Bank, folder: Path, tmp_path: Path) -> None:
    other = tiny_bank(tmp_path, version="1.0.1")
    with pytest.raises(PinMismatch, match=r"tiny@1\.0\.0#.*but this bank is tiny@1\.0\.1#"):
        answers_of(other, read_sessions(folder))


def test_empty_folder_missing_folder_and_repeats_are_refused(
    bank: Bank, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(JournalError, match=r"holds no session journal"):
        read_sessions(tmp_path)
    with pytest.raises(JournalError, match="does not exist"):
        read_sessions(tmp_path / "nowhere")
    (tmp_path / "copy.jsonl").write_bytes((folder / "p0.jsonl").read_bytes())
    with pytest.raises(JournalError, match="both hold session 1 of participant p0"):
        read_sessions([folder, tmp_path])


def test_a_file_named_twice_is_read_once_and_folders_are_searched_deeply(
    bank: Bank, folder: Path, tmp_path: Path
) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "s.jsonl").write_bytes((folder / "p2.jsonl").read_bytes())
    assert [s.header.participant for s in read_sessions(tmp_path)] == ["p2"]
    assert len(read_sessions([folder, folder / "p0.jsonl"])) == 3


def test_a_changed_answer_is_noticed(folder: Path, tmp_path: Path) -> None:
    text = (folder / "p0.jsonl").read_text()
    place = text.index('"correct":false')
    forged = text[:place] + '"correct":true' + text[place + len('"correct":false') :]
    (tmp_path / "p0.jsonl").write_text(forged)
    with pytest.raises(JournalError, match="damaged at line"):
        read_sessions(tmp_path)


def test_a_table_of_sessions_is_read_again(bank: Bank, folder: Path, tmp_path: Path) -> None:
    answers = answers_of(bank, read_sessions(folder))
    path = tmp_path / "trials.csv"
    path.write_text(answers.table.to_csv(index=False))
    again = read_trials(path)
    by = ["participant", "image", "level", "rule"]
    assert again.counts(by).equals(answers.counts(by))
    assert again.models == answers.models
    assert again.table.simulated.all()
    for model in answers.models:
        both = again.table[f"evidence_{model}"], answers.table[f"evidence_{model}"]
        assert both[0].to_numpy() == pytest.approx(both[1].to_numpy(), rel=1e-14)


def test_practice_and_late_frames_are_reasons(bank: Bank, tmp_path: Path) -> None:
    planned = session_trials(bank, 1, np.random.default_rng(0))[:3]
    records = [record_of(bank, t, "A", 0.5) for t in planned]
    late = tuple(replace(p, dropped=(3,) if p.name == "X" else ()) for p in records[1].timing)
    records[1] = replace(records[1], timing=late, flags=("dropped_frames",))
    records[2] = replace(records[2], flags=("practice",))
    write_journal(tmp_path / "a.jsonl", header(bank, "a", 3), records)
    answers = answers_of(bank, read_sessions(tmp_path))
    assert answers.table.excluded.tolist() == ["", "", "practice"]
    assert answers.table.dropped_frames.tolist() == [0, 1, 0]
    without = answers.exclude_dropped_frames()
    assert without.table.excluded.tolist() == ["", "dropped frames", "practice"]
    assert len(without.include("practice").kept) == 2
    assert answers.unit == "window_px"
    assert {"comparison", "set", "target"} <= set(answers.conditions)
