"""Complex coefficients as amplitude and phase, and turning of phases."""

import torch
from torch import Tensor

from stimsynth.numerics.safe import anywhere, modulus_and_direction
from stimuli_store.errors import InputError


def rectangular_to_polar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return amplitude and phase of complex values.

    Parameters
    ----------
    x
        Complex, any shape.

    Returns
    -------
    amplitude, phase
        Real, shaped like `x`; the phase is in radians, in [-π, π], and 0 where `x` is 0. The slopes of
        both, which do not exist there, are 0.

    Raises
    ------
    InputError
        If `x` is not complex.

    Examples
    --------
    >>> [round(v.item(), 4) for v in rectangular_to_polar(torch.tensor(-2j))]
    [2.0, -1.5708]
    """
    _see_complex(x)
    modulus, direction = modulus_and_direction(x)
    return modulus, torch.angle(direction)


def polar_to_rectangular(amplitude: Tensor, phase: Tensor) -> Tensor:
    """Return the complex values with these amplitudes and phases (radians).

    Parameters
    ----------
    amplitude
        Real, 0 or more.
    phase
        Real, of a shape that broadcasts with that of `amplitude`.

    Raises
    ------
    InputError
        If an amplitude is negative (inside `torch.func.vmap` values cannot be looked at).

    Examples
    --------
    >>> polar_to_rectangular(torch.tensor(2.0), torch.tensor(0.0)).item()
    (2+0j)
    """
    if anywhere(amplitude < 0):
        raise InputError(
            f"an amplitude is 0 or more; the smallest given is {float(amplitude.min()):g}"
        )
    return torch.complex(amplitude * torch.cos(phase), amplitude * torch.sin(phase))


def modulate_phase(x: Tensor, phase_factor: float = 2.0) -> Tensor:
    r"""Return complex values with their phases multiplied and their moduli kept.

    Computes :math:`|z| e^{ip\arg z}`, which is :math:`z^2 / |z|` for the default: with its phase doubled
    a coefficient can be compared with one at half its spatial scale.

    Parameters
    ----------
    x
        Complex, any shape.
    phase_factor
        Factor p.

    Returns
    -------
    Tensor
        Shaped like `x`; 0 with slope 0 where `x` is 0.

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
    _see_complex(x)
    _, direction = modulus_and_direction(x)
    doubled = x * direction
    if phase_factor == 2:
        return doubled
    turn = (phase_factor - 2) * torch.angle(direction)
    return doubled * torch.complex(torch.cos(turn), torch.sin(turn))


def _see_complex(x: Tensor) -> None:
    if not x.is_complex():
        raise InputError(
            f"phases are those of complex values; not {x.dtype} (local_gain_control is the like for "
            "real ones)"
        )
