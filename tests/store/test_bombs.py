"""Manifests made to harm: each is refused with a sentence, within 200 MB of memory and a few seconds."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from stimuli_store.bank.hdf5 import Contents, bank_bytes
from stimuli_store.records.canonical import pixel_id, sha256
from tests.store.flips import bank_file

ROOT = Path(__file__).parents[2]
OPENER = """
import json, os, resource, sys, time
from pathlib import Path
import stimuli_store.bank.kinds
from stimuli_store.bank.publish import read_job
from stimuli_store.bank.reading import open_bank
from stimuli_store.errors import BankError
for path in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    began = time.process_time()
    try:
        bank = open_bank(path) if "job" not in path else read_job(Path(path))
        said = "opened"
    except BankError as error:
        said = str(error)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([path, said, used, time.process_time() - began]), flush=True)
    os._exit(0)
"""
MB = 10**6
BIG = 60 * MB
SPEC = {"models": {}, "recipe": 0, "code": 0}
A, B = "a" * 64, "b" * 64
Line = dict[str, Any]
IMAGE = np.zeros((8, 8), np.float32)


def encoded(*lines: Line) -> bytes:
    return b"".join(msgspec.json.encode(line, order="sorted") + b"\n" for line in lines)


def header(**fields: Any) -> Line:
    return {
        "type": "header",
        "format": "stimbank/1",
        "name": "bomb",
        "version": "1.0.0",
        "license": "CC0-1.0",
        "colour": {"space": "gray", "transfer": "srgb"},
        "licenses": ["CC0-1.0"],
        "sets": [{"label": "one", "kind": "reference"}],
        **fields,
    }


def stimulus(**fields: Any) -> Line:
    return {
        "type": "stimulus",
        "sha256": pixel_id(IMAGE),
        "frame_sha256": B,
        "page": "f4_8x8",
        "row": 0,
        "set": 0,
        "member": 0,
        "role": "reference",
        "name": "one",
        "targets": [0],
        "license": 0,
        "bits": 8,
        "status": "reference",
        **fields,
    }


def raw(line: Line, key: str, text: str) -> bytes:
    """A line in which the value of a key is spelled by hand."""
    return encoded({**line, key: "MARK"}).replace(b'"MARK"', text.encode())


def many(count: int, **fields: Any) -> bytes:
    return encoded(*(stimulus(name=f"n{n}", member=n, **fields) for n in range(count)))


ONE = encoded(header(), stimulus())
MODEL = {"label": "m", "name": "mse"}
PREDICTING = encoded(header(models=[MODEL], predicting=[0]), stimulus())
NULLS = encoded({"type": "distances", "model": 0, "values": [None] * 100_000})
ZEROS = encoded({"type": "pairs", "a": [0] * 100_000, "b": [0] * 100_000})
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros": (lambda: bytes(BIG), "cut short"),
    "newlines": (lambda: b"\n" * BIG, "line 1 "),
    "newlines after a header": (lambda: ONE + b"\n" * BIG, "line 3 "),
    "one line": (lambda: b" " * BIG + b"\n", "it is longer than"),
    "one line after a header": (lambda: ONE + b" " * BIG + b"\n", "it is longer than"),
    "many values": (lambda: PREDICTING + NULLS * 100, "over 2000000 values"),
    "many pairs": (lambda: PREDICTING + ZEROS * 100, "over 2000000 values"),
    "one big image named by thousands": (
        lambda: encoded(header()) + many(3000, page="f4_4096x4096"),
        "over 1500000000 bytes of pixels",
    ),
    "an image of a row that is not there": (
        lambda: encoded(header(), stimulus(row=1)),
        "holds no image at",
    ),
    "one image under two hashes": (
        lambda: encoded(
            header(sets=[{"label": s, "kind": "reference"} for s in "ab"]),
            stimulus(),
            stimulus(name="two", sha256=A, targets=[1], set=1),
        ),
        "shares its pixels with another image",
    ),
    "one big recipe named by thousands": (
        lambda: encoded(header(recipes=[{"a": "x" * 3 * MB}], codes=[{}])) + many(3000, spec=SPEC),
        "a row of its tables takes",
    ),
    "a header of lists": (
        lambda: raw(header(), "recipes", '[{"a":[' + "[]," * 4 * MB + "[]]}]"),
        "it has more than",
    ),
    "deep": (
        lambda: raw(header(), "recipes", '[{"a":' + "[" * 100_000 + "]" * 100_000 + "}]"),
        "line 1 ",
    ),
    "rather deep": (
        lambda: raw(header(), "recipes", '[{"a":' + "[" * 20 + "]" * 20 + "}]"),
        "levels deep",
    ),
    "a key twice": (
        lambda: encoded(header(), stimulus()).replace(b'"row":0', b'"row":5,"row":0'),
        "a key twice",
    ),
    "a key twice in a recipe": (
        lambda: raw(header(), "recipes", '[{"a":1,"a":2}]'),
        "a key twice",
    ),
    "not a number": (lambda: raw(header(), "recipes", '[{"a":NaN}]'), "line 1 "),
    "too large a number": (
        lambda: encoded(header()) + raw(stimulus(), "figures", '{"a":1e999}'),
        "line 2 ",
    ),
    "unknown key": (lambda: encoded(header(), stimulus(x_mine=1)), "unknown field `x_mine`"),
    "unknown type": (lambda: ONE + encoded({"type": "note"}), "line 3 "),
    "out of order": (lambda: ONE + encoded(header()), "out of order"),
    "a line break in a name": (lambda: encoded(header(), stimulus(name="a\nb")), "line 2 "),
    "a line break after a name": (lambda: encoded(header(), stimulus(name="a\n")), "line 2 "),
    "an escape in a name": (lambda: encoded(header(), stimulus(name="\x1b[2J")), "line 2 "),
    "a turned name": (lambda: encoded(header(), stimulus(name="a\u202eb")), "line 2 "),
    "a line break after a hash": (lambda: encoded(header(), stimulus(sha256=A + "\n")), "line 2 "),
    "a control in the name of a figure": (
        lambda: encoded(header(), stimulus(figures={"a\x07": 1.0})),
        "line 2 ",
    ),
    "half a character": (
        lambda: encoded(header()) + raw(stimulus(), "name", '"\\ud800"'),
        "line 2 ",
    ),
    "no text": (lambda: ONE + b"\xff\xfe\n", "line 3 "),
    "a place beyond its table": (lambda: encoded(header(), stimulus(license=7)), "not there"),
    "a negative place": (lambda: encoded(header(), stimulus(set=-1)), "line 2 "),
    "a negative row": (lambda: encoded(header(), stimulus(row=-1)), "line 2 "),
    "a target beyond the stimuli": (lambda: encoded(header(), stimulus(targets=[9])), "not there"),
    "a huge place": (lambda: encoded(header(), stimulus(targets=[10**30])), "line 2 "),
    "columns of two lengths": (
        lambda: PREDICTING + encoded({"type": "pairs", "a": [0, 0], "b": [0]}),
        "differ in length",
    ),
    "values without pairs": (
        lambda: PREDICTING + encoded({"type": "distances", "model": 0, "values": [1.0]}),
        "has 1 predictions for 0 rows",
    ),
    "a model beyond its table": (
        lambda: PREDICTING + encoded({"type": "distances", "model": 4, "values": []}),
        "not there",
    ),
    "a curve that is not there": (
        lambda: encoded(header(), stimulus(curve=[5, 10])),
        "holds no loss curve",
    ),
    "a name of a bank with a path": (lambda: encoded(header(name="../up"), stimulus()), "name"),
    "another format": (
        lambda: encoded(header(format="stimbank/2"), stimulus()),
        "in format stimbank/2",
    ),
}


def write(path: Path, manifest: bytes) -> Path:
    """A sound file with one image and this manifest, whose hash it states."""
    contents = Contents(
        manifest=manifest,
        pages={"f4_8x8": [IMAGE]},
        curves=np.empty(0, np.float32),
        log=b"",
        attributes={"content_sha256": sha256(manifest)},
    )
    path.write_bytes(bank_bytes(contents))
    return path


def inflating(path: Path) -> Path:
    """A manifest of one chunk that inflates to a hundred times what it declares."""
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["content_sha256"] = np.bytes_(A)
        file.create_group("pixels")
        page = file.create_dataset(
            "manifest", (4 * MB,), "u1", chunks=(4 * MB,), compression="gzip", fletcher32=True
        )

        deflater = zlib.compressobj()
        parts = [deflater.compress(bytes(4 * MB)) for _ in range(100)]
        page.id.write_direct_chunk((0,), b"".join(parts) + deflater.flush() + bytes(4))
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float, float]]:
    """The sentence, peak memory (MB) and processor time (s) of opening each bomb."""
    folder = tmp_path_factory.mktemp("bombs")
    paths = {
        name: write(folder / f"{n}.h5", make()) for n, (name, (make, _)) in enumerate(BOMBS.items())
    }
    paths["inflating chunk"] = inflating(folder / "inflating.h5")
    paths["good"] = bank_file(folder)
    done = subprocess.run(
        [sys.executable, "-c", OPENER, *map(str, paths.values())],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = {path: tuple(rest) for path, *rest in map(json.loads, done.stdout.splitlines())}
    return {name: said[str(path)] for name, path in paths.items()}  # type: ignore[misc]


@pytest.mark.parametrize("bomb", [*BOMBS, "inflating chunk"])
def test_a_bomb_is_refused_in_little_memory(
    bomb: str, found: dict[str, tuple[str, float, float]]
) -> None:
    said, megabytes, seconds = found[bomb]
    sentence = BOMBS[bomb][1] if bomb in BOMBS else "of another size than declared"
    assert sentence in said
    assert megabytes < 200
    assert seconds < 5


def test_the_bank_beside_them_is_opened(found: dict[str, tuple[str, float, float]]) -> None:
    assert found["good"][0] == "opened"
