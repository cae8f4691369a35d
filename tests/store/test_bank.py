"""Banks: what was published comes back, and nothing else is accepted."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import open_bank
from stimuli_store.disk.atomic import temporary_beside
from stimuli_store.errors import BankError, BankExists, PinMismatch
from stimuli_store.frames import quantize
from stimuli_store.records.canonical import pixel_id, sha256
from stimuli_store.records.predictions import predictions_from
from stimuli_store.records.spec import Level, ModelRef
from stimuli_store.records.stimulus import Stimulus
from tests.helpers import left_by_a_killed_writer, metamer_spec, stimulus, tiny_bank


@pytest.fixture
def bank_file(tmp_path: Path) -> Path:
    return tiny_bank(tmp_path).path


def writable(path: Path) -> Path:
    path.chmod(0o644)
    return path


def test_pixels_records_and_predictions_come_back(tmp_path: Path) -> None:
    written = tiny_bank(tmp_path)
    bank = open_bank(written.path, written.pin)
    assert bank.records == written.records
    assert bank.predictions == written.predictions
    assert len(bank.references) == 2
    assert len(bank.sets) == 8
    for record in bank.records:
        assert pixel_id(bank.pixels(record.sha256)) == record.sha256
        assert bank.frame(record.sha256).sha256 == record.certificate.frame_sha256
    assert not list(tmp_path.glob("*.tmp"))


def test_the_version_id_is_the_hash_of_the_manifest_in_the_file(bank_file: Path) -> None:
    with h5py.File(bank_file) as file:
        manifest = file["manifest"][:].tobytes()
        assert file.attrs["content_sha256"] == sha256(manifest).encode()
    assert open_bank(bank_file).version_id == sha256(manifest)


def test_the_same_contents_have_the_same_version_id_wherever_they_are_written(
    tmp_path: Path,
) -> None:
    assert tiny_bank(tmp_path / "a").version_id == tiny_bank(tmp_path / "b").version_id
    assert (
        tiny_bank(tmp_path / "c", levels=(4.0,)).version_id != tiny_bank(tmp_path / "a2").version_id
    )


def test_a_published_version_is_read_only_and_never_overwritten(tmp_path: Path) -> None:
    bank = tiny_bank(tmp_path)
    before = bank.path.read_bytes()
    assert stat.S_IMODE(bank.path.stat().st_mode) == 0o444
    with pytest.raises(BankExists, match="raise the version"):
        tiny_bank(tmp_path, levels=(4.0,))
    assert bank.path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny-1.0.0.h5"]


def test_publishing_works_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    bank = tiny_bank(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["tiny-1.0.0.h5"]
    with pytest.raises(BankExists):
        tiny_bank(tmp_path)
    assert open_bank(bank.path).pin == bank.pin


def test_a_race_for_one_name_has_one_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def somebody_was_faster(source: str, target: str) -> None:
        Path(target).write_bytes(b"theirs")
        real(source, target)

    monkeypatch.setattr(os, "link", somebody_was_faster)
    with pytest.raises(BankExists):
        tiny_bank(tmp_path)
    assert (tmp_path / "tiny-1.0.0.h5").read_bytes() == b"theirs"


def test_pixels_that_differ_from_their_record_are_not_published(tmp_path: Path) -> None:
    good = stimulus(np.zeros((8, 8)), "zero")
    bad = type(good)(pixels=good.pixels + 1, record=good.record)
    with pytest.raises(BankError, match="do not match"):
        publish_bank(tmp_path, BankHeader(name="x", version="1.0.0", license="CC0-1.0"), [bad])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_bank_is_refused_with_a_sentence(bank_file: Path, keep: float) -> None:
    size = bank_file.stat().st_size
    os.truncate(writable(bank_file), int(size * keep))
    with pytest.raises(
        BankError, match="is damaged or cut short" if int(size * keep) else "is no HDF5 file"
    ):
        open_bank(bank_file)


def test_a_missing_bank_and_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BankError, match="there is no bank"):
        open_bank(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("not a bank")
    with pytest.raises(BankError, match="is no HDF5 file"):
        open_bank(text)


@pytest.mark.parametrize("seed", range(12))
def test_any_flipped_bit_that_matters_is_found(bank_file: Path, seed: int) -> None:
    """A flip may hit bytes that mean nothing; then everything must still read as it was written."""
    rng = np.random.default_rng(seed)
    before = open_bank(bank_file)
    wanted = {r.sha256: before.pixels(r.sha256) for r in before.records}
    data = bytearray(bank_file.read_bytes())
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    writable(bank_file).write_bytes(data)
    try:
        bank = open_bank(bank_file)
    except BankError:
        return
    assert bank.version_id == before.version_id
    assert all((bank.pixels(key) == pixels).all() for key, pixels in wanted.items())


def test_swapped_pixels_are_found_though_their_checksums_are_right(bank_file: Path) -> None:
    with h5py.File(writable(bank_file), "r+") as file:
        page = file["pixels/f4_32x32"]
        page[0], page[1] = page[1], page[0]
    with pytest.raises(BankError, match="do not match their hash"):
        open_bank(bank_file)


def test_an_edited_manifest_is_found(bank_file: Path) -> None:
    with h5py.File(writable(bank_file), "r+") as file:
        manifest = file["manifest"][:].tobytes().replace(b"CC0-1.0", b"CC0-9.9")
        file["manifest"][:] = np.frombuffer(manifest, np.uint8)
    with pytest.raises(BankError, match="altered"):
        open_bank(bank_file)


def test_another_bank_under_the_right_name_is_refused(tmp_path: Path) -> None:
    one, other = tiny_bank(tmp_path / "a"), tiny_bank(tmp_path / "b", levels=(4.0,))
    assert open_bank(one.path, one.pin).pin == one.pin
    with pytest.raises(PinMismatch, match="the pin asks for"):
        open_bank(other.path, one.pin)


def test_a_bank_is_read_while_a_viewer_has_it_open_and_under_any_name(bank_file: Path) -> None:
    pin = open_bank(bank_file).pin
    with h5py.File(bank_file, "r"):
        assert open_bank(bank_file, pin).pin == pin
    assert open_bank(bank_file.rename(bank_file.with_name("my bank (copy).h5")), pin).pin == pin


def altered(good: Stimulus, **fields: object) -> Stimulus:
    """The same pixels with another certificate."""
    certificate = replace(good.record.certificate, **fields)  # type: ignore[arg-type]
    return Stimulus(pixels=good.pixels, record=replace(good.record, certificate=certificate))


def test_a_frame_that_is_not_the_certified_one_is_not_published(tmp_path: Path) -> None:
    good = stimulus(np.full((8, 8), 0.5), "grey")
    wrong = quantize(np.zeros((8, 8), np.float32)).sha256
    header = BankHeader(name="x", version="1.0.0", license="CC0-1.0")
    with pytest.raises(BankError, match="hash of its frame"):
        publish_bank(tmp_path, header, [altered(good, frame_sha256=wrong)])
    with pytest.raises(BankError, match="clipped"):
        publish_bank(tmp_path, header, [altered(good, clipped_fraction=0.5)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("orphan", "its target is not in the bank"),
        ("mixed levels", "has another level"),
        ("member twice", "it is member 0 of its set, after 1"),
        ("name twice", "another stimulus has this name"),
        ("kinds mixed", "is of kind 'metamer'"),
        ("no figures", "lacks distance"),
        ("negative figure", "distance of 'm0.1' is -1"),
        ("no spec", "has no spec"),
        ("unknown model", "which is not in the header"),
        ("unknown pair", "for a stimulus that is not in the bank"),
        ("negative", "must be 0 or more; not"),
        ("twice", "two predictions"),
    ],
)
def test_contents_that_do_not_fit_together_are_not_published(
    tmp_path: Path, case: str, sentence: str
) -> None:
    target = stimulus(np.zeros((8, 8)), "target")
    ids = target.record.sha256

    def metamer(value: float, level: Level = LEVEL, **fields: object) -> Stimulus:
        given: dict[str, object] = {
            "kind": "metamer",
            "set": "s",
            "targets": (ids,),
            "spec": metamer_spec(ids, MODEL, level),
        }
        pixels = np.full((8, 8), value)
        return stimulus(pixels, str(fields.pop("name", f"m{value}")), **{**given, **fields})  # type: ignore[arg-type]

    a, b = metamer(0.1), metamer(0.2, member=1)
    one, two = a.record.sha256, b.record.sha256
    stimuli = {
        "orphan": [target, metamer(0.1, targets=("0" * 64,))],
        "mixed levels": [target, a, metamer(0.2, Level(value=2.0, unit="px"), member=1)],
        "member twice": [target, a, metamer(0.2)],
        "name twice": [target, a, metamer(0.2, member=1, name="m0.1")],
        "kinds mixed": [target, a, metamer(0.2, member=1, kind="noise")],
        "no figures": [target, altered(a, figures={})],
        "negative figure": [
            target,
            altered(a, figures={**a.record.certificate.figures, "distance": -1.0}),
        ],
        "no spec": [target, metamer(0.1, spec=None)],
    }.get(case, [target, a, b])
    predictions = {
        "unknown model": [("n", one, two, 1.0)],
        "unknown pair": [("m", one, "0" * 64, 1.0)],
        "negative": [("m", one, two, -1.0)],
        "twice": [("m", one, two, 1.0), ("m", two, one, 1.0)],
    }.get(case, [])
    header = BankHeader(name="x", version="1.0.0", license="CC0-1.0", models=(MODEL,))
    with pytest.raises(BankError, match=sentence):
        publish_bank(tmp_path, header, stimuli, predictions_from(predictions))
    assert not list(tmp_path.iterdir())


LEVEL, MODEL = Level(value=1.0, unit="px"), ModelRef(label="m", name="Gaussian")


def test_temporaries_of_dead_writers_are_swept_and_those_of_the_living_left(tmp_path: Path) -> None:
    dead = [left_by_a_killed_writer(tmp_path / name) for name in ("tiny-1.0.0.h5", "other.h5")]
    with temporary_beside(tmp_path / "tiny-1.0.0.h5") as alive:
        alive.touch()
        made = tiny_bank(tmp_path)
        assert set(tmp_path.iterdir()) == {made.path, dead[1], alive}


def test_the_time_of_writing_is_no_part_of_the_identity(bank_file: Path) -> None:
    with h5py.File(bank_file) as file:
        assert file.attrs["created"].decode().endswith("+00:00")
        assert b"created" not in file["manifest"][:].tobytes()
