"""A record that states something of pixels that is not true is refused, and `bank check` says so."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimuli_store.bank.pixel_checks import check_pixels, pixel_range
from stimuli_store.bank.publish import publish_bank
from stimuli_store.errors import BankError
from stimuli_store.frames import dequantize, perturb, quantize
from stimuli_store.records.canonical import pixel_id
from stimuli_store.records.spec import Level, Start
from stimuli_store.records.stimulus import Stimulus
from tests.store.made_up import altered, eigendistortions, mad_quad, picture, targets
from tests.store.test_kinds import HEADER

MAD, UNIT, SHOWN, TAKEN = "mad 0", "eigendistortion 0", "eigendistortion 2", "eigendistortion 3"
#: Stimulus, what it states, and the sentence.
UNTRUE: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "hash": (MAD, {"sha256": "0" * 64}, "its pixels do not match its hash"),
    "shape": (MAD, {"shape": (4, 16)}, "it states the shape (4, 16)"),
    "range": (MAD, {"range": {**pixel_range(picture(10)), "max": 2.0}}, "it states the range"),
    "half a range": (MAD, {"range": {"min": 0.0}}, "it states the range"),
    "frame": (MAD, {"frame_sha256": "0" * 64}, "the hash of its frame"),
    "no frame": (MAD, {"frame_sha256": ""}, "the hash of its frame"),
    "bits": (MAD, {"bits": 16}, "a frame of 16 bits"),
    "clipped": (MAD, {"clipped_fraction": 0.25}, "25.000% clipped"),
    "norm": (UNIT, {"figures": {"norm": 1.00005}}, "it states the norm 1.00005"),
    "frame of a distortion": (UNIT, {"bits": 8}, "is no picture to be shown"),
    "amplitude error": (SHOWN, {"figures": {"amplitude_error": 0.2}}, "and it states 0.2"),
    "amplitude": (SHOWN, {"figures": {"amplitude": 2.5}}, "and it states 2.5"),
    "clipped by a distortion": (SHOWN, {"clipped_fraction": 0.25}, "that are clipped is another"),
    "level": (SHOWN, {"level": Level(value=1.5, unit="amplitude")}, "its distortion added"),
    "sign": (SHOWN, {"role": "most-"}, "its distortion added"),
    "end": (SHOWN, {"role": "least+"}, "its distortion added"),
    "dither": (SHOWN, {"recipe": {"dither": "none"}}, "its distortion added"),
    "seed": (TAKEN, {"start": Start(type="noise", seed=5)}, "its distortion added"),
    "another target": (SHOWN, {"targets": (targets()[1].record.sha256,)}, "its distortion added"),
}


def honest() -> dict[str, Stimulus]:
    return {s.record.name: s for s in (*targets(), *mad_quad(), *eigendistortions())}


def checked(stimuli: Mapping[str, Stimulus]) -> None:
    """As when a bank is published, with the rules of kinds left out."""
    pixels = {s.record.sha256: s.pixels for s in stimuli.values()}
    check_pixels([s.record for s in stimuli.values()], pixels.__getitem__)


def test_what_is_true_passes() -> None:
    checked(honest())


@pytest.mark.parametrize("case", UNTRUE)
def test_what_is_not_true_of_the_pixels_is_refused(case: str) -> None:
    name, spoil, sentence = UNTRUE[case]
    stimuli = honest()
    stimuli[name] = altered(stimuli[name], **spoil)
    with pytest.raises(BankError) as caught:
        checked(stimuli)
    assert f"the record of {name!r} contradicts its pixels: " in str(caught.value)
    assert sentence in str(caught.value)


def other_pixels(stimulus: Stimulus, change: Callable[[np.ndarray], np.ndarray]) -> Stimulus:
    """A stimulus with other pixels, and a record that is true of them but for its amplitude."""
    pixels = change(stimulus.pixels).astype(np.float32)
    return replace(
        altered(
            stimulus,
            sha256=pixel_id(pixels),
            range=pixel_range(pixels),
            frame_sha256=quantize(pixels).sha256,
        ),
        pixels=pixels,
    )


def one_level_more(pixels: np.ndarray) -> np.ndarray:
    changed = pixels.copy()
    changed[0, 0] += 1 / 255
    return changed


def test_a_frame_that_is_not_made_by_the_function_of_the_store_is_refused() -> None:
    stimuli = honest()
    stimuli[SHOWN] = other_pixels(stimuli[SHOWN], one_level_more)
    with pytest.raises(BankError, match="its frame is not its target with its distortion added"):
        checked(stimuli)


def test_a_distortion_of_another_norm_is_refused() -> None:
    stimuli = honest()
    e = stimuli[UNIT].pixels * np.float32(1.00005)
    stimuli[UNIT] = replace(
        altered(stimuli[UNIT], sha256=pixel_id(e), range=pixel_range(e)), pixels=e
    )
    with pytest.raises(BankError, match="it states the norm"):
        checked(stimuli)


def test_clipped_pixels_are_counted_where_a_distortion_goes_past_white() -> None:
    white = np.full((8, 8), 250, np.uint8)
    frame = perturb(white, np.full((8, 8), 1 / 8), 1.0, "none", 0)
    assert frame.clipped_fraction == 1.0
    assert dequantize(frame.pixels).max() == 1.0


def test_a_bank_with_an_untrue_record_is_not_published(tmp_path: Path) -> None:
    stimuli = honest()
    stimuli[SHOWN] = altered(stimuli[SHOWN], figures={"amplitude": 2.5})
    with pytest.raises(BankError, match="and it states"):
        publish_bank(tmp_path, HEADER, list(stimuli.values()))
    assert not list(tmp_path.iterdir())
