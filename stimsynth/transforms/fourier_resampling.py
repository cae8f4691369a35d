"""Resample signals in the frequency domain, and compute their autocorrelation."""

import torch
from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import MOST


def expand(x: Tensor, factor: float) -> Tensor:
    """Return a signal upsampled by `factor` with Fourier (band-limited periodic) interpolation.

    The spectrum is padded with zeros. A component at the Nyquist frequency of an even side belongs to
    two frequencies of the larger grid and is split evenly between them, on each axis, so that real
    signals stay real and every old sample is a sample of the result.

    Parameters
    ----------
    x
        Real or complex, shape (…, h, w).
    factor
        A number above 1 for which both new sides are whole numbers.

    Returns
    -------
    Tensor
        Shape (…, factor·h, factor·w).

    Raises
    ------
    InputError
        If `x` has fewer than two dimensions or holds whole numbers, or `factor` is not valid.

    See Also
    --------
    shrink : The inverse.

    Examples
    --------
    >>> x = torch.rand(1, 1, 6, 8, dtype=torch.float64)
    >>> torch.allclose(expand(x, 2)[..., ::2, ::2], x)
    True
    """
    return _resampled(x, _new_size(x, factor, "expand"))


def shrink(x: Tensor, factor: float) -> Tensor:
    """Return a signal downsampled by `factor`, with the frequencies above the new Nyquist frequency removed.

    The central part of the spectrum is kept. The two components that alias to a Nyquist frequency are
    added, as in sampling. So `shrink` is the exact inverse of `expand`; for other signals it is the
    least-squares inverse.

    Parameters
    ----------
    x
        Real or complex, shape (…, h, w).
    factor
        A number above 1 for which both new sides are whole numbers.

    Returns
    -------
    Tensor
        Shape (…, h/factor, w/factor).

    Raises
    ------
    InputError
        If `x` has fewer than two dimensions or holds whole numbers, or `factor` is not valid.

    Examples
    --------
    >>> x = torch.rand(1, 1, 6, 8, dtype=torch.float64)
    >>> torch.allclose(shrink(expand(x, 1.5), 1.5), x)
    True
    """
    return _resampled(x, _new_size(x, factor, "shrink"))


def autocorrelation(x: Tensor) -> Tensor:
    r"""Return the circular autocorrelation of a signal over its last two dimensions.

    Computes :math:`\frac{1}{hw}\sum_n x_n^* x_{n+d}` for every shift d, from the power spectrum
    (Wiener–Khinchin). The value at shift 0 is the largest; it is the variance of a signal with mean 0.

    Parameters
    ----------
    x
        Real or complex, shape (…, h, w).

    Returns
    -------
    Tensor
        Shaped like `x`; shift 0 is at (h // 2, w // 2).

    Raises
    ------
    InputError
        If `x` has fewer than two dimensions or holds whole numbers.

    Examples
    --------
    >>> autocorrelation(torch.tensor([[1.0, -1.0, 1.0, -1.0]])).round(decimals=6).tolist()
    [[1.0, -1.0, 1.0, -1.0]]
    """
    size = _size(x, "autocorrelation")
    if x.is_complex():
        power = torch.fft.fft2(x).abs().square()
        products = torch.fft.ifft2(power)
    else:
        spectrum = torch.fft.rfft2(x)
        products = torch.fft.irfft2(spectrum.real.square() + spectrum.imag.square(), s=size)
    return torch.fft.fftshift(products, dim=(-2, -1)) / (size[0] * size[1])


def _size(x: Tensor, what: str) -> tuple[int, int]:
    checked_tensor(x, what, "(…, height, width)", kind="any", fourier=True)
    return x.shape[-2], x.shape[-1]


def _new_size(x: Tensor, factor: float, what: str) -> tuple[int, int]:
    """Return height and width after `expand` or `shrink` (`what`) by a factor."""
    size = _size(x, what)
    factor = real_number(factor, f"the factor of {what}")
    if not 1 < factor <= MOST:
        raise InputError(
            f"the factor of {what} must be a number above 1, at most {MOST:,}; not {factor:g}"
        )
    exact = [n * factor if what == "expand" else n / factor for n in size]
    whole = [round(n) for n in exact]
    error = max(abs(n - m) for n, m in zip(exact, whole, strict=True))
    if error > 1e-9 * max(exact) or 0 in whole or whole[0] == size[0] or whole[1] == size[1]:
        raise InputError(
            f"{what} by {factor:g} would turn {size[0]}x{size[1]} samples into {exact[0]:g}x{exact[1]:g}, "
            "and both must be whole numbers; crop the signal or give another factor"
        )
    return whole[0], whole[1]


def _resampled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a real or complex `x` resampled to a size (height, width)."""
    height, width = size
    if not x.is_complex():
        return _real_resampled(_real_resampled(x, -2, height), -1, width)
    spectrum = torch.fft.fft2(x, norm="forward")
    return torch.fft.ifft2(_fitted(_fitted(spectrum, -2, height), -1, width), norm="forward")


def _real_resampled(x: Tensor, dim: int, size: int) -> Tensor:
    """Return a real `x` resampled to `size` samples along one dimension."""
    # A half spectrum stands for both signs of a frequency, except at 0 and at the smaller Nyquist frequency.
    old = x.shape[dim]
    shared = min(old, size)
    spectrum = torch.fft.rfft(x, dim=dim, norm="forward").narrow(dim, 0, shared // 2 + 1)
    if shared % 2 == 0:
        weight = 0.5 if size > old else 2.0
        last = spectrum.narrow(dim, shared // 2, 1) * weight
        spectrum = torch.cat([spectrum.narrow(dim, 0, shared // 2), last], dim=dim)
    return torch.fft.irfft(spectrum, n=size, dim=dim, norm="forward")


def _fitted(spectrum: Tensor, dim: int, size: int) -> Tensor:
    """Return a whole spectrum with zeros inserted or high frequencies removed along one dimension."""
    old = spectrum.shape[dim]
    shared = min(old, size)
    n_positive, n_negative = (shared + 1) // 2, (shared - 1) // 2
    positive = spectrum.narrow(dim, 0, n_positive)
    negative = spectrum.narrow(dim, old - n_negative, n_negative)
    middle = []
    if shared % 2 == 0:
        nyquist = spectrum.narrow(dim, shared // 2, 1)
        if size < old:
            middle = [nyquist + spectrum.narrow(dim, old - shared // 2, 1)]
        else:
            middle = [nyquist / 2, nyquist / 2]
    if size > old:
        shape = list(spectrum.shape)
        shape[dim] = size - n_positive - n_negative - len(middle)
        middle.insert(1, spectrum.new_zeros(shape))
    return torch.cat([positive, *middle, negative], dim=dim)
