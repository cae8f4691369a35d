"""Conversion of complex values to amplitude and phase and back, and modulation of phases."""

import torch
from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimsynth.numerics.safe import anywhere, modulus_and_direction
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError, WrongType


def rectangular_to_polar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the amplitude and the phase of complex values.

    Parameters
    ----------
    x
        Complex, any shape.

    Returns
    -------
    amplitude, phase
        Real, shaped like `x`; the phase is in radians, in [-π, π], and 0 where `x` is 0. Their gradients,
        which are not defined there, are set to 0.

    Raises
    ------
    InputError
        If `x` is not complex.

    Examples
    --------
    >>> [round(v.item(), 4) for v in rectangular_to_polar(torch.tensor(-2j))]
    [2.0, -1.5708]
    """
    checked_tensor(x, "rectangular_to_polar", "(…)", kind="complex")
    modulus, direction = modulus_and_direction(x)
    return modulus, torch.angle(direction)


def polar_to_rectangular(amplitude: Tensor, phase: Tensor) -> Tensor:
    """Return complex values from amplitudes and phases (radians).

    Parameters
    ----------
    amplitude
        Real, 0 or more.
    phase
        Real, of a shape that broadcasts with `amplitude`.

    Raises
    ------
    InputError
        If an amplitude is negative (not checked inside `torch.func.vmap`).

    Examples
    --------
    >>> polar_to_rectangular(torch.tensor(2.0), torch.tensor(0.0)).item()
    (2+0j)
    """
    for part in (amplitude, phase):
        if checked_tensor(part, "polar_to_rectangular", "(…)").dtype == torch.bfloat16:
            raise WrongType(
                "torch has no complex numbers of bfloat16 parts for polar_to_rectangular; use float32"
            )
    try:
        torch.broadcast_shapes(amplitude.shape, phase.shape)
    except RuntimeError as error:
        raise InputError(
            f"amplitude and phase must have shapes that broadcast; not {tuple(amplitude.shape)} and "
            f"{tuple(phase.shape)}"
        ) from error
    if anywhere(amplitude < 0):
        raise InputError(
            f"amplitudes must be 0 or more; the smallest given is {float(amplitude.min()):g}"
        )
    return torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))


def modulate_phase(x: Tensor, phase_factor: float = 2.0) -> Tensor:
    r"""Return complex values with their phases multiplied by a factor and their moduli unchanged.

    Computes :math:`|z| e^{ip\arg z}`, which is :math:`z^2 / |z|` for the default: with doubled phase a
    coefficient can be compared with coefficients of the next finer scale.

    Parameters
    ----------
    x
        Complex, any shape.
    phase_factor
        Factor p.

    Returns
    -------
    Tensor
        Shaped like `x`; 0 with gradient 0 where `x` is 0.

    Raises
    ------
    InputError
        If `x` is not complex.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), Int. J. Computer Vision 40(1), 49–71, section 2.2.2.

    Examples
    --------
    >>> modulate_phase(torch.tensor(3j)).item()
    (-3+0j)
    """
    checked_tensor(x, "modulate_phase", "(…)", kind="complex")
    _, direction = modulus_and_direction(x)
    doubled = x * direction
    factor = real_number(phase_factor, "phase_factor")
    if factor == 2:
        return doubled
    turn = (factor - 2) * torch.angle(direction)
    return doubled * torch.complex(torch.cos(turn), torch.sin(turn))
