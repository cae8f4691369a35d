"""Polar coordinates, synthetic stimuli and image files against plenoptic, pyrtools and scikit-image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stimsynth.images import (
    STIMULI,
    bundled,
    get_path,
    load_images,
    make_synthetic_stimuli,
    polar_angle,
    polar_radius,
    save_images,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # what the peers warn of is their own


def plenoptic() -> Any:
    return pytest.importorskip("plenoptic").data


@pytest.mark.parametrize("size", [4, 7, (5, 8)])
@pytest.mark.parametrize("phase", [0.0, 0.7, -2.5])
@pytest.mark.parametrize(
    ("origin", "direction"),
    [  # counter-clockwise the peer mirrors the image and not the axis, which moves any other origin
        (None, "counter-clockwise"),
        (None, "clockwise"),
        (2, "clockwise"),
        ((1.5, 3.25), "clockwise"),
    ],
)
def test_polar_angle_is_plenoptics(size: Any, phase: float, origin: Any, direction: str) -> None:
    """Up to a whole turn: the peer gives -π where its text, and ours, say π."""
    theirs = plenoptic().polar_angle(size, phase, origin, direction=direction)
    ours = polar_angle(size, phase, origin, direction=direction)  # type: ignore[arg-type]
    turn = torch.remainder(ours - theirs + torch.pi, 2 * torch.pi) - torch.pi
    torch.testing.assert_close(turn, torch.zeros_like(turn), atol=1e-6, rtol=0)
    assert ours.dtype == theirs.dtype
    if size == 4 and origin is None:
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [4, 7, (5, 8)])
@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("origin", [None, 2, (1.5, 3.25)])
def test_polar_radius_is_plenoptics(size: Any, exponent: float, origin: Any) -> None:
    theirs = plenoptic().polar_radius(size, exponent, origin)
    torch.testing.assert_close(polar_radius(size, exponent, origin), theirs.float())


@pytest.mark.parametrize("size", [16, 33])
def test_polar_radius_with_a_negative_power_is_pyrtools(size: int) -> None:
    peer = pytest.importorskip("pyrtools").synthetic_images
    theirs, ours = peer.polar_radius(size, -1.5), polar_radius(size, -1.5).numpy()
    away = polar_radius(size).numpy() > 0
    np.testing.assert_allclose(ours[away], theirs[away], rtol=1e-5)


def test_synthetic_stimuli_are_pyrtools_drawings_from_black_to_white() -> None:
    peer = pytest.importorskip("pyrtools").synthetic_images
    drawn = {
        "ramp": peer.ramp(64, direction=np.pi / 2),
        "polar_angle": peer.polar_angle(64),
        "angular_sine": peer.angular_sine(64, 6),
        "zone_plate": peer.zone_plate(64),
    }
    ours = dict(zip(STIMULI, make_synthetic_stimuli(64, False)[:, 0].numpy(), strict=True))
    for name, theirs in drawn.items():
        stretched = (theirs - theirs.min()) / (theirs.max() - theirs.min())
        np.testing.assert_allclose(ours[name], stretched, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", [n for n, entry in bundled().items() if "color" in entry])
def test_grey_is_scikit_images_and_files_are_plenoptics(name: str, tmp_path: Path) -> None:
    peer = pytest.importorskip("plenoptic")
    color = pytest.importorskip("skimage.color")
    path = get_path(f"{name}_color")
    for as_gray in (True, False):
        torch.testing.assert_close(
            load_images(path, as_gray), peer.load_images(str(path), as_gray), atol=1e-6, rtol=0
        )
    pixels = load_images(path, as_gray=False)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(load_images(path)[0, 0], color.rgb2gray(pixels), atol=1e-6)
    save_images(tmp_path, load_images([path, get_path("camera")]))
    torch.testing.assert_close(load_images(tmp_path), peer.load_images(str(tmp_path)))
