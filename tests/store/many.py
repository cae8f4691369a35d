"""Thousands of small stimuli with records of the usual length, as a manifest."""

from dataclasses import replace

import numpy as np

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.manifest import write_manifest
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import Level, ModelRef
from stimuli_store.records.stimulus import Batch, StimulusRecord
from tests.helpers import metamer_spec, stimulus

MODEL = ModelRef(label="pool", name="UniformPooling", params={"window_px": 8})
N_TARGETS = 50


def records(count: int) -> list[StimulusRecord]:
    """Metamers of fifty targets, two in a set and batch, with hashes and figures of full length."""
    rng = np.random.default_rng(0)
    image = np.zeros((2, 2), np.float32)

    def drawn(number: int, name: str, **fields: object) -> StimulusRecord:
        record = stimulus(image, name, **fields).record  # type: ignore[arg-type]
        shown = replace(
            record.certificate,
            frame_sha256=rng.bytes(32).hex(),
            figures={key: float(rng.random()) for key in record.certificate.figures},
        )
        spread = {"min": float(rng.random()), "max": float(rng.random())}
        return replace(
            record,
            certificate=shown,
            page="f4_2x2",
            row=number,
            range={**spread, "frac_below_0": 0.0, "frac_above_1": 0.0},
        )

    made = []
    for number in range(N_TARGETS):
        sha = rng.bytes(32).hex()
        made.append(drawn(number, f"target {number}", sha256=sha, targets=(sha,)))
    environment = {"python": "3.12", "torch": "2.5"}
    for number in range(N_TARGETS, count):
        group, member = divmod(number - N_TARGETS, 2)
        if not member:
            keys = (rng.bytes(32).hex(), rng.bytes(32).hex())
            batch = Batch(members=keys, threads=1, device="cpu", environment=environment)
        target = made[group % N_TARGETS]
        level = Level(value=float(4 + group), unit="window_px")
        label = f"{target.name}/{level}"
        made.append(
            drawn(
                number,
                f"{label}/seed={member}",
                sha256=rng.bytes(32).hex(),
                kind="metamer",
                set=label,
                member=member,
                targets=target.targets,
                spec=metamer_spec(target.sha256, MODEL, level, member),
                batch=batch,
            )
        )
    return made


def predictions(made: list[StimulusRecord]) -> Predictions:
    """The distance of every stimulus from its target by two models."""
    rng = np.random.default_rng(1)
    pairs = tuple((r.target, r.sha256) for r in made[N_TARGETS:])
    columns = {label: tuple(map(float, rng.random(len(pairs)))) for label in ("pool", "mse")}
    return Predictions(pairs=pairs, distances=columns)


def manifest(made: list[StimulusRecord], said: Predictions) -> bytes:
    """The bytes of the manifest of a bank of these."""
    models = (MODEL, ModelRef(label="mse", name="mse"))
    header = BankHeader(name="many", version="1.0.0", license="CC0-1.0", models=models)
    return write_manifest(header, made, said)
