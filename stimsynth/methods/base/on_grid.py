"""Results quantized to the gray levels of a screen, with measurements before and after."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.engine.quantized.descent import LevelGrid
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import whole


@dataclass(frozen=True, kw_only=True)
class OnGrid:
    """Quantized result of a synthesis, with measurements before and after quantization.

    Attributes
    ----------
    images
        Shape (batch, channel, height, width); every value is exactly a level of the grid.
    bits
        Depth: there are ``2 ** bits`` levels over the allowed range.
    seed
        Seed of all random choices.
    figures
        One mapping, name to value, for each image: measurements in float64 of the image before
        (``"float"``), of the plainly rounded image (``"rounded"``), and of this one (``"refined"``).
    levels
        Level number of each pixel as numpy integers, ready for the screen.
    """

    images: Tensor = field(repr=False)
    bits: int
    seed: int
    figures: Sequence[Mapping[str, float]]
    levels: np.ndarray = field(repr=False)


def screen_grid(bits: int, allowed_range: tuple[float, float]) -> LevelGrid:
    """Return the ``2 ** bits`` gray levels of a screen over the allowed range.

    Raises
    ------
    InputError
        If bits is not a whole number from 1 to 16, or the range is infinite.
    """
    depth = whole(bits, "bits", 1)
    if depth > 16:
        raise InputError(f"bits must be a whole number from 1 to 16; not {briefly(bits)}")
    if not math.isfinite(allowed_range[1] - allowed_range[0]):
        raise InputError(
            f"a screen has levels over a finite range; not over allowed_range {allowed_range}"
        )
    return LevelGrid(low=allowed_range[0], high=allowed_range[1], levels=2**depth)


def on_grid(
    images: Tensor, grid: LevelGrid, seed: int, figures: Sequence[Mapping[str, float]]
) -> OnGrid:
    """Return the record of images whose values lie on `grid`, with their level numbers as integers."""
    levels = (
        grid.numbers(images).cpu().numpy().astype(np.uint8 if grid.levels <= 256 else np.uint16)
    )
    return OnGrid(
        images=images,
        bits=(grid.levels - 1).bit_length(),
        seed=seed,
        figures=tuple(figures),
        levels=levels,
    )


def columns(**measured: Tensor) -> list[dict[str, float]]:
    """Return one mapping, name to number, for each image from named tensors of shape (batch,)."""
    rows = zip(*(value.tolist() for value in measured.values()), strict=True)
    return [dict(zip(measured, row, strict=True)) for row in rows]


def exactly(model: nn.Module, image: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a function that runs a copy of `model` in float64, without gradients.

    A model that only works in the precision of `image` runs in that, and its outputs become float64.
    """
    exact, tied = copy.deepcopy(model).double(), image.dtype

    def run(images: Tensor) -> Tensor:
        with torch.no_grad():
            return exact(images.detach().double())

    def rough(images: Tensor) -> Tensor:
        with torch.no_grad():
            outputs = model(images.detach().to(tied))
        return outputs.to(torch.complex128 if outputs.is_complex() else torch.float64)

    try:
        run(image[:1])
    except RuntimeError:
        return rough
    return run


def rms(outputs: Tensor) -> Tensor:
    """Return the root mean square of a model's output for each image of the batch, shape (batch,)."""
    return outputs.flatten(1).abs().square().mean(dim=1).sqrt()
