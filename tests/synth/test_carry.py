"""A version that names its parent takes from it what it asks for again, also over a change of our code."""

import shutil
from pathlib import Path

import pytest

from stimsynth.banks.build import build
from stimsynth.banks.code_identity import code_of_this_package
from stimuli_store.bank.diff import diff_banks
from stimuli_store.errors import BankError, InputError

PLAN = {
    "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
    "targets": {"images": ["camera"], "size": 32},
    "models": {"pool": {"use": "UniformPooling"}},
    "sets": [
        {
            "kind": "metamer",
            "model": "pool",
            "level": {"window_px": [4, 8]},
            "max_iter": 4,
            "batch": 1,
        }
        | {"grid": "rounded"},
        {"kind": "noise", "level": {"rms": [0.05]}},
    ],
    "predict": {"models": ["mse"]},
}


def raised(parent: str | None, levels: list[int]) -> dict[str, object]:
    bank = {**PLAN["bank"], "version": "1.1.0"} | ({"parent": parent} if parent else {})  # type: ignore[dict-item]
    first = {**PLAN["sets"][0], "level": {"window_px": levels}}  # type: ignore[dict-item]
    return {**PLAN, "bank": bank, "sets": [first, PLAN["sets"][1]]}  # type: ignore[index]


def test_unchanged_stimuli_are_carried_over_a_change_of_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build(PLAN, tmp_path)
    shutil.rmtree(tmp_path / "jobs")
    code = {**code_of_this_package(), "source_sha256": "0" * 64}
    monkeypatch.setattr("stimsynth.banks.work.code_of_this_package", lambda: code)
    new = build(raised("1.0.0", [8, 16]), tmp_path)
    found = diff_banks(old, new)
    assert found.changed == {}  # not even the code that is recorded
    assert found.added == ("camera/window_px=16/seed=0",)
    assert found.removed == ("camera/window_px=4/seed=0",)
    assert new.header.parent == {"name": "small", "version": "1.0.0", "sha256": old.version_id}
    assert new.header.changes == ("built from a plan: 2 of 3 stimuli are those of 1.0.0",)
    made = new.by_name["camera/window_px=16/seed=0"].spec
    assert made is not None
    assert made.code["source_sha256"] == "0" * 64
    assert len(list((tmp_path / "jobs").glob("*.h5"))) == 1
    assert build(raised("1.0.0", [8, 16]), tmp_path).pin == new.pin


def test_a_parent_is_an_older_version_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an older version than 1\.1\.0"):
        build(raised("1.1.0", [8]), tmp_path)
    with pytest.raises(BankError, match=r"no bank at .*small-1.0.0.h5"):
        build(raised("1.0.0", [8]), tmp_path)
    assert not list(tmp_path.iterdir())
