"""White and coloured noise, drawn from a seed."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.images.polar_grids import ImageSize, height_and_width
from stimsynth.numerics.generators import generator_for
from stimsynth.seeding import checked_seed
from stimsynth.validate.gates import a_dtype
from stimsynth.validate.inputs import validate_allowed_range
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, takes
from stimuli_store.tools.whole import whole, wholes

Seed = int | torch.Generator


@takes(dtype=a_dtype)
def uniform_noise(
    shape: tuple[int, ...],
    seed: int,
    allowed_range: tuple[float, float] = (0.0, 1.0),
    *,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return uniform noise drawn from a seed, independent of torch's global random state.

    Parameters
    ----------
    shape
        Shape of the result. Each entry along the first dimension has its own random stream, so that the
        first images of a batch equal the images of a smaller batch.
    seed
        A whole number.
    allowed_range
        (low, high), the range of the values.
    dtype
        Type of the result, real.

    Returns
    -------
    Tensor
        On the CPU.

    Raises
    ------
    InputError
        If the range is not finite in this type.

    Examples
    --------
    >>> two, one = uniform_noise((2, 1, 4, 4), 3), uniform_noise((1, 1, 4, 4), 3)
    >>> bool((two[:1] == one).all()), bool((two[1:] == one).any())
    (True, False)
    """
    low, high = validate_allowed_range(allowed_range)
    if high - low > torch.finfo(dtype).max:
        raise InputError(
            f"noise over allowed_range {allowed_range} would be infinite; give a finite range, or a start "
            "of your own"
        )
    return (_per_item(torch.rand, "uniform noise", shape, seed) * (high - low) + low).to(dtype)


def gaussian_noise(shape: tuple[int, ...], seed: int) -> Tensor:
    """Return Gaussian noise of standard deviation 1 drawn from a seed, as by `uniform_noise`.

    Parameters
    ----------
    shape
        Shape of the result; the first dimension counts independent streams, as in `uniform_noise`.
    seed
        A whole number.

    Returns
    -------
    Tensor
        float64, on the CPU.

    Examples
    --------
    >>> round(gaussian_noise((1, 1, 64, 64), 3).std().item(), 1)
    1.0
    """
    return _per_item(torch.randn, "gaussian noise", shape, seed)


def _per_item(
    draw: Callable[..., Tensor], purpose: str, shape: tuple[int, ...], seed: int
) -> Tensor:
    sides = wholes(shape, "shape, of which each side", 0)
    if not sides:
        raise InputError("shape is empty; give the number of images first, then their sides")
    noise = torch.empty(sides, dtype=torch.float64)
    seed = checked_seed(seed)
    for item, place in enumerate(noise):
        place.copy_(
            draw(place.shape, generator=generator_for(purpose, seed, item), dtype=noise.dtype)
        )
    return noise


@takes(exponent=a_number, dtype=a_dtype)
def pink_noise(
    size: ImageSize = 256,
    *,
    exponent: float = 1.0,
    seed: Seed = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of noise whose amplitude falls as 1 / frequency to a power, as in photographs.

    Amplitudes follow the power law exactly, at every frequency of the image; phases are random. The noise
    is scaled about its mean of 0.5 so that its largest deviation reaches 0 or 1.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    exponent
        1 for pink noise, 0 for white, 2 for brown, negative for blue. Photographs have about 1.
    seed
        Number, or a generator to draw from.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), in [0, 1], on the generator's device.

    References
    ----------
    D. J. Field (1987), "Relations between the statistics of natural images and the response properties
    of cortical cells", J. Opt. Soc. Am. A 4(12), 2379–2394.

    Examples
    --------
    >>> round(pink_noise(64, seed=1).mean().item(), 4)
    0.5
    """
    height, width = height_and_width(size)
    generator = as_generator(seed, "pink noise")
    white = torch.randn(
        height, width, generator=generator, dtype=torch.float64, device=generator.device
    )
    spectrum = torch.fft.rfft2(white)
    rows = torch.fft.fftfreq(height, dtype=torch.float64, device=white.device)
    columns = torch.fft.rfftfreq(width, dtype=torch.float64, device=white.device)
    frequency = torch.hypot(rows[:, None], columns[None, :])
    amplitude = torch.where(frequency > 0, frequency.clamp_min(1e-300) ** -exponent, 0.0)
    noise = torch.fft.irfft2(torch.sgn(spectrum) * amplitude, s=(height, width))
    peak = noise.abs().max()
    scaled = noise / (2 * peak) if peak > 0 else noise
    return (0.5 + scaled).clamp(0, 1).to(dtype)[None, None]


def as_generator(seed: Seed, purpose: str) -> torch.Generator:
    """Return `seed` if it is a generator, else a new generator for the number and a purpose.

    Raises
    ------
    InputError
        If `seed` is neither.
    """
    if isinstance(seed, torch.Generator):
        return seed
    return generator_for(purpose, whole(seed, "a seed, if no torch.Generator,", most=2**63 - 1))
