"""Identities: equal things get equal ids, different things different ones."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stimuli_store.errors import InputError
from stimuli_store.frames import dequantize, quantize
from stimuli_store.records.canonical import as_master, canonical_json, frame_id, pixel_id

images = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=3, max_side=6),
    elements=st.floats(-2, 2, width=32),
)


def test_pixel_id_is_the_documented_hash() -> None:
    pixels = np.array([[0.0, 0.5], [1.0, 0.25]], dtype="<f4")
    by_hand = hashlib.sha256(b'{"dtype":"<f4","shape":[2,2]}\n' + pixels.tobytes()).hexdigest()
    assert pixel_id(pixels) == by_hand


@given(images)
def test_pixel_id_ignores_byte_and_memory_order(image: np.ndarray) -> None:
    assert pixel_id(image) == pixel_id(np.asfortranarray(image.astype(">f4")))


@given(images)
def test_negative_zero_is_zero(image: np.ndarray) -> None:
    assert pixel_id(np.where(image == 0, np.float32(-0.0), image)) == pixel_id(image)
    assert not np.signbit(as_master(np.full((2, 2), -0.0))).any()


def test_shape_is_part_of_the_identity() -> None:
    assert pixel_id(np.zeros((2, 3))) != pixel_id(np.zeros((3, 2)))
    assert frame_id(np.zeros((2, 3), np.uint8)) != frame_id(np.zeros((3, 2), np.uint8))


@pytest.mark.parametrize("bad", [np.full((2, 2), np.nan), np.full((2, 2), np.inf), np.zeros(3)])
def test_what_no_bank_can_hold_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InputError):
        pixel_id(bad)


def test_canonical_json_sorts_and_refuses_nan() -> None:
    assert (
        canonical_json({"é": 1, "a": {"z": [], "b": None}})
        == '{"a":{"b":null,"z":[]},"é":1}'.encode()
    )
    with pytest.raises(InputError, match="canonical JSON"):
        canonical_json({"x": float("nan")})


def test_every_8_bit_value_survives_the_way_there_and_back() -> None:
    grid = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (quantize(dequantize(grid)).pixels == grid).all()


@given(images)
def test_quantization_is_the_nearest_level_after_clipping(image: np.ndarray) -> None:
    frame = quantize(image)
    exact = np.clip(image.astype(np.float64), 0, 1) * 255
    assert np.abs(frame.pixels - exact).max() <= 0.5
    assert frame.clipped_fraction == pytest.approx(np.mean((image < 0) | (image > 1)))
