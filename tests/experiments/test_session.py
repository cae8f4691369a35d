"""Sessions: every trial once, in order, whatever ends the process; nothing mixed, nothing lost."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from experiments.design import seed_of
from experiments.order import make_trials
from experiments.ports import Quit
from experiments.session import run_session
from experiments.session_plan import journal_path, plan_session
from experiments.simulated import SimulatedBooth, SimulatedPerson
from stimuli_store.errors import BankError, DisplayError, JournalError
from stimuli_store.journal import read_session
from tests.experiments.helpers import Coin, Script, design_for
from tests.helpers import tiny_bank

ROOT = Path(__file__).parents[2]
N_TRIALS = 32  # 4 sets x 2 members x 4 repeats


class Watched(SimulatedBooth):
    """A simulated booth that remembers what it showed and can be told to misbehave."""

    def __init__(self, responder, **events):
        super().__init__(responder, refresh_hz=60.0)
        self.shown: list[int] = []
        self.pages: list[tuple] = []
        self.events = events  # trial index -> exception, or a function of the record

    def welcome(self, done, total):
        self.pages.append(("welcome", done, total))

    def rest(self, done, total):
        self.pages.append(("rest", done, total))

    def farewell(self, done, total):
        self.pages.append(("farewell", done, total))

    def show(self, trial, frames):
        self.shown.append(trial.index)
        event = self.events.get(f"t{trial.index}")
        if isinstance(event, BaseException):
            raise event
        record = super().show(trial, frames)
        return event(record) if event else record


def person_for(design, participant="S01", session=1):
    return SimulatedPerson(Coin(), seed_of(design, participant, session))


def run(design, bank, booth, data_dir, **options):
    return run_session(
        design, bank, booth, "S01", 1, data_dir=data_dir, observer=Coin().describe(), **options
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return tiny_bank(tmp_path_factory.mktemp("bank"), targets=("leaf",))


@pytest.fixture(scope="module")
def whole(bank, tmp_path_factory):
    """The session as it is when nothing goes wrong."""
    design = design_for(bank)
    return run(design, bank, Watched(person_for(design)), tmp_path_factory.mktemp("whole"))


def test_a_session_stays_in_the_booth_it_was_begun_in(bank, tmp_path):
    class Window(Watched):
        def describe(self):
            return {**super().describe(), "adapter": "psychopy"}

    design = design_for(bank)
    run(design, bank, Window(person_for(design)), tmp_path, max_trials=3)
    before = next(tmp_path.glob("*.jsonl")).read_bytes()
    with pytest.raises(
        JournalError, match="begun in the psychopy booth, not in the simulated booth"
    ):
        run(design, bank, Watched(person_for(design)), tmp_path)
    assert next(tmp_path.glob("*.jsonl")).read_bytes() == before


def answers(session):
    return [
        (r.trial, r.response, r.rt_s, r.correct, r.frame_sha256, r.flags) for r in session.records
    ]


def test_an_uninterrupted_session_holds_every_trial_once(bank, whole):
    design = design_for(bank)
    assert whole.ended == "completed"
    assert [r.trial for r in whole.records] == list(make_trials(design, bank, "S01", 1))
    assert whole.header.design_sha256 == design.design_sha256
    assert whole.header.n_trials == len(whole.records) == N_TRIALS
    for record in whole.records:
        for name, sha in record.trial.intervals.items():
            assert record.frame_sha256[name] == bank.by_id[sha].certificate.frame_sha256
        assert record.correct == (record.response == record.trial.answer)
        late = record.rt_s is None
        assert late == (record.response is None) == (record.flags == ("no_response",))
    assert (
        0 < sum(r.response is None for r in whole.records) < N_TRIALS
    )  # the coin is slow at times


def test_nominal_timing_adds_up(whole):
    for record in whole.records:
        *seen, last = record.timing
        assert [t.n_frames for t in seen] == [p.n_frames for p in record.trial.phases[:-1]]
        onset = {t.name: t.onset_s for t in record.timing}
        assert onset["B"] - onset["A"] == pytest.approx(0.7)
        assert onset["X"] - onset["B"] == pytest.approx(1.2)
        if record.rt_s is not None:  # the last phase ends in the frame in which the answer came
            ends = onset["respond"] - onset["X"] + last.n_frames / 60
            assert max(record.rt_s, 0.2 + 1 / 60) <= ends + 1e-9
            assert ends - max(record.rt_s, 0.2) <= 1 / 60 + 1e-6


@pytest.mark.parametrize("rt_s", [2.19, 2.21])
def test_an_answer_counts_until_the_time_is_up(bank, tmp_path, rt_s):
    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    booth = SimulatedBooth(Script("A", rt_s), refresh_hz=60.0)
    session = run(design, bank, booth, tmp_path)
    in_time = rt_s < 2.2  # 200 ms of X and 2000 ms to answer
    assert {r.response for r in session.records} == ({"A"} if in_time else {None})
    assert sum(r.correct for r in session.records) == (4 if in_time else 0)


@pytest.mark.parametrize("stop", [0, 1, 17, 31])
def test_quitting_keeps_finished_trials_and_goes_on_where_it_stopped(bank, tmp_path, whole, stop):
    design = design_for(bank)
    first = run(design, bank, Watched(person_for(design), **{f"t{stop}": Quit()}), tmp_path)
    assert (first.ended, len(first.records)) == ("escape", stop)
    booth = Watched(person_for(design))
    second = run(design, bank, booth, tmp_path)
    assert booth.shown == list(range(stop, N_TRIALS))
    assert booth.pages == [("welcome", stop, N_TRIALS), ("farewell", N_TRIALS, N_TRIALS)]
    assert second.ended == "completed"
    assert answers(second) == answers(whole)
    assert [e.event for e in second.events if e.event != "trial"] == [
        "header",
        "end",
        "resumed",
        "end",
    ]


def test_a_completed_session_shows_nothing_and_writes_nothing(bank, tmp_path):
    design = design_for(bank)
    run(design, bank, Watched(person_for(design)), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    before = path.read_bytes()
    booth = Watched(person_for(design))
    assert run(design, bank, booth, tmp_path).ended == "completed"
    assert (booth.shown, booth.pages) == ([], [])
    assert path.read_bytes() == before


def test_sittings_of_some_trials_each_make_one_session(bank, tmp_path, whole):
    design = design_for(bank)
    ends = []
    while not ends or ends[-1] != "completed":
        session = run(design, bank, Watched(person_for(design)), tmp_path, max_trials=12)
        ends.append(session.ended)
    assert ends == ["paused", "paused", "completed"]
    assert answers(session) == answers(whole)


def test_breaks_come_after_every_n_trials_but_not_at_the_end(bank, tmp_path):
    design = design_for(bank, break_every=8)
    booth = Watched(person_for(design))
    run(design, bank, booth, tmp_path)
    assert [p for p in booth.pages if p[0] == "rest"] == [
        ("rest", n, N_TRIALS) for n in (8, 16, 24)
    ]


def test_killed_between_the_last_trial_and_the_end_event(bank, tmp_path, whole):
    design = design_for(bank)
    run(design, bank, Watched(person_for(design)), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    booth = Watched(person_for(design))
    session = run(design, bank, booth, tmp_path)
    assert booth.shown == []
    assert session.ended == "completed"
    assert answers(session) == answers(whole)


@pytest.mark.parametrize("kept", [0, 40, -30])
def test_a_line_torn_by_a_power_cut_is_done_again(bank, tmp_path, whole, kept):
    design = design_for(bank)
    run(design, bank, Watched(person_for(design), t20=Quit()), tmp_path)
    path = journal_path(tmp_path, "S01", 1, "abx")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:15]) + lines[15][:kept])  # header, 14 trials, part of one
    booth = Watched(person_for(design))
    session = run(design, bank, booth, tmp_path)
    assert booth.shown[0] == 14
    assert answers(session) == answers(whole)


def test_a_process_killed_at_random_times_loses_nothing(bank, tmp_path, whole):
    path = journal_path(tmp_path, "S01", 1, "abx")
    rng = np.random.default_rng(11)
    command = [sys.executable, "-m", "tests.experiments.victim", str(bank.path), str(tmp_path)]
    done = 0
    for more in (5, 1, 8, 6):
        wanted = done + more
        victim = subprocess.Popen([*command, "0.01", str(more + 4)], cwd=ROOT)
        wait_for_trials(path, wanted, victim)
        time.sleep(float(rng.uniform(0, 0.03)))
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        done = len(read_session(path).records)
        assert wanted <= done < N_TRIALS
    design = design_for(bank)
    session = run(design, bank, Watched(person_for(design)), tmp_path)
    assert session.ended == "completed"
    assert answers(session) == answers(whole)
    assert read_session(path) == session
    assert sum(e.event == "resumed" for e in session.events) == 4  # three after a kill, one here


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


def test_two_processes_on_one_session_are_refused(bank, tmp_path):
    path = journal_path(tmp_path, "S01", 1, "abx")
    command = [
        sys.executable,
        "-m",
        "tests.experiments.victim",
        str(bank.path),
        str(tmp_path),
        "0.2",
    ]
    other = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for_trials(path, 1, other)
        design = design_for(bank)
        booth = Watched(person_for(design))
        with pytest.raises(JournalError, match="being written by another running session"):
            run(design, bank, booth, tmp_path)
        assert booth.shown == []
    finally:
        other.kill()
        other.wait()
    assert run(design, bank, Watched(person_for(design)), tmp_path).ended == "completed"


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
        if value.get("event") == "trial" and value["n"] == 4 and not sent:
            sent.append(True)
            signal.raise_signal(signal.SIGTERM)
        return real(value)

    monkeypatch.setattr(journal_module, "canonical_json", interrupted)
    design = design_for(bank)
    session = run(design, bank, Watched(person_for(design)), tmp_path)
    assert sent
    assert (session.ended, len(session.records)) == ("SIGTERM", 4)
    assert read_session(journal_path(tmp_path, "S01", 1, "abx")) == session
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_frame_that_is_not_the_certified_one_stops_the_session(bank, tmp_path, whole):
    def altered(record):
        return replace(record, frame_sha256={**record.frame_sha256, "B": "0" * 64})

    design = design_for(bank)
    with pytest.raises(
        DisplayError, match=r"trial 7: .* the frame that tiny@1.0.0.* in interval B"
    ):
        run(design, bank, Watched(person_for(design), t7=altered), tmp_path)
    session = read_session(journal_path(tmp_path, "S01", 1, "abx"))
    assert len(session.records) == 7
    (kept,) = [e.body for e in session.events if e.event == "display_mismatch"]
    assert kept["frame_sha256"]["B"] == "0" * 64
    assert session.ended.startswith("error: trial 7")
    assert answers(run(design, bank, Watched(person_for(design)), tmp_path)) == answers(whole)


def test_a_frame_that_was_not_read_back_counts_as_wrong(bank, tmp_path):
    design = design_for(bank)
    booth = Watched(person_for(design), t0=lambda record: replace(record, frame_sha256={}))
    with pytest.raises(DisplayError, match="interval A, B, X"):
        run(design, bank, booth, tmp_path)


def test_a_crash_of_the_booth_is_written_down(bank, tmp_path):
    design = design_for(bank)
    with pytest.raises(ZeroDivisionError):
        run(design, bank, Watched(person_for(design), t3=ZeroDivisionError()), tmp_path)
    session = read_session(journal_path(tmp_path, "S01", 1, "abx"))
    assert (session.ended, len(session.records)) == ("error: ZeroDivisionError", 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repeats": 8}, "another design, another number of trials"),
        ({"seed": 2}, "another design, another seed"),
    ],
)
def test_a_journal_of_another_design_is_not_touched(bank, tmp_path, change, words):
    design = design_for(bank)
    run(design, bank, Watched(person_for(design)), tmp_path, max_trials=5)
    path = journal_path(tmp_path, "S01", 1, "abx")
    with path.open("ab") as handle:
        handle.write(b'{"event":')  # even a torn end stays as it is
    before = path.read_bytes()
    other = design_for(bank, **change)
    booth = Watched(person_for(other))
    with pytest.raises(JournalError, match=words):
        run(other, bank, booth, tmp_path)
    assert path.read_bytes() == before
    assert booth.shown == []


def test_a_persons_session_is_not_continued_by_a_model(bank, tmp_path):
    design = design_for(bank)
    run_session(
        design, bank, Watched(person_for(design)), "S01", 1, data_dir=tmp_path, max_trials=5
    )
    with pytest.raises(JournalError, match="another observer"):
        run(design, bank, Watched(person_for(design)), tmp_path)


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
        run(design, bank, Watched(person_for(design)), tmp_path)


def test_the_header_tells_where_and_how(bank, tmp_path):
    design = design_for(bank)
    run(design, bank, Watched(person_for(design)), tmp_path, max_trials=1)
    first = json.loads(journal_path(tmp_path, "S01", 1, "abx").read_text().splitlines()[0])["body"]
    assert first["booth"] == {"adapter": "simulated", "refresh_hz": 60.0, "keyboard": "none"}
    assert first["observer"] == {"model": "coin"}
    assert first["software"]["numpy"] == np.__version__
