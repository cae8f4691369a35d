"""Small banks for tests: real files, made in milliseconds, without synthesis."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank
from stimuli_store.frames import quantize
from stimuli_store.records.canonical import as_master, pixel_id
from stimuli_store.records.predictions import predictions_from
from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
from stimuli_store.records.stimulus import Batch, Certificate, Stimulus, StimulusRecord

LEVELS = (4.0, 8.0, 16.0, 32.0)
FIGURES = {"metamer": {"distance": 0.1, "relative_distance": 0.2, "start_distance": 1.0}}
CODE = {"package": "stimsynth", "version": "0", "source_sha256": "0" * 64}


def whole(*values: object) -> object:
    """Parameters of the whole of a long check, of which the unit suite runs a slice: ``pytest -m slow``."""
    return pytest.param(*values, marks=pytest.mark.slow, id="whole")


def metamer_spec(target: str, model: ModelRef, level: Level | None, seed: int = 0) -> StimulusSpec:
    """The spec of a metamer of one target."""
    return StimulusSpec(
        kind="metamer",
        role="metamer",
        targets=(target,),
        models={"model": model},
        level=level,
        start=Start(type="uniform_noise", seed=seed),
        recipe={"max_iter": 10},
        code=CODE,
    )


def stimulus(
    pixels: np.ndarray, name: str, *, kind: str = "reference", **fields: object
) -> Stimulus:
    """A stimulus with an honest certificate for its frame and made-up distances."""
    master = as_master(pixels)
    frame = quantize(master)
    sha = pixel_id(master)
    certificate = Certificate(
        bits=8,
        frame_sha256=frame.sha256,
        clipped_fraction=frame.clipped_fraction,
        status="converged",
        figures=FIGURES.get(kind, {}),
    )
    values: dict[str, object] = {
        "sha256": sha,
        "kind": kind,
        "set": name,
        "member": 0,
        "role": kind,
        "name": name,
        "targets": (sha,),
        "shape": master.shape,
        "certificate": certificate,
        "license": "CC0-1.0",
    }
    return Stimulus(pixels=master, record=StimulusRecord(**{**values, **fields}))  # type: ignore[arg-type]


def tiny_bank(
    directory: Path,
    *,
    size: tuple[int, int] = (32, 32),
    targets: tuple[str, ...] = ("leaf", "stone"),
    levels: tuple[float, ...] = LEVELS,
    seeds: tuple[int, ...] = (0, 1),
    version: str = "1.0.0",
    name: str = "tiny",
) -> Bank:
    """A bank of noise: `len(targets)` references, a set per target and level, a member per seed.

    Two models are stored, "right" and "wrong", whose distances for the same pair are unrelated.
    """
    rng = np.random.default_rng(7)
    model = ModelRef(label="maker", name="UniformPooling", params={"window_px": 8})
    stimuli, predictions = [], []
    batch = Batch(members=("a" * 64,), threads=1, device="cpu", environment={"python": "3"})
    for target in targets:
        reference = stimulus(rng.random(size), target)
        stimuli.append(reference)
        for level in levels:
            members = [
                stimulus(
                    rng.random(size),
                    f"{target}/window_px={level:g}/seed={seed}",
                    kind="metamer",
                    set=f"{target}/window_px={level:g}",
                    member=number,
                    targets=(reference.record.sha256,),
                    spec=metamer_spec(
                        reference.record.sha256,
                        model,
                        Level(value=level, unit="window_px"),
                        seed,
                    ),
                    batch=batch,
                )
                for number, seed in enumerate(seeds)
            ]
            stimuli += members
            ids = [reference.record.sha256, *(m.record.sha256 for m in members)]
            for i, a in enumerate(ids):
                for b in ids[i + 1 :]:
                    right = 0.1 * level * rng.uniform(0.7, 1.4)
                    predictions.append(("right", a, b, right))
                    wrong = float(rng.uniform(0.1, 3.0))
                    predictions.append(("wrong", a, b, wrong))
    header = BankHeader(
        name=name,
        version=version,
        license="CC0-1.0",
        models=(ModelRef(label="right", name="Gaussian"), ModelRef(label="wrong", name="Gaussian")),
    )
    return publish_bank(directory, header, stimuli, predictions_from(predictions))


def left_by_a_killed_writer(path: Path) -> Path:
    """Leave half a file beside `path`, as a process does that is killed while it writes; return its name."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from stimuli_store.disk.atomic import temporary_beside\n"
        "with temporary_beside(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half'); print(temporary, flush=True)\n"
        "    os._exit(9)"
    )
    words = [sys.executable, "-c", script, str(path)]
    return Path(subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip())


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse to look at what lies in a folder; whoever runs the tests may be allowed to."""

    def unless_inside(work: Callable[..., Any]) -> Callable[..., Any]:
        def asked(path: Any, *args: Any, **kwargs: Any) -> Any:
            if folder in Path(path).parents:
                raise PermissionError(13, "Permission denied", str(path))
            return work(path, *args, **kwargs)

        return asked

    for owner, name in ((Path, "stat"), (Path, "open"), (h5py, "File")):
        monkeypatch.setattr(owner, name, unless_inside(getattr(owner, name)))
