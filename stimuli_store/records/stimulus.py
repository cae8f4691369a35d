"""Stimuli: master pixels with their provenance and the measurements on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stimuli_store.records.spec import Level, ModelRef, Start

KINDS = ("reference", "metamer", "mad", "eigendistortion", "geodesic", "noise", "external")


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Measurements on exactly the pixels a screen will show, after clipping and quantization.

    Attributes
    ----------
    bits
        Depth of the frame (8).
    frame_sha256
        Identity of that frame; the booth compares it with the frame it showed.
    distance
        Root-mean-square difference of the model's outputs, frame against the target's frame.
    relative_distance
        `distance` over the root mean square of the target's own output.
    start_distance
        `distance` of the start image, for comparison.
    clipped_fraction
        Fraction of pixels that quantization clipped.
    status
        How the synthesis ended, as a sentence.
    """

    bits: int
    frame_sha256: str
    distance: float
    relative_distance: float
    start_distance: float
    clipped_fraction: float
    status: str


@dataclass(frozen=True, kw_only=True)
class StimulusRecord:
    """Metadata of one stimulus of a bank, without its pixels. References have no spec, start or level."""

    sha256: str
    kind: str
    set: str
    member: int
    role: str
    name: str
    target_sha256: str
    shape: tuple[int, ...]
    certificate: Certificate
    license: str
    model: ModelRef | None = None
    level: Level | None = None
    start: Start | None = None
    seed: int | None = None
    spec_key: str | None = None
    recipe: Mapping[str, Any] | None = None
    code: Mapping[str, str] | None = None
    metrics: tuple[Mapping[str, Any], ...] = ()
    losses: Mapping[str, Any] | None = None
    range: Mapping[str, float] | None = None
    env: int | None = None
    wall_s: float | None = None
    ppd: float | None = None
    page: str = ""
    row: int = 0


@dataclass(frozen=True, kw_only=True)
class Stimulus:
    """Master pixels (float32, (H, W) or (H, W, C)) with their record."""

    pixels: np.ndarray = field(repr=False)
    record: StimulusRecord
