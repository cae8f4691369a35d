"""Moments of samples: variance, skewness, kurtosis."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stimsynth.transforms.signal import every_dim
from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_yes_or_no

Dims = int | Sequence[int] | None


def variance(
    x: Tensor, mean: float | Tensor | None = None, dim: Dims = None, keepdim: bool = False
) -> Tensor:
    r"""Return the variance :math:`v = \frac1n\sum_i (x_i - \mu)^2` (divided by n, not by n - 1).

    Parameters
    ----------
    x
        Real, floating-point, any shape.
    mean
        Known mean; None to compute it. A tensor has one value per result, with or without the reduced
        dimensions, or any shape that broadcasts with `x`.
    dim
        The dimension or dimensions to reduce; None for all.
    keepdim
        Whether reduced dimensions stay, with length 1.

    Raises
    ------
    InputError
        If `x` has no such dimension.

    Examples
    --------
    >>> variance(torch.tensor([1.0, 3.0])).item()
    1.0
    """
    dims = every_dim(checked_tensor(x, "variance", "(…)"), dim)
    keepdim = a_yes_or_no(keepdim, "keepdim")
    return _about(x, mean, dims).square().mean(dim=dims, keepdim=keepdim)


def skew(
    x: Tensor,
    mean: float | Tensor | None = None,
    var: float | Tensor | None = None,
    dim: Dims = None,
    keepdim: bool = False,
) -> Tensor:
    r"""Return the skewness :math:`m_3 / v^{3/2}`: 0 for a symmetric distribution.

    Parameters
    ----------
    x, mean, dim, keepdim
        As for `variance`.
    var
        Known variance; None to compute it. A tensor has one value per result, with or without the
        reduced dimensions.

    Returns
    -------
    Tensor
        NaN if all values are equal: then the skewness is not defined.

    Examples
    --------
    >>> round(skew(torch.tensor([0.0, 0.0, 0.0, 1.0])).item(), 4)
    1.1547
    """
    dims = every_dim(checked_tensor(x, "skew", "(…)"), dim)
    keepdim = a_yes_or_no(keepdim, "keepdim")
    moment, spread = _moment(x, mean, var, dims, 3)
    return _reduced(moment / (spread * torch.sqrt(spread)), dims, keepdim)


def kurtosis(
    x: Tensor,
    mean: float | Tensor | None = None,
    var: float | Tensor | None = None,
    dim: Dims = None,
    keepdim: bool = False,
) -> Tensor:
    r"""Return the kurtosis :math:`m_4 / v^2`: 3 for a normal distribution, more for heavier tails.

    Parameters are as for `skew`; the result is NaN if all values are equal.

    Examples
    --------
    >>> kurtosis(torch.tensor([-1.0, 1.0, -1.0, 1.0])).item()
    1.0
    """
    dims = every_dim(checked_tensor(x, "kurtosis", "(…)"), dim)
    keepdim = a_yes_or_no(keepdim, "keepdim")
    moment, spread = _moment(x, mean, var, dims, 4)
    return _reduced(moment / spread.square(), dims, keepdim)


def _about(x: Tensor, mean: float | Tensor | None, dims: tuple[int, ...]) -> Tensor:
    """Return `x` minus its mean."""
    if mean is None:
        return x - x.mean(dim=dims, keepdim=True)
    return x - _aligned(x, mean, dims)


def _moment(
    x: Tensor,
    mean: float | Tensor | None,
    var: float | Tensor | None,
    dims: tuple[int, ...],
    order: int,
) -> tuple[Tensor, Tensor]:
    """Return a central moment of order 3 or 4 and the variance, with reduced dimensions kept."""
    centred = _about(x, mean, dims)
    square = centred.square()
    power = square * centred if order == 3 else square.square()
    known = square.mean(dim=dims, keepdim=True) if var is None else _aligned(x, var, dims)
    return power.mean(dim=dims, keepdim=True), known


def _aligned(x: Tensor, value: float | Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return a given statistic with the reduced dimensions restored, so that it broadcasts with `x`."""
    known = some_numbers(value, "a known mean or variance", like=x)
    left = tuple(n for d, n in enumerate(x.shape) if d not in dims)
    if known.shape == left:
        kept = [1 if d in dims else n for d, n in enumerate(x.shape)]
        known = known.reshape(kept)
    try:
        torch.broadcast_shapes(known.shape, x.shape)
    except RuntimeError as error:
        raise InputError(
            f"a known mean or variance must broadcast with {tuple(x.shape)}; not {tuple(known.shape)}"
        ) from error
    return known


def _reduced(value: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    return value if keepdim else value.squeeze(dims)
