"""Pictures of a folder become a bank that names their files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimsynth.banks.remake import remake
from stimsynth.cli import main
from stimuli_store.bank.reading import open_bank
from stimuli_store.records.canonical import sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for name, shape in (("a", (20, 30)), ("b", (16, 16, 3))):
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def test_a_folder_becomes_a_bank_and_is_remade_from_its_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--name", "photos", "--license", "CC-BY-4.0", "--out", str(tmp_path)]
    assert main(["bank", "import", str(folder), *words]) == 0
    assert "2 pictures" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "photos-1.0.0.h5"}
    bank = open_bank(tmp_path / "photos-1.0.0.h5")
    for record, file in zip(bank.sets["external"], sorted(folder.iterdir()), strict=True):
        pixels = np.asarray(Image.open(file))
        np.testing.assert_array_equal(bank.frame(record.name).pixels, pixels)
        assert record.spec is not None
        assert record.spec.recipe["sha256"] == sha256(file.read_bytes())
        assert (record.license, record.targets) == ("CC-BY-4.0", (record.sha256,))
    assert [one.same_pixels for one in remake(bank, files=folder)] == [True, True]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "--name", "x", "--license", "CC0-1.0"], "there is no folder nowhere"),
        (["photos", "--name", "X!", "--license", "CC0-1.0"], "a bank's name"),
        (["photos", "--name", "x", "--license", " "], "licen"),
        (["photos", "--name", "x", "--license", "CC0-1.0", "--size", "64"], "too small"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    assert main(["bank", "import", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert [path.name for path in folder.parent.iterdir()] == ["photos"]
