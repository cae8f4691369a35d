"""Sessions: every trial once, in order, whatever ends the process; nothing mixed, nothing lost."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from experiments.course.constant import course_of
from experiments.ports import Quit
from experiments.screen import Position, Screen
from experiments.session import run_session
from experiments.session_plan import journal_path, plan_session
from experiments.simulated import SimulatedBooth
from experiments.task_choice import TaskChoice
from stimuli_store.bank.format import BankHeader, Colour
from stimuli_store.bank.publish import publish_bank
from stimuli_store.errors import BankError, DisplayError, JournalError
from stimuli_store.journal import read_session
from stimuli_store.records.predictions import Predictions
from stimuli_store.tasks.abx import ABX
from tests.experiments.helpers import (
    Always,
    Coin,
    design_for,
    without_times,
)
from tests.helpers import tiny_bank
from tests.store.made_up import metamers, targets

ROOT = Path(__file__).parents[2]
N_TRIALS = 32  # 4 sets x 2 members x 4 repeats


class Watched(SimulatedBooth):
    """A simulated booth that remembers what it showed and can be told to misbehave."""

    def __init__(self, size=(200, 160), **events):
        super().__init__(size, 60.0)
        self.n_shown = 0
        self.pages: list[str] = []
        self.events = events  # how many trials were shown before -> exception, or function of Shown
        self.said = {}

    def describe(self):
        return {**super().describe(), **self.said}

    def page(self, text, *, quit_key):
        self.pages.append(text)
        return super().page(text, quit_key=quit_key)

    def show(self, phases, listening):
        event = self.events.get(f"t{self.n_shown}")
        self.n_shown += 1
        if isinstance(event, BaseException):
            raise event
        shown = super().show(phases, listening)
        return event(shown) if event else shown


def run(design, bank, booth, data_dir, **options):
    values = {"data_dir": data_dir, "observer": Coin(), **options}
    return run_session(design, bank, booth, "S01", 1, **values)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return tiny_bank(tmp_path_factory.mktemp("bank"), targets=("leaf",))


@pytest.fixture(scope="module")
def whole(bank, tmp_path_factory):
    """The session as it is when nothing goes wrong."""
    design = design_for(bank)
    return run(design, bank, Watched(), tmp_path_factory.mktemp("whole"))


def test_a_session_stays_in_the_booth_it_was_begun_in(bank, tmp_path):
    class Window(Watched):
        def describe(self):
            return {**super().describe(), "adapter": "psychopy"}

    design = design_for(bank)
    run(design, bank, Window(), tmp_path, max_trials=3)
    before = next(tmp_path.glob("*.jsonl")).read_bytes()
    with pytest.raises(
        JournalError, match="begun in the psychopy booth, not in the simulated booth"
    ):
        run(design, bank, Watched(), tmp_path)
    assert next(tmp_path.glob("*.jsonl")).read_bytes() == before


def answers(session):
    return without_times(session.records)


def test_an_uninterrupted_session_holds_every_trial_once(bank, whole):
    design = design_for(bank)
    assert whole.ended == "completed"
    assert [r.trial for r in whole.records] == list(course_of(design, bank, "S01", 1).trials)
    assert whole.header.design_sha256 == design.design_sha256
    assert whole.header.n_trials == len(whole.records) == N_TRIALS
    assert (whole.broken_off, whole.uncounted_bytes) == ((), 0)
    for record in whole.records:
        for name, sha in record.trial.intervals.items():
            assert record.frame_sha256[name] == bank.by_id[sha].certificate.frame_sha256
        assert record.correct == (record.response == record.trial.answer)
        late = record.rt_s is None
        assert late == (record.response is None) == (record.flags == ("no_response",))
    n_late = sum(r.response is None for r in whole.records)
    assert 0 < n_late < N_TRIALS  # the coin is slow at times


def test_every_begin_and_every_page_has_its_time_of_day(whole):
    began = [e.body["at"] for e in whole.events if e.event == "began"]
    pages = [page.at for page in whole.pages]
    assert len(began) == N_TRIALS
    assert [page.which for page in whole.pages] == ["welcome", "thanks"]
    times = [datetime.fromisoformat(text) for text in (*began, *pages, whole.header.created)]
    assert all(t.utcoffset() is not None for t in times)
    assert times[: len(began)] == sorted(times[: len(began)])


def test_nominal_timing_adds_up(whole):
    for record in whole.records:
        *seen, last = record.timing
        assert [t.n_frames for t in seen] == [p.n_frames for p in record.trial.phases[:-1]]
        onset = {t.name: t.onset_s for t in record.timing}
        assert onset["B"] - onset["A"] == pytest.approx(0.7)
        assert onset["X"] - onset["B"] == pytest.approx(1.2)
        if record.rt_s is not None:  # the last phase ends in the frame in which the answer came
            ends = onset["respond"] - onset["X"] + last.n_frames / 60
            assert max(record.rt_s, 0.2 + 1 / 60) <= ends + 2 / 60
            assert ends - max(record.rt_s, 0.2) <= 2 / 60 + 1e-6


@pytest.mark.parametrize("rt_s", [2.19, 2.21])
def test_an_answer_counts_until_the_time_is_up(bank, tmp_path, rt_s):
    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    session = run(design, bank, Watched(), tmp_path, observer=Always("A", rt_s))
    in_time = rt_s < 2.2  # 200 ms of X and 2000 ms to answer
    assert {r.response for r in session.records} == ({"A"} if in_time else {None})
    assert sum(r.correct for r in session.records) == (4 if in_time else 0)


@pytest.mark.parametrize("stop", [0, 1, 17, 31])
def test_quitting_keeps_finished_trials_and_goes_on_where_it_stopped(bank, tmp_path, whole, stop):
    design = design_for(bank)
    first = run(design, bank, Watched(**{f"t{stop}": Quit()}), tmp_path)
    assert (first.ended, len(first.records)) == ("escape", stop)
    booth = Watched()
    second = run(design, bank, booth, tmp_path)
    assert booth.n_shown == N_TRIALS - stop
    assert [page.which for page in second.pages] == [
        "welcome",
        "resume" if stop else "welcome",
        "thanks",
    ]
    assert second.ended == "completed"
    assert answers(second) == answers(whole)
    assert [e.event for e in second.events if e.event not in ("began", "trial", "page")] == [
        "header",
        "end",
        "resumed",
        "end",
    ]
    assert first.broken_off == second.broken_off == ((stop, 0),)
    again = second.records[stop]
    assert (again.trial.attempt, again.flags[-1]) == (1, "seen_before")
    assert all(r.trial.attempt == 0 for r in second.records if r is not again)


def test_a_completed_session_shows_nothing_and_writes_nothing(bank, tmp_path):
    design = design_for(bank)
    run(design, bank, Watched(), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    before = path.read_bytes()
    booth = Watched()
    assert run(design, bank, booth, tmp_path).ended == "completed"
    assert (booth.n_shown, booth.pages) == (0, [])
    assert path.read_bytes() == before


def test_sittings_of_some_trials_each_make_one_session(bank, tmp_path, whole):
    design = design_for(bank)
    ends = []
    while not ends or ends[-1] != "completed":
        session = run(design, bank, Watched(), tmp_path, max_trials=12)
        ends.append(session.ended)
    assert ends == ["paused", "paused", "completed"]
    assert answers(session) == answers(whole)


def test_breaks_come_after_every_n_trials_but_not_at_the_end(bank, tmp_path):
    design = design_for(bank, break_every=8)
    booth = Watched()
    session = run(design, bank, booth, tmp_path)
    assert [page.which for page in session.pages] == ["welcome", *3 * ["rest"], "thanks"]
    rests = [page for page in booth.pages if "moment to rest" in page]
    assert [re.findall(r"\d+ of \d+", page) for page in rests] == [
        [f"{n} of 32"] for n in (8, 16, 24)
    ]


def test_killed_between_the_last_trial_and_the_end_event(bank, tmp_path, whole):
    design = design_for(bank)
    run(design, bank, Watched(), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))  # without the end and the last page
    booth = Watched()
    session = run(design, bank, booth, tmp_path)
    assert booth.n_shown == 0
    assert session.ended == "completed"
    assert answers(session) == answers(whole)


@pytest.mark.parametrize("kept", [0, 40, -30])
def test_a_line_torn_by_a_power_cut_is_done_again(bank, tmp_path, whole, kept):
    design = design_for(bank)
    run(design, bank, Watched(t20=Quit()), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    lines = path.read_bytes().splitlines(keepends=True)
    # header, page, 14 trials with their begins, the begin of one, part of it
    path.write_bytes(b"".join(lines[:31]) + lines[31][:kept])
    booth = Watched()
    session = run(design, bank, booth, tmp_path)
    assert booth.n_shown == N_TRIALS - 14
    assert session.broken_off == ((14, 0),)
    assert answers(session) == answers(whole)


@pytest.mark.long
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_is_written_down(bank, tmp_path, name):
    path = journal_path(tmp_path, "S01", 1, "abx")
    command = [
        sys.executable,
        "-m",
        "tests.experiments.victim",
        str(bank.path),
        str(tmp_path),
        "0.02",
        "abx",
        "6",
    ]
    number = getattr(signal, name)
    # These tests may themselves be a background job, whose children ignore Ctrl-C.
    heeds = partial(signal.signal, number, signal.SIG_DFL)
    victim = subprocess.Popen(command, cwd=ROOT, preexec_fn=heeds)
    wait_for_trials(path, 5, victim)
    victim.send_signal(number)
    assert victim.wait(20) == 0
    session = read_session(path)
    assert session.ended == name
    assert 5 <= len(session.records) < N_TRIALS


@pytest.mark.long
def test_two_processes_on_one_session_are_refused(bank, tmp_path):
    path = journal_path(tmp_path, "S01", 1, "abx")
    command = [
        sys.executable,
        "-m",
        "tests.experiments.victim",
        str(bank.path),
        str(tmp_path),
        "0.2",
        "abx",
    ]
    other = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for_trials(path, 1, other)
        design = design_for(bank)
        booth = Watched()
        with pytest.raises(JournalError, match="being written by another running session"):
            run(design, bank, booth, tmp_path)
        assert booth.n_shown == 0
    finally:
        other.kill()
        other.wait()
    assert run(design, bank, Watched(), tmp_path).ended == "completed"


def wait_for_trials(path: Path, n_trials: int, process: subprocess.Popen) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        if path.exists() and path.read_bytes().count(b'"event":"trial"') >= n_trials:
            return
        assert process.poll() is None, "the session ended before it could be stopped"
        time.sleep(0.002)
    raise AssertionError("the session made no progress")


def test_a_signal_in_mid_write_waits_for_the_line_to_be_whole(bank, tmp_path, monkeypatch):
    from stimuli_store import journal as journal_module

    real, sent = journal_module.canonical_json, []

    def interrupted(value):
        if value.get("event") == "trial" and value["n"] == 9 and not sent:
            sent.append(True)
            signal.raise_signal(signal.SIGTERM)
        return real(value)

    monkeypatch.setattr(journal_module, "canonical_json", interrupted)
    design = design_for(bank)
    session = run(design, bank, Watched(), tmp_path)
    assert sent
    assert (session.ended, len(session.records)) == ("SIGTERM", 4)
    assert read_session(journal_path(tmp_path, "S01", 1, "abx")) == session
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_frame_that_is_not_the_certified_one_stops_the_session(bank, tmp_path, whole):
    def altered(shown):
        return replace(shown, hashes={**shown.hashes, "B": "0" * 64})

    design = design_for(bank)
    with pytest.raises(
        DisplayError, match=r"trial 7: .* the frame that tiny@1.0.0.* in interval B"
    ):
        run(design, bank, Watched(t7=altered), tmp_path)
    session = read_session(journal_path(tmp_path, "S01", 1, "abx"))
    assert len(session.records) == 7
    (kept,) = [e.body for e in session.events if e.event == "display_mismatch"]
    assert kept["frame_sha256"]["B"] == "0" * 64
    assert session.ended.startswith("error: trial 7")
    assert session.broken_off == ((7, 0),)
    assert answers(run(design, bank, Watched(), tmp_path)) == answers(whole)


def test_a_frame_that_was_not_read_back_counts_as_wrong(bank, tmp_path):
    design = design_for(bank)
    booth = Watched(t0=lambda shown: replace(shown, hashes={}))
    with pytest.raises(DisplayError, match="interval A, B, X"):
        run(design, bank, booth, tmp_path)


def test_a_crash_of_the_booth_is_written_down(bank, tmp_path):
    design = design_for(bank)
    with pytest.raises(ZeroDivisionError):
        run(design, bank, Watched(t3=ZeroDivisionError()), tmp_path)
    session = read_session(journal_path(tmp_path, "S01", 1, "abx"))
    assert (session.ended, len(session.records)) == ("error: ZeroDivisionError", 3)


def own_abx(change):
    """ABX as a laboratory declares it, with other phases."""
    parts = ("roles", "intervals", "answers", "cells", "rules")
    return TaskChoice(
        name="own", phases=change(ABX.phases), **{name: getattr(ABX, name) for name in parts}
    )


OTHER = {
    "repeats": (
        {"repeats": 8},
        r"another design, which differs in design.repeats \(4 there, 8 here\);",
    ),
    "seed": ({"seed": 2}, r"differs in design.seed \(1 there, 2 here\)"),
    "two": (
        {"seed": 2, "levels": (4.0,)},
        r"design.seed \(1 there, 2 here\), design.levels \(none there, \[4.0\] here\)",
    ),
    "task": (
        {"task": TaskChoice(name="abx", ms={"A": 250.0})},
        r"another design, which differs in task.phases.A.ms \(200.0 there, 250.0 here\);",
    ),
    "order of phases": (
        {"task": own_abx(lambda phases: (phases[0], phases[3], phases[2], phases[1], *phases[4:]))},
        r"differs in task.phases \(\[",
    ),
    "a phase more": (
        {"task": own_abx(lambda phases: (replace(phases[0], name="pause"), *phases))},
        r"differs in task.phases.pause \(none there, ",
    ),
    "other task": ({"rule": "differencing"}, r'rule \("independent" there, "differencing" here\)'),
}


@pytest.mark.parametrize("case", OTHER)
def test_a_journal_of_another_design_is_not_touched(bank, tmp_path, case):
    change, words = OTHER[case]
    if "rule" in change:
        change = {"task": TaskChoice(name="abx", **change)}
    task = change.get("task", "abx")
    first = own_abx(tuple) if getattr(task, "name", "") == "own" else "abx"
    design = design_for(bank, task=first)
    run(design, bank, Watched(), tmp_path, max_trials=5)
    path = journal_path(tmp_path, "S01", 1, design.task.name)
    with path.open("ab") as handle:
        handle.write(b'{"event":')  # even a torn end stays as it is
    before = path.read_bytes()
    other = design_for(bank, **change)
    booth = Watched()
    with pytest.raises(JournalError, match=words):
        run(other, bank, booth, tmp_path)
    assert path.read_bytes() == before
    assert booth.n_shown == 0


def test_a_persons_session_is_not_continued_by_a_model(bank, tmp_path):
    design = design_for(bank)
    run_session(design, bank, Watched(), "S01", 1, data_dir=tmp_path, max_trials=5)
    with pytest.raises(
        JournalError, match=r'another observer \(none there, {"model":"coin"} here\);'
    ):
        run(design, bank, Watched(), tmp_path)


def test_another_observer_is_told_by_what_differs(bank, tmp_path):
    class Better(Coin):
        def describe(self):
            return {**super().describe(), "gain": 2.5}

    design = design_for(bank)
    run(design, bank, Watched(), tmp_path, max_trials=5)
    with pytest.raises(JournalError, match=r"another observer.gain \(none there, 2.5 here\); cont"):
        run(design, bank, Watched(), tmp_path, observer=Better())


def test_planning_writes_nothing(bank, tmp_path):
    plan = plan_session(design_for(bank), bank, "S01", 1, tmp_path / "data")
    assert (plan.done, plan.completed, plan.found) == (0, False, None)
    assert not (tmp_path / "data").exists()


def test_a_bank_altered_after_opening_is_noticed(tmp_path):
    import h5py

    bank = tiny_bank(tmp_path / "bank")
    bank.close()  # HDF5 opens no file twice in one process
    bank.path.chmod(0o644)
    with h5py.File(bank.path, "r+") as handle:
        page = handle["pixels"][bank.records[0].page]
        page[...] = 0.25
    design = design_for(bank)
    with pytest.raises(BankError, match="do not match their hash"):
        run(design, bank, Watched(), tmp_path)


def test_the_header_tells_where_and_how(bank, tmp_path):
    design = design_for(bank)
    run(design, bank, Watched(), tmp_path, max_trials=1)
    first = json.loads(journal_path(tmp_path, "S01", 1, "abx").read_text().splitlines()[0])["body"]
    assert first["booth"]["adapter"] == "simulated"
    assert first["observer"] == {"model": "coin"}
    assert first["software"]["numpy"] == np.__version__
    assert first["design"]["design"]["comparisons"] == ["reference-member"]
    assert first["design"]["keys"] == {"A": "left", "B": "right", "quit": "escape"}
    assert first["design"]["screen"]["refresh_hz"] == 60.0
    assert first["task"]["cells"][0] == {"fills": {"A": "p", "B": "q", "X": "p"}, "answer": "A"}
    assert datetime.fromisoformat(first["created"]).utcoffset() is not None


def test_runs_are_sessions_of_their_own(bank, tmp_path):
    design = design_for(bank, levels=(4.0,))
    first, second = (run(design, bank, Watched(), tmp_path, run=number) for number in (1, 2))
    assert first.header.run, second.header.run == (1, 2)
    assert first.header.seed != second.header.seed
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sub-S01_ses-01_task-abx_run-1_beh.jsonl",
        "sub-S01_ses-01_task-abx_run-2_beh.jsonl",
    ]


def test_faulty_trials_are_shown_again_at_the_end_of_the_block(bank, tmp_path):
    design = design_for(bank, again="repeat", levels=(4.0,))
    session = run(design, bank, Watched(), tmp_path)
    faulty = [r.trial.index for r in session.records if r.response is None and not r.trial.attempt]
    assert faulty
    assert [r.trial.index for r in session.records] == [*range(8), *faulty]
    assert [r.trial.attempt for r in session.records] == 8 * [0] + len(faulty) * [1]
    assert all("seen_before" not in r.flags for r in session.records)


def test_repeats_go_on_across_sittings(bank, tmp_path):
    design = design_for(
        bank, again="repeat", again_times=2, blocks=2, repeats=8, catch=0.2, levels=(4.0, 8.0)
    )
    whole = run(design, bank, Watched(), tmp_path / "whole")
    attempts = [r.trial.attempt for r in whole.records]
    assert max(attempts) == 2  # the coin is slow at times
    while (parts := run(design, bank, Watched(), tmp_path, max_trials=7)).ended != "completed":
        assert parts.ended == "paused"
    assert answers(parts) == answers(whole)
    assert [r.trial for r in parts.records] == [r.trial for r in whole.records]


def test_a_faulty_trial_may_end_the_sitting(bank, tmp_path, whole):
    design = design_for(bank, again="abort")
    first = next(i for i, r in enumerate(whole.records) if r.response is None)
    session = run(design, bank, Watched(), tmp_path)
    assert session.ended == f"abort: no_response in trial {first}"
    assert len(session.records) == first + 1
    assert run(design, bank, Watched(), tmp_path).records[first + 1].trial.index == first + 1


SCREENS = {
    "rate": ({"refresh_hz": 120.0}, {}, r"screen.refresh_hz \(60.0 there, 120.0 here\)"),
    "size": ({"size": (300, 200)}, {}, r"screen.size \(\[200,160\] there, \[300,200\] here\)"),
    "keyboard": (
        {},
        {"keyboard": {"backend": "ptb"}},
        r"the booth's keyboard.backend \(\"none\" there",
    ),
    "keys": ({}, {"keys": {"A": "a", "B": "b"}}, r'keys.A \("left" there, "a" here\)'),
}


@pytest.mark.parametrize("case", SCREENS)
def test_another_screen_or_keyboard_must_be_accepted(bank, tmp_path, case):
    changes, others, sentence = SCREENS[case]
    design = design_for(bank, levels=(4.0,))
    run(design, bank, Watched(), tmp_path, max_trials=3)
    screen = replace(Screen(size=(200, 160)), **changes)
    other = design_for(bank, levels=(4.0,), screen=screen, keys=others.get("keys"))
    booth = Watched(screen.size)
    booth.said = {k: v for k, v in others.items() if k != "keys"}
    before = next(tmp_path.glob("*.jsonl")).read_bytes()
    with pytest.raises(JournalError, match=sentence) as error:
        run(other, bank, booth, tmp_path)
    assert "--accept-changes" in str(error.value)
    assert next(tmp_path.glob("*.jsonl")).read_bytes() == before
    session = run(other, bank, booth, tmp_path, accept_changes=True, max_trials=3)
    (sitting,) = session.sittings
    assert re.search(sentence, ", ".join(sitting.accepted))
    assert sitting.design == other.content
    assert run(other, bank, booth, tmp_path).ended == "completed"


BAD_SCREENS = {
    "does not fit": (Screen(size=(30, 160)), "an image of 32 x 32 pixels does not fit"),
    "no ppd": (
        Screen(size=(200, 160), places={"centre": Position(deg=(0.0, 1.0))}),
        "'centre' is given in degrees",
    ),
    "off the screen": (
        Screen(size=(200, 160), places={"centre": Position(px=(300, 0))}),
        "'centre' lies outside the window",
    ),
}


@pytest.mark.parametrize("case", BAD_SCREENS)
def test_a_screen_that_cannot_show_the_trials_is_refused_before_anything_is_written(
    bank, tmp_path, case
):
    screen, sentence = BAD_SCREENS[case]
    booth = Watched(screen.size)
    with pytest.raises(DisplayError, match=sentence):
        run(design_for(bank, screen=screen), bank, booth, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    assert booth.n_shown == 0


def bank_at(folder: Path, ppd: float | None):
    """A bank that states its pixels per degree, or does not."""
    header = BankHeader(name="scaled", version="1.0.0", license="CC0-1.0", ppd=ppd)
    return publish_bank(folder, header, [*targets(), *metamers()], Predictions())


@pytest.mark.parametrize(
    ("of_bank", "of_screen", "used"),
    [(10.0, None, 10.0), (None, 12.0, 12.0), (10.0, 10.0, 10.0), (100.0, 99.1, 99.1)],
)
def test_degrees_are_those_of_the_bank_or_of_the_screen(tmp_path, of_bank, of_screen, used):
    bank = bank_at(tmp_path, of_bank)
    places = {"centre": Position(deg=(0.5, -0.25))}
    screen = Screen(size=(200, 160), places=places, ppd=of_screen, fixation="none")
    design = design_for(bank, screen=screen)
    scenes = []

    class Seen(Watched):
        def show(self, phases, listening):
            scenes.append(phases[1][0].scene.pixels)
            return super().show(phases, listening)

    session = run(design, bank, Seen(), tmp_path / "data", max_trials=1)
    frame = bank.frame(session.records[0].trial.intervals["A"]).pixels
    top = (160 - frame.shape[0]) // 2 + round(0.25 * used)
    left = (200 - frame.shape[1]) // 2 + round(0.5 * used)
    there = scenes[0][top : top + frame.shape[0], left : left + frame.shape[1]]
    np.testing.assert_array_equal(there, frame)


def test_a_screen_of_another_scale_than_the_bank_is_refused(tmp_path):
    bank = bank_at(tmp_path, 40.0)
    design = design_for(bank, screen=Screen(size=(200, 160), ppd=40.5))
    with pytest.raises(
        DisplayError, match=r"at 40 pixels per degree, but .* is 40\.5; change the dist"
    ):
        run(design, bank, Watched(), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_linear_light_needs_a_calibrated_screen_or_a_word(tmp_path):
    header = BankHeader(
        name="linear", version="1.0.0", license="CC0-1.0", colour=Colour(transfer="linear")
    )
    bank = publish_bank(tmp_path, header, [*targets(), *metamers()], Predictions())
    design = design_for(bank)
    with pytest.raises(DisplayError, match=r"linear light .* --uncalibrated"):
        run(design, bank, Watched(), tmp_path / "data")
    assert not (tmp_path / "data").exists()
    session = run(design, bank, Watched(), tmp_path / "data", uncalibrated=True)
    assert session.header.uncalibrated


def test_a_full_disk_loses_no_finished_trial(bank, tmp_path, whole, monkeypatch):
    real, written = os.write, []

    def full(descriptor, data):
        written.append(len(data))
        if len(written) > 12:
            real(descriptor, bytes(data)[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    design = design_for(bank)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        run(design, bank, Watched(), tmp_path)
    monkeypatch.undo()
    path = journal_path(tmp_path, "S01", 1, "abx")
    found = read_session(path)
    # header, page, five trials with their begins; the begin of the sixth is torn
    assert (len(found.records), found.ended, found.uncounted_bytes) == (5, None, 7)
    assert answers(run(design, bank, Watched(), tmp_path)) == answers(whole)


def test_a_bank_that_is_moved_away_ends_the_session_in_one_sentence(tmp_path, whole):
    bank = tiny_bank(tmp_path / "bank", targets=("leaf",))
    design = design_for(bank)

    def gone(shown):
        bank.close()
        bank.path.rename(tmp_path / "elsewhere.h5")
        return shown

    with pytest.raises(BankError):
        run(design, bank, Watched(t4=gone), tmp_path / "data")
    session = read_session(journal_path(tmp_path / "data", "S01", 1, "abx"))
    assert len(session.records) == 5
    assert session.ended.startswith("error: ")
    (tmp_path / "elsewhere.h5").rename(bank.path)
    assert answers(run(design, bank, Watched(), tmp_path / "data")) == answers(whole)
