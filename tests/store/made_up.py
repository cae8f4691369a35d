"""Sets of every kind with made-up figures and honest pixels: tests spoil them in one place."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from stimuli_store.bank.describe import describe_reference
from stimuli_store.bank.kinds import MAD_ROLES
from stimuli_store.bank.pixel_checks import pixel_range
from stimuli_store.frames import dequantize, perturb, quantize
from stimuli_store.records.canonical import as_master, pixel_id
from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
from stimuli_store.records.stimulus import Certificate, Stimulus, StimulusRecord
from tests.helpers import CODE

SIDE = 8
ONE, TWO = ModelRef(label="one", name="Gaussian"), ModelRef(label="two", name="OnOff")


def picture(seed: int) -> np.ndarray:
    """Noise on the levels of a screen, away from black and white."""
    return as_master(np.random.default_rng(seed).integers(80, 170, (SIDE, SIDE)) / 255)


def targets() -> list[Stimulus]:
    """Two references."""
    return [describe_reference(picture(n), f"target {n}", "CC0-1.0") for n in (1, 2)]


IDS = [t.record.sha256 for t in targets()]


def made_up(
    pixels: np.ndarray,
    spec: StimulusSpec,
    figures: Mapping[str, float],
    member: int,
    **certificate: Any,
) -> Stimulus:
    """A stimulus with a certificate that is true of its pixels."""
    master = as_master(pixels)
    frame = quantize(master)
    stated = {
        "bits": 8,
        "frame_sha256": frame.sha256,
        "clipped_fraction": frame.clipped_fraction,
        "status": "converged",
    }
    record = StimulusRecord(
        sha256=pixel_id(master),
        kind=spec.kind,
        set=f"a set of {spec.kind}",
        member=member,
        role=spec.role,
        name=f"{spec.kind} {member}",
        targets=spec.targets,
        shape=master.shape,
        certificate=Certificate(**{**stated, **certificate}, figures=figures),
        license="CC0-1.0",
        spec=spec,
        range=pixel_range(master),
    )
    return Stimulus(pixels=master, record=record)


def spec_of(kind: str, role: str, level: Level | None, **fields: Any) -> StimulusSpec:
    given = {"targets": (IDS[0],), "models": {"model": ONE}, "recipe": {}, "code": CODE}
    start = Start(type="noise", seed=3)
    return StimulusSpec(kind=kind, role=role, level=level, **{"start": start, **given, **fields})


def mad_quad() -> list[Stimulus]:
    """Four images, each metric held to 1e-6 or pushed."""
    level, stimuli = Level(value=0.04, unit="noise"), []
    for member, role in enumerate(MAD_ROLES):
        pushed, way = role.rsplit("_", 1)
        held = "metric_2" if pushed == "metric_1" else "metric_1"
        start = {"start_metric_1": 0.2, "start_metric_2": 0.5}
        values = {
            pushed: start[f"start_{pushed}"] * (2 if way == "max" else 0.5),
            held: start[f"start_{held}"] * (1 + 1e-4),
        }
        figures = {**start, **values, "drift": 1e-4}
        spec = spec_of("mad", role, level, models={"metric_1": ONE, "metric_2": TWO})
        stimuli.append(made_up(picture(10 + member), spec, figures, member))
    return stimuli


def eigendistortions() -> list[Stimulus]:
    """Two unit distortions, and both of them added and subtracted at two amplitudes."""
    stimuli, recipe, seed = [], {"dither": "uniform"}, 3
    shown = quantize(picture(1)).pixels
    for place, end in enumerate(("most", "least")):
        e = np.random.default_rng(place).normal(size=(SIDE, SIDE))
        e = as_master(e / np.linalg.norm(e))
        figures = {
            "eigenvalue": 2.0 - place,
            "largest_eigenvalue": 2.0,
            "residual": 1e-6,
            "error_bound": 2e-6,
            "norm": float(np.linalg.norm(e.astype(float))),
        }
        spec = spec_of("eigendistortion", end, None, recipe=recipe)
        no_frame = {"bits": 0, "frame_sha256": "", "clipped_fraction": 0.0}
        stimuli.append(made_up(e, spec, figures, len(stimuli), **no_frame))
        for sign, amplitude in (("+", 0.5), ("+", 2.0), ("-", 2.0)):
            factor = -amplitude if sign == "-" else amplitude
            frame = perturb(shown, e, factor, "uniform", seed)
            moved = dequantize(frame.pixels, np.float64) - dequantize(shown, np.float64)
            length = math.copysign(1, factor) * float(np.sum(moved * e))
            realised = {
                "amplitude": length,
                "amplitude_error": length / amplitude - 1,
                "response": 0.1 * amplitude,
            }
            level = Level(value=amplitude, unit="amplitude")
            spec = spec_of("eigendistortion", end + sign, level, recipe=recipe)
            pixels, clipped = dequantize(frame.pixels), frame.clipped_fraction
            stimuli.append(made_up(pixels, spec, realised, len(stimuli), clipped_fraction=clipped))
    return stimuli


def geodesic() -> list[Stimulus]:
    """The three frames between two targets."""
    stimuli = []
    for member in range(3):
        level = Level(value=(member + 1) / 4, unit="position")
        figures = {"step": 1.0 + member, "next_step": 2.0 + member, "bound_ratio": 1.2}
        spec = spec_of("geodesic", "frame", level, targets=tuple(IDS))
        stimuli.append(made_up(picture(20 + member), spec, figures, member))
    return stimuli


def metamers() -> list[Stimulus]:
    """Two metamers of one target and level."""
    level, stimuli = Level(value=4.0, unit="window_px"), []
    for member in range(2):
        start = Start(type="uniform_noise", seed=member)
        figures = {"distance": 0.1, "relative_distance": 0.2, "start_distance": 1.0}
        spec = spec_of("metamer", "metamer", level, start=start)
        stimuli.append(made_up(picture(30 + member), spec, figures, member))
    return stimuli


def altered(stimulus: Stimulus, *, figures: Mapping[str, float] = {}, **fields: Any) -> Stimulus:
    """A stimulus that states something else: figures, or fields of its certificate, spec or record."""
    record = stimulus.record
    certificate, spec = record.certificate, record.spec
    for name, value in fields.items():
        if hasattr(certificate, name):
            certificate = replace(certificate, **{name: value})
        elif name == "spec":
            spec = value
        elif name in ("level", "start", "models", "recipe") and spec is not None:
            spec = replace(spec, **{name: value})
        else:
            record = replace(record, **{name: value})
    certificate = replace(certificate, figures={**certificate.figures, **figures})
    return replace(stimulus, record=replace(record, certificate=certificate, spec=spec))
