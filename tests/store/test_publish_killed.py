"""Whatever moment of a commit, a job or an addition is its last: nothing is lost, and a retry works."""

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from stimuli_store.bank.lineage import add_stimuli, open_donor
from stimuli_store.bank.publish import read_job, write_job
from stimuli_store.bank.reading import open_bank
from stimuli_store.disk.locks import lock_file
from stimuli_store.errors import BankError, BankExists
from stimuli_store.records.stimulus import Stimulus
from tests.helpers import tiny_bank
from tests.store.kill_points import die, no_links, points, state

Act = Callable[[Path], object]


def commit(folder: Path) -> None:
    tiny_bank(folder, version="2.0.0", levels=(4.0,)).close()


def job(folder: Path) -> None:
    bank = open_bank(folder / "tiny-1.0.0.h5")
    leaf, first = (Stimulus(pixels=bank.pixels(r.name), record=r) for r in bank.records[:2])
    bank.close()
    write_job(folder / "job.h5", [leaf], [first], 1.5)


def add(folder: Path) -> None:
    bank, donor = (
        open_bank(folder / "tiny-1.0.0.h5"),
        open_donor(folder / "donor" / "tiny-1.0.0.h5"),
    )
    add_stimuli(bank, donor, "1.1.0", reason="more").close()
    bank.close()
    donor.close()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bank, and one that has stimuli to add."""
    folder = tmp_path_factory.mktemp("older")
    tiny_bank(folder, levels=(4.0,)).close()
    tiny_bank(folder / "donor", levels=(8.0,), targets=("moss",), seeds=(0,)).close()
    return folder


def check(file: Path) -> None:
    if file.name == "job.h5":
        assert read_job(file)[1] == 1.5
    else:
        open_bank(file).close()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize(
    ("act", "made"), [(commit, "tiny-2.0.0.h5"), (job, "job.h5"), (add, "tiny-1.1.0.h5")]
)
def test_every_moment_can_be_its_last(
    act: Act, made: str, links: bool, older: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shutil.copytree(older, tmp_path / "whole")
    names = points(lambda: act(whole), links=links)
    assert {"before a write", "in a write", "before fsync"} <= set(names) and len(names) >= 10
    assert set(state(whole)) == {*state(older), made}
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    outcomes = set()
    for fatal, name in enumerate(names):
        folder = shutil.copytree(older, tmp_path / str(fatal))
        before = state(folder)
        die(lambda folder=folder: act(folder), fatal, links=links)  # type: ignore[misc]
        left = state(folder)
        outcomes.add(made in left)
        assert before.items() <= left.items(), name
        assert set(left) <= {*before, made}, name
        if made in left:
            check(folder / made)
        with pytest.raises(BankExists) if made in left and act is not job else nullcontext():
            act(folder)
        after = state(folder)
        check(folder / made)
        assert before.items() <= after.items(), name
        if act is not job:  # a job is made anew by who asks for it; a version stays
            assert left.items() <= after.items(), name
        files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
        assert files == {*before, made}, name
    assert outcomes == {True, False}


def test_a_lock_that_is_held_is_respected_and_one_that_was_left_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "tiny-1.0.0.h5"
    with lock_file(path) as held:
        assert held
        with pytest.raises(BankError, match="another process is publishing it"):
            tiny_bank(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "tiny-1.0.0.h5.lock").touch()
    tiny_bank(tmp_path).close()
    assert list(tmp_path.iterdir()) == [path]
