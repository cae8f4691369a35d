"""What a person sees in the figures of a tutorial, as numbers."""

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import stimsynth as ss


def above(image: Tensor, frequency: float) -> Tensor:
    """Return the part of an image (…, h, w) above a frequency in cycles per pixel (at most 0.5)."""
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in image.shape[-2:])
    high = (rows[:, None] ** 2 + columns**2).sqrt() > frequency
    return torch.fft.ifft2(torch.fft.fft2(image) * high).real


def below(image: Tensor, frequency: float) -> Tensor:
    """Return the rest of it."""
    return image - above(image, frequency)


def alike(one: Tensor, two: Tensor) -> float:
    """Return the correlation of all values of two images."""
    return torch.corrcoef(torch.stack([one.flatten(), two.flatten()]).double())[0, 1].item()


def share_above(image: Tensor, frequency: float) -> float:
    """Return the share of an image's energy that lies above a frequency."""
    return (above(image, frequency).norm() ** 2 / image.norm() ** 2).item()


def apart(one: Tensor, two: Tensor) -> float:
    """Return the norm of the difference, relative to that of the second."""
    return ((one - two).norm() / two.norm()).item()


def cycles(image: Tensor) -> float:
    """Return the mean spatial frequency of an image (…, h, w), by energy, in cycles per picture."""
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in image.shape[-2:])
    frequency = (rows[:, None] ** 2 + columns**2).sqrt() * image.shape[-1]
    energy = torch.fft.fft2(image).abs().double() ** 2
    return ((energy * frequency).sum() / energy.sum()).item()


def share_of_brightest(image: Tensor, part: float = 0.05) -> float:
    """Return the share of an image's energy (c, h, w) that lies in a part of its places."""
    energy = image.double().square().sum(0).flatten().sort(descending=True).values
    return (energy[: int(part * len(energy))].sum() / energy.sum()).item()


def grey_steps(one: Tensor, two: Tensor) -> float:
    """Return the largest difference of two pictures, in steps of the 256 levels that show the second."""
    return (255 * (one - two).abs().max() / (two.max() - two.min())).item()


def contrast_apart(one: Tensor, two: Tensor) -> float:
    """Return the standard deviation of the difference, relative to that of the second."""
    return ((one - two).std() / two.std()).item()


def unseen(model: torch.nn.Module, side: int, gain: float = 1e-4) -> Tensor:
    """Return the frequencies that a circular convolution passes with less than a part of its largest gain.

    They are a basis of what the model is blind to: boolean, shape (side, side), as those of `torch.fft.fft2`.
    """
    impulse = torch.zeros(1, 1, side, side, dtype=torch.float64)
    impulse[..., 0, 0] = 1
    gains = torch.fft.fft2(copy.deepcopy(model).double()(impulse))[0, 0].abs()
    return gains < gain * gains.max()


def part(image: Tensor, frequencies: Tensor) -> Tensor:
    """Return the part of an image (…, h, w) at some frequencies (h, w), in double precision."""
    return torch.fft.ifft2(torch.fft.fft2(image.double()) * frequencies).real


def left_over(change: Tensor, pixels: Tensor, frequencies: Tensor, steps: int = 300) -> Tensor:
    """Return what, of a change's part at some frequencies, no change of some pixels alone can give.

    Solves the least-squares problem for these pixels by conjugate gradients.
    """
    goal = part(change, frequencies)
    given = torch.zeros_like(goal)
    residual = goal * pixels
    direction, size = residual, residual.square().sum()
    for _ in range(steps):
        moved = part(direction, frequencies) * pixels
        length = size / (direction * moved).sum()
        given, residual = given + length * direction, residual - length * moved
        size, before = residual.square().sum(), size
        direction = residual + size / before * direction
    return goal - part(given, frequencies)


def photograph(name: str, source: str) -> Tensor:
    """Return a photograph of 256 × 256: bundled, or the tutorial's own where its package is installed."""
    if source == "bundled":
        ours = {"einstein": "camera", "curie": "chelsea", "reptile_skin": "gravel"}
        return ss.images.load(ours[name], size=256)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the peer warns of when it is imported is its own
        data = pytest.importorskip("plenoptic").data
    return getattr(data, name)()


def noisy(image: Tensor, metric: Callable[[Tensor, Tensor], Tensor], value: float) -> Tensor:
    """Return the image with noise of such a size that the metric has a value, in the range (0, 1)."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        enough = metric(image, (image + middle * noise).clamp(0, 1)) >= value
        low, high = (low, middle) if enough else (middle, high)
    return (image + high * noise).clamp(0, 1)
