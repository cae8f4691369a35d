"""From journals to the report: what it says is what was computed, and it stands alone."""

import argparse
import base64
import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from analysis.cli import register
from analysis.data.journals import read_sessions
from analysis.data.tables import answers_of, level_counts
from analysis.fits.fit_status import FitStatus
from analysis.fits.fitting import fit_psychometric
from analysis.observers.simulated.true_thresholds import true_threshold
from analysis.report.results import Results
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.records.events import Resumed
from tests.analysis.builders import (
    header,
    observer_for,
    record_of,
    reported,
    session_trials,
    simulate,
    write_journal,
)
from tests.helpers import tiny_bank

LEVELS = (6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
# The report of the fixture `out` has its figures; the others are read for their words.
pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"), levels=LEVELS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank whose sessions have one condition of two levels, for words that no result changes."""
    folder = tmp_path_factory.mktemp("small")
    return tiny_bank(folder, levels=(8.0, 32.0), targets=("leaf",), seeds=(0,))


@pytest.fixture(scope="module")
def folder(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Path:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    observer = observer_for(bank, trials)
    return simulate(bank, observer, tmp_path_factory.mktemp("data"), seed=4)


@pytest.fixture(scope="module")
def out(bank: Bank, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    made = tmp_path_factory.mktemp("out") / "deep" / "folder"
    return made, reported(bank, read_sessions(folder), made)


class Page(HTMLParser):
    """Tags left open, attributes that point somewhere, and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "action", "data")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_report_is_one_file_that_stands_alone(out: tuple[Path, Results]) -> None:
    text = (out[0] / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert not page.tags & {"script", "iframe", "link", "object", "form", "a"}
    assert len(page.links) >= 5
    for link in page.links:
        assert link.startswith("data:image/png;base64,")
        assert base64.b64decode(link.split(",", 1)[1]).startswith(b"\x89PNG\r\n")
    assert not re.search(r"url\(|@import|https?://", text)


def test_report_says_what_was_found(bank: Bank, out: tuple[Path, Results]) -> None:
    folder, results = out
    words = " ".join(Page((folder / "report.html").read_text()).words)
    for said in (
        bank.pin,
        bank.version_id,
        f"{results.threshold:.3g}",
        "True threshold (simulated)",
        "Simulated.",
        "right (simulated the answers)",
        "Critical scaling",
        "Freeman & Simoncelli",
        "4 of 4 sessions had no screen",
    ):
        assert said in words, said
    assert f"{len(bank.records)} of {len(bank.records)} frames have the certified hash" in words


def test_numbers_agree_with_the_table(bank: Bank, folder: Path, out: tuple[Path, Results]) -> None:
    made, results = out
    summary = json.loads((made / "results.json").read_text())
    table = answers_of(bank, read_sessions(folder)).table
    own = table[table.comparison == "reference-member"]
    fit = fit_psychometric(*level_counts(own))
    assert summary["condition"] == "reference-member"
    (head, _) = summary["conditions"]
    assert head["threshold_of_the_curve"] == pytest.approx(fit.threshold, rel=1e-12)
    assert head["interval_of_the_curve"] == pytest.approx([fit.low, fit.high])
    assert summary["threshold"] == pytest.approx(fit.threshold, rel=1e-2)  # as many trials of each
    assert summary["for_whom"] == "new people and these images"
    assert summary["pin"] == bank.pin
    assert summary["n_trials"] == len(table) == results.n_trials
    assert summary["participants"] == ["p0", "p1", "p2", "p3"]
    assert [c["name"] for c in summary["conditions"]] == ["reference-member", "member-member"]
    for parts, names in (
        ("by_participant", {"p0", "p1", "p2", "p3"}),
        ("by_image", {"leaf", "stone"}),
    ):
        assert {part["name"] for part in head[parts]} == names
        assert sum(part["n_trials"][0] for part in head[parts]) == level_counts(own)[2][0]
    with (made / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table)
    assert sum(float(row["n_correct"]) for row in rows) == table.n_correct.sum()


def test_true_threshold_is_the_observers_own(
    bank: Bank, folder: Path, out: tuple[Path, Results]
) -> None:
    """Every participant saw every pair equally often, so one observer over all pairs has the same."""
    trials = session_trials(bank, 1, np.random.default_rng(0))
    observer = observer_for(bank, trials)
    own = [t for t in trials if t.factors["comparison"] == "reference-member"]
    true = true_threshold(observer, own)
    assert out[1].true_threshold == pytest.approx(true, rel=1e-6)
    assert out[1].best == ("right",)


@pytest.mark.long
def test_person_gets_no_true_threshold(bank: Bank, folder: Path, tmp_path: Path) -> None:
    sessions = [
        replace(s, header=replace(s.header, observer=None)) for s in read_sessions(folder)[:2]
    ]
    results = reported(bank, sessions, tmp_path)
    assert results.true_threshold is None
    assert not any(c.true_threshold for c in results.headline.by_participant)
    assert json.loads((tmp_path / "results.json").read_text())["true_threshold"] is None


def test_names_cannot_break_out_of_the_page(small: Bank, tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script>"
    trials = session_trials(small, 1, np.random.default_rng(0))
    head = header(
        small, nasty, len(trials), software={"x": '"><img src=http://evil>'}, booth={nasty: nasty}
    )
    write_journal(tmp_path / "a.jsonl", head, [record_of(small, t, t.answer, 0.5) for t in trials])
    reported(small, read_sessions(tmp_path / "a.jsonl"), tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    assert "script" not in Page(text).tags
    assert all(link.startswith("data:image/png") for link in Page(text).links)
    assert "&lt;script&gt;" in text


def test_unsynchronised_screen_is_named(small: Bank, tmp_path: Path) -> None:
    trials = session_trials(small, 1, np.random.default_rng(0))
    booth = {
        "adapter": "psychopy",
        "refresh_hz": 60.0,
        "measured_hz": None,
        "synchronised": False,
        "keyboard": {"backend": "event"},
        "window": [800, 600],
    }
    records = [record_of(small, t, t.answer, 0.5) for t in trials]
    late = replace(records[0].timing[3], n_frames=15, dropped=(1, 2, 3))
    timing = (*records[0].timing[:3], late, *records[0].timing[4:])
    records[0] = replace(records[0], timing=timing, flags=("dropped_frames",))
    write_journal(tmp_path / "a.jsonl", header(small, "a", len(trials), booth=booth), records)
    reported(small, read_sessions(tmp_path), tmp_path / "out")
    words = " ".join(Page((tmp_path / "out" / "report.html").read_text()).words)
    assert "not always synchronised" in words
    assert "dropped_frames: 1" in words
    assert "800 × 600" in words
    assert f"in {len(trials)} of {len(trials)} (100 %) trials on a screen" in words


def test_a_later_sitting_on_an_unsynchronised_screen_is_named(small: Bank, tmp_path: Path) -> None:
    trials = session_trials(small, 1, np.random.default_rng(0))
    head = header(small, "a", len(trials))
    write_journal(tmp_path / "a.jsonl", head, [record_of(small, t, t.answer, 0.5) for t in trials])
    (first,) = read_sessions(tmp_path)
    good = {"adapter": "psychopy", "synchronised": True, "measured_hz": 60.0}
    bad = {"adapter": "psychopy", "synchronised": False, "measured_hz": 850.0}
    resumed = Resumed(done=0, booth=bad, software={}, created="2026-01-02T00:00:00+00:00")
    one = replace(first, header=replace(first.header, booth=good))
    two = replace(one, sittings=(resumed,))
    reported(small, [one], tmp_path / "one")
    reported(small, [two], tmp_path / "two")
    pages = [(tmp_path / name / "report.html").read_text() for name in ("one", "two")]
    assert ["<td>850<" in page for page in pages] == [False, True]
    assert ["not always synchronised" in page for page in pages] == [False, True]


@pytest.mark.long
def test_all_right_answers_give_an_honest_report(bank: Bank, tmp_path: Path) -> None:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, t, t.answer, 0.5) for t in trials]
    write_journal(tmp_path / "a.jsonl", header(bank, "a", len(trials)), records)
    results = reported(bank, read_sessions(tmp_path), tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results.threshold, results.interval) == (None, None)
    assert (summary["threshold"], summary["interval"]) == (None, None)
    assert summary["status"] == FitStatus.EXCEEDED.value
    assert summary["headline"]["statements"][0]["value"] == "not determined"


@pytest.mark.long
def test_failed_report_leaves_the_old_one(
    bank: Bank, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = read_sessions(folder / "p0.jsonl")
    before = {name: name.encode() for name in ("report.html", "results.json", "trials.csv")}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="between the guess rate"):
        reported(bank, sessions, tmp_path, p=0.3)

    def full(*_: object) -> None:
        raise OSError("no space left on the disk")

    monkeypatch.setattr("stimuli_store.disk.atomic.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        reported(bank, sessions, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_answered_is_said(bank: Bank, tmp_path: Path) -> None:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, t, None, None) for t in trials]
    write_journal(tmp_path / "a.jsonl", header(bank, "a", len(trials)), records)
    with pytest.raises(InputError, match="no answer is left to analyse: no answer 48 of 48"):
        reported(bank, read_sessions(tmp_path), tmp_path / "out")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    args = parser.parse_args(["analyse", *words])
    return int(args.run(args))


@pytest.mark.long
def test_command_prints_threshold_truth_and_winner(
    bank: Bank,
    folder: Path,
    tmp_path: Path,
    out: tuple[Path, Results],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run(str(folder), "--bank", str(bank.path), "--out", str(tmp_path))
    said = capsys.readouterr().out
    results = out[1]
    assert code == 0
    assert f"threshold   {results.threshold:.3g} px\n" in said
    assert "task abx, rule independent, guess rate 0.5" in said
    assert f"true        {results.true_threshold:.3g} px\n" in said
    assert "best model  right" in said
    assert str(tmp_path / "report.html") in said
    again = json.loads((tmp_path / "results.json").read_text())
    assert again == json.loads((out[0] / "results.json").read_text())


@pytest.mark.long
def test_command_takes_a_journal_and_another_proportion(
    bank: Bank, folder: Path, tmp_path: Path
) -> None:
    run(str(folder / "p0.jsonl"), "--bank", str(bank.path), "--out", str(tmp_path), "--p", "0.85")
    summary = json.loads((tmp_path / "results.json").read_text())
    assert summary["p"] == 0.85
    assert summary["participants"] == ["p0"]
    table = answers_of(bank, read_sessions(folder / "p0.jsonl")).table
    fit = fit_psychometric(*level_counts(table[table.comparison == "reference-member"]), p=0.85)
    assert summary["threshold"] == pytest.approx(fit.threshold)
