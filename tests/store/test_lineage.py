"""New versions from older ones: what stays is carried byte for byte, and a diff names what changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stimsynth.cli import main
from stimuli_store.bank.diff import diff_banks
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.lineage import (
    add_stimuli,
    open_donor,
    replace_stimuli,
    retire_stimuli,
)
from stimuli_store.bank.publish import publish_bank, write_job
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import BankError, BankExists, InputError
from stimuli_store.records.predictions import predictions_from
from stimuli_store.records.spec import Level, ModelRef
from stimuli_store.records.stimulus import Stimulus
from tests.helpers import CODE, metamer_spec, stimulus, tiny_bank

MAKER = ModelRef(label="maker", name="UniformPooling", params={"window_px": 8})
OTHER_CODE = {**CODE, "version": "9", "source_sha256": "f" * 64}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def donor(old: Bank, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Made by other code: the set leaf/window_px=4 anew, and a set for a level that `old` lacks."""
    leaf = old.by_name["leaf"]
    stimuli = [Stimulus(pixels=old.pixels("leaf"), record=leaf)]
    rng = np.random.default_rng(3)
    for value in (4.0, 64.0):
        label = f"leaf/window_px={value:g}"
        for seed in (0, 1):
            spec = metamer_spec(leaf.sha256, MAKER, Level(value=value, unit="window_px"), seed)
            stimuli.append(
                stimulus(
                    rng.random((32, 32)),
                    f"{label}/seed={seed}",
                    kind="metamer",
                    set=label,
                    member=seed,
                    targets=(leaf.sha256,),
                    spec=replace(spec, code=OTHER_CODE),
                )
            )
    right = ModelRef(label="right", name="Gaussian")
    wrong = ModelRef(label="wrong", name="Gaussian", params={"std": 9.0})  # another than in `old`
    ids = [s.record.sha256 for s in stimuli]
    rows = [(label, leaf.sha256, sha, 0.5) for label in ("right", "wrong") for sha in ids[1:]]
    header = BankHeader(name="donor", version="1.0.0", license="CC0-1.0", models=(right, wrong))
    folder = tmp_path_factory.mktemp("donor")
    return publish_bank(folder, header, stimuli, predictions_from(rows))


def assert_carried(old: Bank, new: Bank, names: set[str]) -> None:
    """Pixels, records and predictions of stimuli are in both banks, the same to the last bit."""
    for name in names:
        assert new.pixels(name).tobytes() == old.pixels(name).tobytes()
        places = {"page": "", "row": 0, "curve": (0, 0), "member": 0}
        assert replace(new.by_name[name], **places) == replace(old.by_name[name], **places)
        np.testing.assert_array_equal(new.losses(name), old.losses(name))
    ids = {old.by_name[name].sha256 for name in names}
    for model in old.model_labels:
        kept = {pair: d for pair, d in old.distances(model).items() if pair <= ids}
        assert kept.items() <= new.distances(model).items()
        assert kept


def test_what_is_added_comes_with_its_predictions_and_the_rest_is_carried(
    old: Bank, donor: Bank, tmp_path: Path
) -> None:
    new = add_stimuli(
        old, donor, "1.1.0", names=["leaf/window_px=64"], reason="a wider one", directory=tmp_path
    )
    assert new.header.parent == {"name": "tiny", "version": "1.0.0", "sha256": old.version_id}
    assert new.header.changes[0] == (
        f"added leaf/window_px=64/seed=0, leaf/window_px=64/seed=1 of {donor.pin}: a wider one"
    )
    assert "'wrong'" in new.header.changes[1]
    assert_carried(old, new, set(old.by_name))
    leaf = old.by_name["leaf"].sha256
    for record in new.sets["leaf/window_px=64"]:
        pair = frozenset((leaf, record.sha256))
        assert new.distances("right")[pair] == 0.5
        assert pair not in new.distances("wrong")
    found = diff_banks(old, new)
    assert found.added == ("leaf/window_px=64/seed=0", "leaf/window_px=64/seed=1")
    assert (found.removed, found.changed) == ((), {})
    assert found.predictions == {"right": (2, 0, 0)}
    assert [c.field for c in found.header] == ["version", "changes", "parent"]
    open_bank(new.path, new.pin).close()


