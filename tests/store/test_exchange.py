"""Exports hold exactly the stimuli, and a table says what each file is."""

import csv
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimsynth.cli import main
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.pictures.contact_sheet import SIDE, contact_sheet
from stimuli_store.pictures.encoding import png_bytes, tiff_bytes
from stimuli_store.pictures.export import FORMS, export_bank
from tests.helpers import stimulus, tiny_bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"), levels=(4.0, 16.0))


def decoded_png(data: bytes) -> np.ndarray:
    """Pixels of a PNG file whose rows have no filter, by nothing but the standard."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, parts = 8, {}
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        (check,) = struct.unpack(">I", data[place + 8 + size : place + 12 + size])
        assert check == zlib.crc32(name + body)
        parts[name], place = body, place + 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    channels = {0: 1, 2: 3}[colour]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    kind = ">u2" if depth == 16 else ">u1"
    return np.ascontiguousarray(rows[:, 1:]).view(kind).reshape(height, width, channels).squeeze()


def decoded_tiff(data: bytes) -> np.ndarray:
    order, magic, place = struct.unpack("<2sHI", data[:8])
    assert (order, magic) == (b"II", 42)
    (count,) = struct.unpack("<H", data[place : place + 2])
    tags = {}
    for entry in range(count):
        start = place + 2 + 12 * entry
        tag, kind, number = struct.unpack("<HHI", data[start : start + 8])
        size = {3: 2, 4: 4}[kind] * number
        if size > 4:
            (start,) = struct.unpack("<I", data[start + 8 : start + 12])
            start -= 8
        values = data[start + 8 : start + 8 + size]
        tags[tag] = struct.unpack(f"<{number}{'H' if kind == 3 else 'I'}", values)
    assert sorted(tags) == list(tags)
    assert set(tags[339]) == {3}
    assert set(tags[258]) == {32}
    (start,), (size,) = tags[273], tags[279]
    shape = (*tags[257], *tags[256], *tags[277])
    return np.frombuffer(data[start : start + size], "<f4").reshape(shape).squeeze()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_files_hold_the_values_they_were_given(shape: tuple[int, ...], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for dtype in (np.uint8, np.uint16):
        pixels = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
        np.testing.assert_array_equal(decoded_png(png_bytes(pixels)), pixels)
        np.testing.assert_array_equal(decoded_png(png_bytes(np.asfortranarray(pixels))), pixels)
        if dtype == np.uint8 or len(shape) == 2:  # Pillow reads no other
            (tmp_path / "a.png").write_bytes(png_bytes(pixels))
            with Image.open(tmp_path / "a.png") as image:
                np.testing.assert_array_equal(np.asarray(image), pixels)
    values = rng.normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(decoded_tiff(tiff_bytes(values)), values)
    if len(shape) == 2:
        (tmp_path / "a.tif").write_bytes(tiff_bytes(values))
        with Image.open(tmp_path / "a.tif") as image:
            np.testing.assert_array_equal(np.asarray(image), values)


def test_arrays_that_a_file_cannot_hold_are_refused() -> None:
    with pytest.raises(InputError, match="uint8 or uint16; not 1 of float32"):
        png_bytes(np.zeros((2, 2), np.float32))
    with pytest.raises(InputError, match="not 5 of uint8"):
        png_bytes(np.zeros((2, 2, 5), np.uint8))
    with pytest.raises(InputError, match="must be float32; not float64"):
        tiff_bytes(np.zeros((2, 2)))


@pytest.mark.parametrize("form", FORMS)
def test_an_export_holds_every_stimulus_and_says_what_it_is(
    bank: Bank, form: str, tmp_path: Path
) -> None:
    paths = export_bank(bank, tmp_path / "out", form)
    table = list(
        csv.DictReader((tmp_path / "out" / "stimuli.tsv").read_text().splitlines(), delimiter="\t")
    )
    assert [row["name"] for row in table] == [record.name for record in bank.records]
    assert [row["file"] for row in table] == [path.name for path in paths]
    for record, row, path in zip(bank.records, table, paths, strict=True):
        assert (row["sha256"], row["set"], row["license"]) == (record.sha256, record.set, "CC0-1.0")
        data = path.read_bytes()
        master = bank.pixels(record.name)
        if form == "png8":
            np.testing.assert_array_equal(decoded_png(data), bank.frame(record.name).pixels)
        elif form == "png16":
            np.testing.assert_array_equal(decoded_png(data), np.rint(master.astype(float) * 65535))
        else:
            np.testing.assert_array_equal(decoded_tiff(data), master)
    with pytest.raises(InputError, match="holds an export already"):
        export_bank(bank, tmp_path / "out", form)


def test_names_that_a_file_system_would_confuse_become_different_files(tmp_path: Path) -> None:
    names = ["a/b", "a__b", "A/B", "ü", "ö", "..", "con:fusing?", "x" * 300, "x" * 301]
    rng = np.random.default_rng(1)
    stimuli = [stimulus(rng.random((4, 4)), name) for name in names]
    header = BankHeader(name="odd", version="1.0.0", license="CC0-1.0")
    paths = export_bank(publish_bank(tmp_path, header, stimuli), tmp_path / "out", "png8")
    assert len({path.name.lower() for path in paths}) == len(names)
    assert {path.parent for path in paths} == {tmp_path / "out"}
    assert all(len(path.name) < 200 and path.exists() for path in paths)


def test_a_contact_sheet_shows_the_frames_targets_first(bank: Bank) -> None:
    sheet = contact_sheet(bank, ["stone/window_px=16"], columns=4)
    scale, gap, text = SIDE // 32, 8, 14
    top = gap + text
    for column, name in enumerate(["stone", *(r.name for r in bank.sets["stone/window_px=16"])]):
        left = gap + column * (SIDE + gap)
        shown = sheet[top : top + SIDE : scale, left : left + SIDE : scale]
        np.testing.assert_array_equal(shown, np.repeat(bank.frame(name).pixels[..., None], 3, 2))
    assert sheet.shape[1] == gap + 3 * (SIDE + gap)  # a row of three, not of four
    assert len(contact_sheet(bank)) > 3 * len(sheet)
    with pytest.raises(InputError, match="did you mean"):
        contact_sheet(bank, ["stone/windw_px=16"])
    with pytest.raises(InputError, match="columns must be a whole number of 1 or more; not 0"):
        contact_sheet(bank, columns=0)


def test_the_commands(bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bank", "export", str(bank.path), str(tmp_path / "out"), "--png16"]) == 0
    assert "10 files and stimuli.tsv" in capsys.readouterr().out
    assert main(["bank", "contact-sheet", str(bank.path), str(tmp_path / "sheet.png")]) == 0
    assert decoded_png((tmp_path / "sheet.png").read_bytes()).ndim == 3
