"""Eleven basic synthetic stimuli for a first test of a model."""

import torch
from torch import Tensor

from stimsynth.images.noise import Seed, pink_noise
from stimsynth.images.patterns import grating
from stimsynth.images.polar_grids import polar_angle, polar_radius
from stimuli_store.tools.gates import a_yes_or_no, takes
from stimuli_store.tools.whole import whole

STIMULI = (
    "impulse",
    "step_edge",
    "ramp",
    "bar",
    "curv_edge",
    "sine_grating",
    "square_grating",
    "polar_angle",
    "angular_sine",
    "zone_plate",
    "fractal",
)


@takes(requires_grad=a_yes_or_no)
def make_synthetic_stimuli(
    size: int = 256, requires_grad: bool = True, *, seed: Seed = 0
) -> Tensor:
    """Return eleven basic stimuli for testing a model, each with values from 0 (black) to 1 (white).

    In this order (`STIMULI`): an impulse, a step edge, a ramp, a bar, a curved edge, a sine and a square
    grating under a Gaussian window, the polar angle, an angular sine of 6 cycles, a zone plate, and
    fractal noise (amplitude as frequency to the power -1.2).

    Parameters
    ----------
    size
        Side in pixels, 8 or more.
    requires_grad
        Whether the result requires gradients.
    seed
        Seed of the fractal noise: a number, or a generator to draw from.

    Returns
    -------
    Tensor
        Shape (11, 1, size, size), float32.

    Raises
    ------
    InputError
        If the size is too small to draw them.

    Examples
    --------
    >>> make_synthetic_stimuli(64, requires_grad=False).shape
    torch.Size([11, 1, 64, 64])
    """
    size = whole(size, "size", 8)
    centre = size // 2
    x = (torch.arange(size, dtype=torch.float64) - centre).expand(size, size)
    y = x.mT
    window = torch.exp(-(x**2 + y**2) / (2 * (size / 6) ** 2))
    cycles = min(8, size // 4)
    sine = grating(size, cycles_per_image=cycles, dtype=torch.float64)[0, 0]
    square = grating(
        size,
        cycles_per_image=cycles,
        direction_deg=45,
        waveform="square",
        dtype=torch.float64,
    )[0, 0]
    bar = (x.abs() <= max(1, size // 64)) & (y.abs() <= size // 5)
    drawn = [
        ((x == 0) & (y == 0)).double(),
        (x >= 0).double(),
        y,
        bar.double(),
        (polar_radius(size, origin=float(size)) <= size / 1.2).double(),
        (sine - 0.5) * window,
        (square - 0.5) * window,
        polar_angle(size, dtype=torch.float64),
        torch.sin(6 * polar_angle(size, dtype=torch.float64)),
        torch.cos(torch.pi / size * polar_radius(size, exponent=2, dtype=torch.float64)),
        pink_noise(size, exponent=1.2, seed=seed, dtype=torch.float64)[0, 0],
    ]
    stimuli = torch.stack([_stretched(image) for image in drawn])
    return stimuli.float()[:, None].requires_grad_(requires_grad)


def _stretched(image: Tensor) -> Tensor:
    low, high = image.min(), image.max()
    return (image - low) / (high - low)
