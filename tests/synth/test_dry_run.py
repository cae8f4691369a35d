"""A dry run counts what a plan asks for, times a sample of it, and writes nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stimsynth.banks import dry_run
from stimsynth.banks.build import build, work_of
from stimsynth.banks.dry_run import forecast
from stimsynth.cli import main
from stimuli_store.bank.reading import Bank
from tests.synth.every_kind import SETS, plan_of_every_kind

PLAN = """
[bank]
name = "small"
version = "1.0.0"
license = "CC0-1.0"
[targets]
images = ["camera", "grass"]
size = 32
[models.pool]
use = "UniformPooling"
[[sets]]
kind = "metamer"
model = "pool"
level = { window_px = [4, 8] }
batch = 2
max_iter = 200
grid = "rounded"
[[sets]]
kind = "noise"
level = { rms = [0.02, 0.04] }
"""


def test_counts_and_bytes_are_those_of_the_bank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dry_run, "_timed", lambda *_, **__: 1.0)
    work, _ = work_of(plan_of_every_kind(tmp_path))
    parts = list(forecast(work, tmp_path))
    assert [part.kind for part in parts] == list(SETS)
    specs = [spec.kind for group in work.sets for spec in group.members]
    assert [part.stimuli for part in parts] == [specs.count(kind) for kind in SETS]
    assert all(part.pixel_bytes == part.stimuli * 32 * 32 * 4 for part in parts)
    assert {part.finished for part in parts} == {0}


@dataclass
class _Steps:
    """A clock that makes a batch take two seconds and a tenth for each of its steps."""

    def __call__(self, batch: Any, context: Any, **settings: int) -> float:
        return 2.0 + 0.1 * settings.get("max_iter", 0)


def test_the_time_is_that_of_the_most_steps_and_finished_batches_take_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.setattr(dry_run, "_timed", _Steps())
    work, _ = work_of(tmp_path / "plan.toml")
    metamers, noise = forecast(work, tmp_path)
    assert metamers.seconds == pytest.approx(2 * (2 + 0.1 * 200))  # two batches
    assert noise.seconds == pytest.approx(2.0)  # no steps
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / f"{work.batches[0].key}.h5").touch()
    metamers, _ = forecast(work, tmp_path)
    assert metamers.seconds == pytest.approx(22)
    assert metamers.finished == 2


def test_the_command_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    assert main(["build", str(plan), "--dry-run"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.split()[:4] == ["metamer", "4", "stimuli", "0.02"]
    assert second.split()[:3] == ["noise", "4", "stimuli"]
    assert last.startswith("2 targets and 8 stimuli, 0.04 MB of pixels, at most ")


def test_one_target_is_no_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    cut = PLAN[: PLAN.index("[models.pool]")] + PLAN[PLAN.rindex("[[sets]]") :]
    plan.write_text(cut.replace(', "grass"', ""))
    assert main(["build", str(plan), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 target and 2 stimuli, ")
    assert main(["build", str(plan)]) == 0
    assert "\n1 target, 2 noise, 0 predictions of 0 models\n" in capsys.readouterr().out


@pytest.mark.long
def test_a_sample_of_every_kind_can_be_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = plan_of_every_kind(tmp_path)
    plan["sets"][0] |= {"level": {"window_px": [8]}, "seeds": [0], "grid": "rounded"}
    plan["sets"][1] |= {"grid": "rounded", "max_iter": 9}
    work, _ = work_of(plan)
    assert all(part.seconds > 0 for part in forecast(work, tmp_path))
    assert not (tmp_path / "jobs").exists()


def test_a_dry_run_changes_nothing_of_the_build(tmp_path: Path) -> None:
    """The same work, after its sample was timed, has the same identity."""
    (tmp_path / "plan.toml").write_text(PLAN.replace("max_iter = 200", "max_iter = 9"))
    work, _ = work_of(tmp_path / "plan.toml")
    before = work.sha256
    list(forecast(work, tmp_path))
    bank: Bank = build(tmp_path / "plan.toml")
    assert bank.header.plan_sha256 == before
