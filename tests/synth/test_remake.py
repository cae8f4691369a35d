"""Every kind of stimulus is made again from its record: in another process, with the same pixels."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimsynth.banks.build import build
from stimsynth.banks.remake import remake
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.lineage import retire_stimuli
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import BankError, InputError
from stimuli_store.records.stimulus import Stimulus
from tests import fresh
from tests.synth.every_kind import HELPER, MODELS, SETS, plan_of_every_kind
from tests.synth.shared_bank import bank_of_every_kind

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank of every kind."""
    return bank_of_every_kind(tmp_path_factory)[1]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that are given by hand, in another folder than the plan's."""
    folder = tmp_path_factory.mktemp("code")
    plan_of_every_kind(folder)
    return folder


@pytest.mark.long
def test_every_kind_has_the_same_pixels_in_a_fresh_process(bank: Bank, code: Path) -> None:
    command = ["bank", "remake", str(bank.path), "--models", str(code / "models.py")]
    result = fresh.run(["-m", "stimsynth", *command, "--files", code / "others"], cwd=ROOT)
    assert result.returncode == 0, result.stderr
    *lines, last = result.stdout.splitlines()
    synthesized = [record.name for record in bank.records if record.spec]
    assert sorted(lines) == sorted(f"{name}: same pixels" for name in synthesized)
    assert len({record.kind for record in bank.records}) == len(SETS) + 1
    assert (
        last
        == f"{len(lines)} stimuli made again: {len(lines)} with the same pixels, 0 out of bounds"
    )


@pytest.mark.long
def test_one_stimulus_is_made_with_its_batch(bank: Bank, code: Path) -> None:
    name = "grass/window_px=8/seed=1"
    (one,) = remake(bank, [name])
    assert (one.name, one.same_pixels, one.faults) == (name, True, ())
    assert all(old == new for old, new in one.figures.values())


@pytest.mark.parametrize(
    ("spoil", "names", "sentence"),
    [
        ("", ["camera/deep-max"], "comes from models.py:network; give its file"),
        ("", ["camera/external"], r"theirs.png with the SHA-256 .*--files"),
        ("picture", ["camera/external"], "does not hold it"),
        ("helper", ["camera/mine-eigendistortions"], "helper.py has another SHA-256"),
        ("models", ["camera/deep-max"], "models.py has another SHA-256"),
        ("", ["camera"], "none of the named stimuli"),
    ],
)
def test_what_is_given_by_hand_has_the_hashes_of_the_record(
    bank: Bank, tmp_path: Path, spoil: str, names: list[str], sentence: str
) -> None:
    plan_of_every_kind(tmp_path)
    if spoil == "picture":
        with (tmp_path / "others" / "theirs.png").open("ab") as file:
            file.write(b"more")
    elif spoil == "helper":
        (tmp_path / "helper.py").write_text(HELPER.replace("image * image", "image * image + 0"))
    elif spoil == "models":
        (tmp_path / "models.py").write_text(MODELS.replace("/ 5", "/ 4"))
    given = {"place": tmp_path / "models.py", "files": tmp_path / "others"} if spoil else {}
    with pytest.raises(InputError, match=sentence):
        list(remake(bank, names, **given))


def test_comments_in_the_code_of_a_model_change_nothing(
    bank: Bank, code: Path, tmp_path: Path
) -> None:
    shutil.copy(code / "models.py", tmp_path)
    (tmp_path / "helper.py").write_text(HELPER + "\n# a comment\n")
    (one,) = remake(bank, ["camera/deep-max"], place=tmp_path)
    assert one.same_pixels


def altered(
    bank: Bank, folder: Path, name: str, gates: Mapping[str, float] | None = None, **figures: float
) -> Bank:
    """A bank of one kind that states other figures for a stimulus."""
    kept = {r.name for r in bank.records if r.kind in ("reference", bank.by_name[name].kind)}
    stimuli = []
    for record in bank.records:
        if record.name in kept:
            certificate = record.certificate
            if record.name == name:
                certificate = replace(
                    certificate,
                    figures={**certificate.figures, **figures},
                    gates=gates or certificate.gates,
                )
            changed = replace(record, certificate=certificate)
            stimuli.append(Stimulus(pixels=bank.pixels(record.sha256), record=changed))
    return publish_bank(folder, BankHeader(name="x", version="1.0.0", license="CC0-1.0"), stimuli)


@pytest.mark.parametrize(
    ("factor", "fine"), [(1.9, True), (0.53, True), (2.1, False), (0.4, False)]
)
def test_figures_are_compared_to_a_factor_of_two(
    bank: Bank, tmp_path: Path, factor: float, fine: bool
) -> None:
    name = "camera/pink-noise/rms=0.05/seed=0"
    rms = bank.by_name[name].certificate.figures["rms"]
    stated = altered(bank, tmp_path, name, rms=rms / factor)
    (one,) = remake(stated, [name])
    assert one.faults == (() if fine else (f"rms is {rms:.3g}, and was {rms / factor:.3g}",))


