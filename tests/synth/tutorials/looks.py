"""What a person sees in the figures of a tutorial, as numbers."""

import torch
from torch import Tensor


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
