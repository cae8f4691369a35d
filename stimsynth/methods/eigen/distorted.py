"""Images with a distortion of a given amplitude, quantized to the levels of a screen."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.engine.quantized.descent import LevelGrid
from stimsynth.engine.quantized.hold import hold_on_grid
from stimsynth.methods.base.on_grid import rms
from stimsynth.numerics.generators import generator_for


def distorted_on_grid(
    model: Callable[[Tensor], Tensor],
    image: Tensor,
    distortions: Tensor,
    alpha: float,
    grid: LevelGrid,
    seed: int,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return quantized images with each distortion at amplitude `alpha`, and measurements of them by name.

    Two ways of rounding are tried: to the nearest level, and with dither (Roberts 1962, "Picture coding
    using pseudo-random noise"). Both results are then corrected to the amplitude. Of the two, the one is
    returned for which the model's output is closer to its output for the distorted image before
    quantization. Dither keeps a distortion that is smaller than half a level, at the price of noise.

    Parameters
    ----------
    model
        The model, in float64.
    image
        Image on the grid, shape (1, channel, height, width), float64.
    distortions
        Unit vectors, shape (n, channel, height, width), float64.
    alpha
        Amplitude along the distortions.
    grid
        Levels of the screen.
    seed
        Seed of the dither.

    Returns
    -------
    images : Tensor
        Quantized images, shape (n, channel, height, width).
    measured : dict
        Measurements by name, shape (n,) each.
    """

    def amplitude(images: Tensor) -> Tensor:
        return ((images - image) * distortions).flatten(1).sum(1)

    aim = image + alpha * distortions
    goal = torch.full((len(aim),), float(alpha), dtype=aim.dtype, device=aim.device)
    generator = generator_for("dither", seed)
    noise = (torch.rand(aim.shape, generator=generator, dtype=torch.float64) - 0.5) * grid.step
    # Dither is a shift before rounding; where the distortion is 0, the image is on a level and stays there.
    dithered = aim + torch.where(distortions == 0, 0.0, noise.to(aim))
    candidates = [hold_on_grid(amplitude, start, goal, grid) for start in (aim, dithered)]
    wanted = model(aim)
    gaps = [rms(model(found) - wanted) for found in candidates]
    # Either can miss the amplitude if pixels are at their bounds; the amplitude decides first.
    misses = [(amplitude(found) - goal).abs() > 0.02 * abs(alpha) for found in candidates]
    second = misses[0] & ~misses[1] | (misses[0] == misses[1]) & (gaps[1] < gaps[0])
    images = torch.where(second.view(-1, 1, 1, 1), candidates[1], candidates[0])
    rounded = grid.nearest(aim)
    plain = model(image)
    measured = {
        "amplitude, float": goal,
        "amplitude, rounded": amplitude(rounded),
        "amplitude, refined": amplitude(images),
        "response, float": rms(wanted - plain),
        "response, rounded": rms(model(rounded) - plain),
        "response, refined": rms(model(images) - plain),
        "dithered": second.double(),
    }
    return images, measured