def test_what_is_replaced_is_what_the_diff_names_whatever_code_made_it(
    old: Bank, donor: Bank, tmp_path: Path
) -> None:
    name = "leaf/window_px=4/seed=1"
    new = replace_stimuli(
        old, donor, "2.0.0", names=[name], reason="made by mended code", directory=tmp_path
    )
    assert_carried(old, new, set(old.by_name) - {name})
    assert list(new.sets) == list(old.sets)
    assert [r.name for r in new.sets["leaf/window_px=4"]] == ["leaf/window_px=4/seed=0", name]
    assert new.pixels(name).tobytes() == donor.pixels(name).tobytes()
    found = diff_banks(old, new)
    assert list(found.changed) == [name]
    fields = {change.field: (change.old, change.new) for change in found.changed[name]}
    assert fields["spec.code.version"] == ("0", "9")
    assert fields["sha256"] == (old.by_name[name].sha256, donor.by_name[name].sha256)
    difference = np.abs(old.pixels(name).astype(float) - donor.pixels(name)).max()
    assert fields["pixels"][1] == f"100.0% differ, by up to {difference:.3g}"
    assert not {"page", "row", "curve", "member"} & set(fields)
    # Its predictions went with it; those of the donor came, but for the model that is another one there.
    assert found.predictions == {"right": (1, 2, 0), "wrong": (0, 2, 0)}
    gone = old.by_name[name].sha256
    assert not any(gone in pair for pair in new.predictions.pairs)


def test_what_is_retired_is_gone_and_members_are_numbered_anew(old: Bank, tmp_path: Path) -> None:
    names = ["leaf/window_px=8/seed=0", "stone/window_px=32"]
    new = retire_stimuli(old, "1.0.1", names=names, reason="a halo", directory=tmp_path)
    gone = {"leaf/window_px=8/seed=0", "stone/window_px=32/seed=0", "stone/window_px=32/seed=1"}
    assert set(old.by_name) - set(new.by_name) == gone
    assert new.by_name["leaf/window_px=8/seed=1"].member == 0
    assert_carried(old, new, set(new.by_name))
    assert new.header.changes[0].endswith("stone/window_px=32/seed=1: a halo")
    again = add_stimuli(new, old, "1.0.2", names=["stone/window_px=32"])
    assert set(again.by_name) == set(old.by_name) - {"leaf/window_px=8/seed=0"}
    assert again.header.parent is not None
    assert again.header.parent["sha256"] == new.version_id
    assert_carried(old, again, set(again.by_name))


def test_a_finished_batch_of_a_build_can_be_added(old: Bank, donor: Bank, tmp_path: Path) -> None:
    references = [Stimulus(pixels=donor.pixels("leaf"), record=donor.by_name["leaf"])]
    made = [
        Stimulus(pixels=donor.pixels(record.sha256), record=record, losses=np.ones(3, np.float32))
        for record in donor.sets["leaf/window_px=64"]
    ]
    write_job(tmp_path / "job.h5", references, made, 1.0)
    new = add_stimuli(old, open_donor(tmp_path / "job.h5"), "1.1.0", directory=tmp_path)
    assert diff_banks(old, new).added == tuple(s.record.name for s in made)
    assert new.losses("leaf/window_px=64/seed=1").tolist() == [1, 1, 1]


