"""Split real signals into local energy and direction (local gain control), and join them again.

Local energy and direction of real coefficients correspond to amplitude and phase of complex ones. The
functions with ``_dict`` do the same for all bands of a pyramid and do not change its residuals.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimsynth.numerics.safe import safe_root
from stimsynth.transforms.polar import polar_to_rectangular, rectangular_to_polar
from stimsynth.transforms.resampling import blur_downsample, upsample_blur
from stimsynth.validate.gates import some_bands
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_yes_or_no, takes

Bands = dict[Any, Tensor]


def local_gain_control(x: Tensor, epsilon: float = 1e-8) -> tuple[Tensor, Tensor]:
    r"""Return the local energy and the direction of a signal, as used in divisive normalization.

    Computes :math:`n = (\downarrow_2 h * |x|^2)^{1/2}` and :math:`d = x / (\uparrow_2 n + \epsilon)` with
    the blur h of a Laplacian pyramid.

    Parameters
    ----------
    x
        Shape (b, c, h, w) or (b, c, o, h, w), floating-point.
    epsilon
        Added to the energy before the division.

    Returns
    -------
    norm
        Local energy, real, shape (b, c, …, ceil(h/2), ceil(w/2)). Where it is 0 its gradient, which is
        not defined there, is set to 0.
    direction
        Shaped like `x`.

    Raises
    ------
    InputError
        If `x` has other than 4 or 5 dimensions.

    References
    ----------
    M. Carandini & D. J. Heeger (2012), "Normalization as a canonical neural computation", Nature Reviews
    Neuroscience 13, 51–62.

    Examples
    --------
    >>> import torch
    >>> norm, direction = local_gain_control(torch.ones(1, 1, 8, 8))
    >>> norm.shape, round(direction.mean().item(), 4)
    (torch.Size([1, 1, 4, 4]), 1.0)
    """
    flat = _flat(x, "local_gain_control")
    power = flat.real.square() + flat.imag.square() if flat.is_complex() else flat.square()
    norm = safe_root(blur_downsample(power))
    direction = flat / (_enlarged(norm, flat) + real_number(epsilon, "epsilon", 0))
    return norm.reshape(*x.shape[:-2], *norm.shape[-2:]), direction.reshape(x.shape)


def local_gain_release(norm: Tensor, direction: Tensor, epsilon: float = 1e-8) -> Tensor:
    r"""Return the signal with a given local energy and direction: the inverse of `local_gain_control`.

    Computes :math:`x = d (\uparrow_2 n + \epsilon)`.

    Parameters
    ----------
    norm
        Local energy, half as high and wide as `direction`.
    direction
        Shape (b, c, h, w) or (b, c, o, h, w).
    epsilon
        As for `local_gain_control`.

    Raises
    ------
    InputError
        If the shapes are not those that `local_gain_control` returns.

    Examples
    --------
    >>> import torch
    >>> x = torch.rand(1, 1, 9, 8, dtype=torch.float64)
    >>> torch.allclose(local_gain_release(*local_gain_control(x)), x)
    True
    """
    flat = _flat(direction, "local_gain_release")
    half = tuple((n + 1) // 2 for n in direction.shape[-2:])
    small = _flat(norm, "local_gain_release")
    if tuple(norm.shape) != (*direction.shape[:-2], *half):
        raise InputError(
            f"for a direction of shape {tuple(direction.shape)} the energy must have shape "
            f"{(*direction.shape[:-2], *half)}; not {tuple(norm.shape)}"
        )
    wide = _enlarged(small, flat) + real_number(epsilon, "epsilon", 0)
    return (flat * wide).reshape(direction.shape)


@takes(coeff_dict=some_bands, residuals=a_yes_or_no)
def local_gain_control_dict(
    coeff_dict: Mapping[Any, Tensor], residuals: bool = True
) -> tuple[Bands, Bands]:
    """Return local energy and direction of every band of a real pyramid, each as a dictionary.

    Parameters
    ----------
    coeff_dict
        Bands of shape (b, c, h, w) or (b, c, o, h, w) under any keys. Keys that are texts beginning with
        ``"residual"`` are residuals.
    residuals
        Whether the energy also holds the residuals, unchanged.

    Returns
    -------
    energy, state
        Under the same keys as the bands; see `local_gain_control`.

    Examples
    --------
    >>> import torch
    >>> bands = {(0, 0): torch.rand(1, 1, 8, 8), "residual_lowpass": torch.rand(1, 1, 4, 4)}
    >>> energy, state = local_gain_control_dict(bands)
    >>> sorted(map(str, energy)), list(state)
    (['(0, 0)', 'residual_lowpass'], [(0, 0)])
    """
    return _split(local_gain_control, coeff_dict, residuals)


@takes(energy=some_bands, state=some_bands, residuals=a_yes_or_no)
def local_gain_release_dict(
    energy: Mapping[Any, Tensor], state: Mapping[Any, Tensor], residuals: bool = True
) -> Bands:
    """Return the bands of a real pyramid from energy and direction: inverse of `local_gain_control_dict`.

    Parameters
    ----------
    energy, state
        As returned by `local_gain_control_dict`.
    residuals
        Whether the result holds the residuals in `energy`.

    Raises
    ------
    InputError
        If `energy` and `state` have different bands.

    Examples
    --------
    >>> import torch
    >>> bands = {0: torch.rand(1, 1, 2, 8, 8, dtype=torch.float64)}
    >>> torch.allclose(local_gain_release_dict(*local_gain_control_dict(bands))[0], bands[0])
    True
    """
    return _joined(local_gain_release, energy, state, residuals)


@takes(coeff_dict=some_bands, residuals=a_yes_or_no)
def rectangular_to_polar_dict(
    coeff_dict: Mapping[Any, Tensor], residuals: bool = False
) -> tuple[Bands, Bands]:
    """Return amplitude and phase of every band of a complex pyramid, each as a dictionary.

    Parameters are those of `local_gain_control_dict`; bands are complex, of any shape.

    Examples
    --------
    >>> import torch
    >>> energy, state = rectangular_to_polar_dict({(0, 0): torch.tensor([[2j]])})
    >>> energy[0, 0].item()
    2.0
    """
    return _split(rectangular_to_polar, coeff_dict, residuals)


@takes(energy=some_bands, state=some_bands, residuals=a_yes_or_no)
def polar_to_rectangular_dict(
    energy: Mapping[Any, Tensor], state: Mapping[Any, Tensor], residuals: bool = True
) -> Bands:
    """Return the bands of a complex pyramid from amplitude and phase.

    Parameters are those of `local_gain_release_dict`.

    Examples
    --------
    >>> import torch
    >>> parts = rectangular_to_polar_dict({(0, 0): torch.tensor([[2 + 0j]])})
    >>> polar_to_rectangular_dict(*parts)[0, 0].item()
    (2+0j)
    """
    return _joined(polar_to_rectangular, energy, state, residuals)


def _split(
    function: Callable[[Tensor], tuple[Tensor, Tensor]],
    coeffs: Mapping[Any, Tensor],
    residuals: bool,
) -> tuple[Bands, Bands]:
    energy: Bands = {}
    state: Bands = {}
    for key, band in coeffs.items():
        if not _is_residual(key):
            energy[key], state[key] = function(band)
        elif residuals:
            energy[key] = band
    return energy, state


def _joined(
    function: Callable[[Tensor, Tensor], Tensor],
    energy: Mapping[Any, Tensor],
    state: Mapping[Any, Tensor],
    residuals: bool,
) -> Bands:
    bands = [key for key in energy if not _is_residual(key)]
    if set(bands) != set(state):
        raise InputError(
            "energy (without its residuals) and state must have the same bands; not "
            f"{bands} and {list(state)}"
        )
    joined = {key: function(energy[key], state[key]) for key in bands}
    return {key: joined.get(key, energy[key]) for key in energy if key in joined or residuals}


def _is_residual(key: Hashable) -> bool:
    return isinstance(key, str) and key.startswith("residual")


def _flat(x: Tensor, what: str) -> Tensor:
    """Return bands (b, c, h, w) or (b, c, o, h, w) as images (b, c·o, h, w)."""
    checked_tensor(x, what, "(batch, channel, …, height, width)", kind="any")
    return x.reshape(x.shape[0], -1, *x.shape[-2:])


def _enlarged(norm: Tensor, like: Tensor) -> Tensor:
    return upsample_blur(norm, [n % 2 for n in like.shape[-2:]])
