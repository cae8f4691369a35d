"""Checks of pixels against the values stated in their records."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from stimuli_store.errors import BankError
from stimuli_store.frames import BITS, dequantize, perturb, quantize
from stimuli_store.records.canonical import pixel_id
from stimuli_store.records.stimulus import StimulusRecord

Pixels = Callable[[str], np.ndarray]
_CLOSE = 1e-5


def pixel_range(pixels: np.ndarray) -> dict[str, float]:
    """Return the smallest and largest value of an image, and the shares of values below 0 and above 1.

    Examples
    --------
    >>> pixel_range(np.array([[0.0, 0.5], [1.0, 1.5]]))["frac_above_1"]
    0.25
    """
    return {
        "min": float(pixels.min()),
        "max": float(pixels.max()),
        "frac_below_0": float(np.mean(pixels < 0)),
        "frac_above_1": float(np.mean(pixels > 1)),
    }


def check_pixels(records: Sequence[StimulusRecord], pixels: Pixels) -> None:
    """Check that the pixels agree with the records of a bank.

    Parameters
    ----------
    records
        All records of a bank.
    pixels
        Function of a pixel id to master pixels.

    Raises
    ------
    BankError
        At the first statement that is not true.
    """
    units = {(r.set, r.role): r.sha256 for r in records if _is_unit(r)}
    for record in records:
        image = pixels(record.sha256)
        for fault in _faults(record, image, units, pixels):
            raise BankError(f"the record of {record.name!r} contradicts its pixels: {fault}")


def _faults(
    record: StimulusRecord,
    image: np.ndarray,
    units: dict[tuple[str, str], str],
    pixels: Pixels,
) -> Iterator[str]:
    if pixel_id(image) != record.sha256:
        yield "its pixels do not match its hash"
    if image.shape != record.shape:
        yield f"it states the shape {record.shape}, and its pixels have {image.shape}"
    if record.range and any(
        not _near(record.range.get(name, math.nan), value)
        for name, value in pixel_range(image).items()
    ):
        yield f"it states the range {dict(record.range)}, and its pixels have {pixel_range(image)}"
    if _is_unit(record):
        yield from _unit(record, image)
    else:
        yield from _framed(record, image)
    if record.kind == "eigendistortion" and not _is_unit(record):
        yield from _perturbed(record, pixels(units[record.set, record.role.rstrip("+-")]), pixels)


def _unit(record: StimulusRecord, image: np.ndarray) -> Iterator[str]:
    """Yield the faults in the pixels of a unit distortion, as sentences."""
    stated, norm = record.certificate.figures["norm"], float(np.linalg.norm(image.astype(float)))
    if not _near(stated, norm):
        yield f"it states the norm {stated:g}, and its pixels have {norm:g}"
    if record.certificate.frame_sha256 or record.certificate.bits:
        yield "it states a frame, and a unit distortion is no picture to be shown"


def _framed(record: StimulusRecord, image: np.ndarray) -> Iterator[str]:
    """Yield the faults in the pixels and frame of a picture, as sentences."""
    frame, certificate = quantize(image), record.certificate
    if certificate.bits != BITS:
        yield f"it states a frame of {certificate.bits} bits, and frames have {BITS}"
    if frame.sha256 != certificate.frame_sha256:
        yield "the hash of its frame is not that of its pixels"
    stated, found = certificate.clipped_fraction, frame.clipped_fraction
    if record.kind != "eigendistortion" and not _near(stated, found):
        yield f"it states {stated:.3%} clipped pixels, and there are {found:.3%}"


def _perturbed(record: StimulusRecord, unit: np.ndarray, pixels: Pixels) -> Iterator[str]:
    """Yield the differences of a distorted picture from the result of `perturb` for its record."""
    assert record.spec is not None and record.level is not None
    target = quantize(pixels(record.target)).pixels
    sign = -1 if record.role.endswith("-") else 1
    made = perturb(
        target,
        unit,
        sign * float(record.level.value),
        str(record.spec.recipe.get("dither", "none")),
        record.spec.start.seed if record.spec.start else 0,
    )
    if made.sha256 != record.certificate.frame_sha256:
        yield "its frame is not its target with its distortion added"
    if not _near(made.clipped_fraction, record.certificate.clipped_fraction):
        yield "the share of pixels that are clipped is another"
    moved = dequantize(made.pixels, np.float64) - dequantize(target, np.float64)
    stated, amplitude = record.certificate.figures, float(np.sum(moved * unit)) * sign
    error = amplitude / float(record.level.value) - 1
    if not _near(stated["amplitude"], amplitude):
        yield f"its amplitude is {amplitude:g}, and it states {stated['amplitude']:g}"
    if not _near(stated["amplitude_error"], error):
        yield f"its amplitude error is {error:g}, and it states {stated['amplitude_error']:g}"


def _is_unit(record: StimulusRecord) -> bool:
    return record.kind == "eigendistortion" and record.level is None


def _near(stated: float, found: float) -> bool:
    return math.isclose(stated, found, rel_tol=_CLOSE, abs_tol=1e-7)