def test_a_bank_is_not_different_from_itself(old: Bank) -> None:
    found = diff_banks(old, old)
    assert list(found.lines()) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda a, b: add_stimuli(a, b, "1.1.0"), "another stimulus 'leaf/window_px=4/seed=0'"),
        (lambda a, b: add_stimuli(a, b, "1.1.0", names=["leaf"]), "nothing to add"),
        (lambda a, b: add_stimuli(a, b, "1.1", names=["leaf/window_px=64"]), "three numbers"),
        (lambda a, b: add_stimuli(a, b, "1.1.0", names=["leaf/window=64"]), "did you mean"),
        (lambda a, b: add_stimuli(a, b, "1.0.0", names=["leaf/window_px=64"]), "already published"),
        (lambda a, b: replace_stimuli(a, b, "1.1.0", names=["stone"], reason="x"), "unknown set"),
        (lambda a, b: replace_stimuli(a, a, "1.1.0", names=["stone"], reason="x"), "same in tiny@"),
        (lambda a, b: retire_stimuli(a, "1.1.0", names=["stone"], reason="x"), "its target is not"),
        (lambda a, b: retire_stimuli(a, "1.1.0", names=["leaf/window_px=4"], reason=" "), "reason"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_nothing_is_written(
    old: Bank, donor: Bank, change: object, sentence: str
) -> None:
    before = sorted(old.path.parent.iterdir())
    with pytest.raises((InputError, BankError, BankExists), match=sentence):
        change(old, donor)  # type: ignore[operator]
    assert sorted(old.path.parent.iterdir()) == before


def test_the_commands_take_names(
    old: Bank, donor: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path), "--reason", "because"]
    source = ["--from", str(donor.path)]
    name = "leaf/window_px=4"
    bank = str(old.path)
    assert (
        main(["bank", "add", bank, "leaf/window_px=64", *source, "--version", "1.1.0", *out]) == 0
    )
    assert main(["bank", "replace", bank, name, *source, "--version", "1.2.0", *out]) == 0
    assert main(["bank", "retire", bank, name, "--version", "1.3.0", *out]) == 0
    assert (
        "retired leaf/window_px=4/seed=0, leaf/window_px=4/seed=1: because"
        in capsys.readouterr().out
    )
    assert main(["bank", "diff", bank, str(tmp_path / "tiny-1.3.0.h5")]) == 0
    printed = capsys.readouterr().out
    assert "- leaf/window_px=4/seed=0\n" in printed
    assert "predictions of right: 0 added" in printed


@pytest.mark.parametrize("action", ["add", "replace", "retire"])
@pytest.mark.parametrize("place", range(4))
def test_names_may_stand_anywhere(
    old: Bank, donor: Bank, tmp_path: Path, action: str, place: int
) -> None:
    label = "leaf/window_px=64" if action == "add" else "leaf/window_px=4"
    words = [["--version", "1.1.0"], ["--out", str(tmp_path)], ["--reason", "because"]]
    words += [] if action == "retire" else [["--from", str(donor.path)]]
    words.insert(place, [str(old.path), f"{label}/seed=0"])
    words.append([f"{label}/seed=1"])
    assert main(["bank", action, *(word for group in words for word in group)]) == 0
    found = diff_banks(old, open_bank(tmp_path / "tiny-1.1.0.h5"))
    changed = {"add": found.added, "replace": tuple(found.changed), "retire": found.removed}
    assert changed[action] == (f"{label}/seed=0", f"{label}/seed=1")


def test_stimuli_and_sets_are_found_by_name(old: Bank) -> None:
    name = "leaf/window_px=8"
    assert old[name] == old.sets[name]
    assert old[f"{name}/seed=1"] is old.by_name[f"{name}/seed=1"]
    assert (
        old.frame(f"{name}/seed=1").sha256 == old.by_name[f"{name}/seed=1"].certificate.frame_sha256
    )
    assert repr(old) == f"<Bank {old.pin}: 2 reference, 16 metamer>"
    with pytest.raises(InputError, match="did you mean 'leaf/window_px=8'"):
        old["leaf/windw_px=8"]
    with pytest.raises(BankError, match="with the name 'nobody'"):
        old.pixels("nobody")
    with pytest.raises(BankError, match="with the pixel id 0000"):
        old.pixels("0" * 64)


def test_the_table_has_a_row_for_every_stimulus(old: Bank) -> None:
    pytest.importorskip("pandas")
    table = old.table().set_index("name")
    assert list(table.index) == list(old.by_name)
    row = table.loc["stone/window_px=16/seed=1"]
    assert (row["set"], row["target"], row["level"], row["unit"], row["seed"]) == (
        "stone/window_px=16",
        "stone",
        16.0,
        "window_px",
        1,
    )
    assert row["start_distance"] == 1.0
    assert (row["height"], row["width"], row["channels"]) == (32, 32, 1)
    assert np.isnan(table.loc["leaf", "distance"])