@pytest.mark.parametrize(("gate", "fine"), [(1.01, True), (0.99, False), (0.5, True)])
def test_gates_that_were_passed_are_passed_again(
    bank: Bank, tmp_path: Path, gate: float, fine: bool
) -> None:
    """The record states 0.8 of the true figure: a gate between both was passed, and fails now."""
    name = "camera/pink-noise/rms=0.05/seed=0"
    rms = bank.by_name[name].certificate.figures["rms"]
    (one,) = remake(altered(bank, tmp_path, name, {"rms": gate * rms}, rms=0.8 * rms), [name])
    assert one.faults == (() if fine else (f"rms is {rms:.3g}, over the gate of {gate * rms:g}",))


@pytest.mark.long
@pytest.mark.parametrize(("change", "fine"), [(0.9e-4, True), (1.2e-4, False)])
def test_a_held_value_is_compared_to_one_in_ten_thousand(
    bank: Bank, code: Path, tmp_path: Path, change: float, fine: bool
) -> None:
    name = "camera/noise=0.04/metric_1_max"
    figures = bank.by_name[name].certificate.figures
    held = figures["metric_2"] * (1 + change)
    drift = held / figures["start_metric_2"] - 1
    stated = altered(bank, tmp_path, name, metric_2=held, drift=drift)
    (one,) = remake(stated, [name], place=code / "models.py")
    assert one.same_pixels
    assert [fault.startswith("the held metric_2") for fault in one.faults] == (
        [] if fine else [True]
    )


@pytest.mark.long
def test_what_was_retired_is_taken_from_the_parent(bank: Bank, tmp_path: Path) -> None:
    gone, stays = "camera/window_px=8/seed=0", "camera/window_px=8/seed=1"
    retire_stimuli(bank, "1.1.0", names=[gone], reason="test", directory=tmp_path).close()
    alone = open_bank(tmp_path / "study-1.1.0.h5")
    with pytest.raises(
        BankError, match=r"does not hold 1 of \d stimuli .* put study-1.0.0.h5 into"
    ):
        list(remake(alone, [stays]))
    shutil.copy(bank.path, tmp_path)
    (one,) = remake(alone, [stays])
    assert one.same_pixels


def test_companions_of_a_stimulus_that_missed_its_gate_are_made_again(tmp_path: Path) -> None:
    """The gate lies between the two metamers, so that one of them is made from a further seed."""
    plan = {
        "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["camera"], "size": 32},
        "models": {"pool": {"use": "UniformPooling", "params": {"window_px": 8}}},
        "sets": [
            {"kind": "metamer", "model": "pool", "name": "pool", "seeds": [0, 1], "max_iter": 4}
            | {"grid": "rounded"}
        ],
    }
    first = build(plan, tmp_path)
    distances = [r.certificate.figures["pixel_rms"] for r in first.records if r.spec]
    gate = {"gates": {"pixel_rms": sum(distances) / 2}, "on_miss": "retry", "retries": 20}
    plan["sets"][0] |= gate  # type: ignore[index]
    plan["bank"]["version"] = "1.1.0"  # type: ignore[index]
    shutil.rmtree(tmp_path / "jobs")
    second = build(plan, tmp_path)
    planned = [record.planned_start for record in second.records if record.spec]
    assert sum(start is not None for start in planned) == 1
    assert all(one.same_pixels for one in remake(second))
    assert open_bank(second.path).records == second.records


def test_one_file_in_two_sets_of_other_size_colour_and_licence(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "theirs.png")
    whole = {"kind": "external", "files": str(tmp_path / "theirs.png"), "license": "CC-BY-4.0"}
    small = {"size": 16, "colour": "gray", "name": "small", "license": "CC0-1.0"}
    plan = {
        "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": []},
        "sets": [whole, whole | small, whole | small | {"size": 24, "name": "larger"}],
    }
    bank = build(plan, tmp_path / "bank")
    found = {r.set: (r.shape, r.license) for r in bank.records}
    assert found == {
        "external": ((48, 48, 3), "CC-BY-4.0"),
        "small": ((16, 16), "CC0-1.0"),
        "larger": ((24, 24), "CC0-1.0"),
    }
    means = [float(bank.pixels(r.sha256).mean()) for r in bank.records if r.shape != (48, 48, 3)]
    assert means[0] == pytest.approx(means[1], abs=0.02)
    assert len([one for one in remake(bank, files=tmp_path) if one.same_pixels]) == 3
