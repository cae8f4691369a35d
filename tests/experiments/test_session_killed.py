"""Sessions that are killed: no finished trial is lost, none is shown twice in secret, for every task."""

import os
import signal
import time
from collections import Counter

import numpy as np
import pytest

from experiments.session import run_session
from experiments.session_plan import journal_path
from stimuli_store.journal import has_begun, read_session
from stimuli_store.tasks import TASKS
from tests.experiments.helpers import (
    Coin,
    bank_of_kinds,
    booth_for,
    design_for,
    session_design,
    without_times,
)
from tests.experiments.victim import SlowBooth
from tests.helpers import whole
from tests.store import kill_points


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    return bank_of_kinds(tmp_path_factory.mktemp("kinds"))


def run(design, bank, data_dir, **options):
    return run_session(
        design, bank, booth_for(design), "S01", 1, data_dir=data_dir, observer=Coin(), **options
    )


def wait_for_trials(path, n_trials):
    limit = time.monotonic() + 30
    while not (path.exists() and path.read_bytes().count(b'"event":"trial"') >= n_trials):
        assert time.monotonic() < limit, "the session made no progress"
        time.sleep(0.001)


def check_begins(session):
    """Every begin belongs to a finished trial or to one that is reported as broken off."""
    began = Counter(
        (e.body["index"], e.body["attempt"]) for e in session.events if e.event == "began"
    )
    finished = Counter((r.trial.index, r.trial.attempt) for r in session.records)
    assert began == finished + Counter(session.broken_off)
    seen = {r.trial.index for r in session.records if "seen_before" in r.flags}
    assert seen == {index for index, _ in session.broken_off}


MANY = 5  # cells of a task
#: Every task is killed once; that a session goes on from what was itself gone on with is no task's affair.
KILLS = [(name, 1) for name in TASKS] + [("abx", 3), ("ring-oddity", 3)]


@pytest.mark.parametrize(("task", "n_kills"), [*KILLS, *[whole(name, 10) for name in TASKS]])
def test_a_process_killed_at_random_times_loses_nothing(kinds, tmp_path, task, n_kills):
    # Where a task has many cells, the one pair of one set is already a long session.
    few = {"kinds": ("noise",)} if len(TASKS[task].cells) > MANY else {}
    design = session_design(kinds, task, **few)
    whole = run(design, kinds, tmp_path / "whole")
    path = journal_path(tmp_path, "S01", 1, task)
    rng = np.random.default_rng(len(task))
    done, most = 0, len(whole.records)
    for _ in range(n_kills):
        # A slow trial is left after those that are waited for, so that the session does not end by itself.
        share = max(2, (most - done) // (n_kills + 1) + 1)
        wanted = min(done + int(rng.integers(1, share)), most - 2)
        booth = SlowBooth(design.screen.size, design.screen.refresh_hz)
        booth.seconds, booth.left = 0.002, wanted - done + 1
        child = os.fork()
        if not child:
            run_session(design, kinds, booth, "S01", 1, data_dir=tmp_path, observer=Coin())
            os._exit(0)
        wait_for_trials(path, wanted)
        time.sleep(float(rng.uniform(0, 0.01)))
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        done = len(read_session(path).records)
        assert wanted <= done < most
    session = run(design, kinds, tmp_path)
    assert session.ended == "completed"
    assert without_times(session.records) == without_times(whole.records)
    assert read_session(path) == session
    check_begins(session)


@pytest.mark.long
def test_killed_at_every_write_and_every_sync_of_the_journal(kinds, tmp_path):
    design = design_for(kinds, kinds=("noise",), break_every=2)
    whole = run(design, kinds, tmp_path / "whole")
    names = kill_points.points(lambda: run(design, kinds, tmp_path / "points"))
    assert Counter(names)["in a write"] == 5 + 2 * len(whole.records)  # header, 3 pages and end
    assert {"before fsync", "after fsync", "before a write", "after a write"} <= set(names)
    acknowledged = 0
    for fatal, name in enumerate(names):
        folder = tmp_path / f"{fatal}"
        kill_points.die(lambda folder=folder: run(design, kinds, folder), fatal)
        path = journal_path(folder, "S01", 1, "abx")
        if has_begun(path):
            found = read_session(path)
            assert (
                without_times(found.records) == without_times(whole.records)[: len(found.records)]
            )
            assert len(found.records) >= acknowledged
            acknowledged = len(found.records) if name == "after fsync" else acknowledged
        session = run(design, kinds, folder)
        assert session.ended == "completed"
        assert without_times(session.records) == without_times(whole.records)
        assert read_session(path) == session
        check_begins(session)
