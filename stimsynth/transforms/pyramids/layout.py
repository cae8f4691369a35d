"""Layouts of a pyramid's coefficients: by scale, by scale and orientation, or as one tensor."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from stimsynth.validate.gates import some_bands
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole

ResidualLevel = Literal["residual_lowpass", "residual_highpass"]
PyramidLevel = int | ResidualLevel
Key = PyramidLevel | tuple[int, int]
Coefficients = dict[PyramidLevel, Tensor]


def split_orientations(pyr_coeffs: Mapping[PyramidLevel, Tensor]) -> dict[Key, Tensor]:
    """Return coefficients by (scale, orientation), each a view (b, c, h, w), from coefficients by scale.

    Parameters
    ----------
    pyr_coeffs
        Bands (b, c, orientations, h, w) by scale, and residuals (b, c, h, w), as returned by a pyramid.

    Examples
    --------
    >>> bands = split_orientations({0: torch.zeros(1, 1, 2, 8, 8)})
    >>> list(bands), bands[0, 1].shape
    ([(0, 0), (0, 1)], torch.Size([1, 1, 8, 8]))
    """
    apart: dict[Key, Tensor] = {}
    for level, values in some_bands(pyr_coeffs, "pyr_coeffs").items():
        checked_tensor(values, "a pyramid", "(batch, channel, …, height, width)", kind="any")
        if isinstance(level, int):
            apart.update({(level, b): band for b, band in enumerate(values.unbind(dim=2))})
        else:
            apart[level] = values
    return apart


def stack_orientations(pyr_coeffs: Mapping[Any, Tensor]) -> Coefficients:
    """Return coefficients by scale, each (b, c, orientations, h, w): the inverse of `split_orientations`.

    Parameters
    ----------
    pyr_coeffs
        Coefficients by (scale, orientation); coefficients by scale are returned unchanged.

    Raises
    ------
    InputError
        If there are none.

    Examples
    --------
    >>> band = torch.zeros(1, 1, 8, 8)
    >>> stack_orientations({(0, 0): band, (0, 1): band})[0].shape
    torch.Size([1, 1, 2, 8, 8])
    """
    stacked: Coefficients = {}
    bands: dict[int, list[tuple[int, Tensor]]] = {}
    for key, values in some_bands(pyr_coeffs, "pyr_coeffs").items():
        checked_tensor(values, "a pyramid", "(batch, channel, …, height, width)", kind="any")
        if isinstance(key, tuple):
            scale, orientation = key
            bands.setdefault(scale, []).append((orientation, values))
            stacked.setdefault(scale, values)  # keeps the order of levels
        else:
            stacked[key] = values
    for scale, pairs in bands.items():
        stacked[scale] = torch.stack([values for _, values in sorted(pairs, key=_first)], dim=2)
    if not stacked:
        raise InputError("there are no coefficients; give those that a pyramid's forward returns")
    return stacked


def pack_coefficients(
    pyr_coeffs: Mapping[Any, Tensor], split_complex: bool = False
) -> tuple[Tensor, tuple[int, bool, list[Key]]]:
    """Return all coefficients of a pyramid as channels of one tensor, and the information to unpack it.

    Parameters
    ----------
    pyr_coeffs
        Coefficients of any layout, all of one height and width.
    split_complex
        Whether complex bands become two neighbouring channels, real and imaginary part. Residuals are
        real and stay one channel.

    Returns
    -------
    pyr_tensor
        Shape (b, channels * bands, h, w): all bands of the first channel, fine to coarse, then all bands
        of the next.
    pyr_info
        Number of channels, `split_complex` and the bands' keys: the further arguments of
        `unpack_coefficients`.

    Raises
    ------
    InputError
        If levels differ in size.

    Examples
    --------
    >>> from stimsynth.transforms import SteerablePyramidFreq
    >>> pyramid = SteerablePyramidFreq((32, 32), is_complex=True, downsample=False)
    >>> tensor, info = pyramid.convert_pyr_to_tensor(pyramid(torch.rand(1, 1, 32, 32)), True)
    >>> tensor.shape
    torch.Size([1, 26, 32, 32])
    """
    bands = split_orientations(stack_orientations(pyr_coeffs))
    if len({band.shape[-2:] for band in bands.values()}) > 1:
        raise InputError(
            "coefficients of different sizes do not fit into one tensor; make the pyramid with "
            "downsample=False"
        )
    parts: list[Tensor] = []
    for band in bands.values():
        parts += [band.real, band.imag] if split_complex and band.is_complex() else [band]
    channels = parts[0].shape[1]
    packed = torch.stack(parts, dim=2).flatten(1, 2)
    return packed, (channels, split_complex, list(bands))


def unpack_coefficients(
    pyr_tensor: Tensor, num_channels: int, split_complex: bool, pyr_keys: Sequence[Key]
) -> Coefficients:
    """Return the coefficients by scale from a tensor of `pack_coefficients`.

    Parameters
    ----------
    pyr_tensor
        Shape (b, channels * bands, h, w).
    num_channels, split_complex, pyr_keys
        The parts of `pyr_info`.

    Raises
    ------
    InputError
        If the number of channels does not agree with `pyr_info`.
    """
    checked_tensor(pyr_tensor, "a pyramid", kind="any")
    num_channels = whole(num_channels, "num_channels", 0)
    n_bands = sum(isinstance(key, tuple) for key in pyr_keys)
    n_planes = len(pyr_keys)
    planes = pyr_tensor.unflatten(1, (num_channels, -1)) if num_channels else pyr_tensor
    pairs = split_complex and planes.shape[2] == n_planes + n_bands
    if planes.shape[2] != n_planes + (n_bands if pairs else 0):
        raise InputError(
            f"{pyr_tensor.shape[1]} channels are not {num_channels} times {n_planes} bands; give the "
            "pyr_info that was returned with the tensor"
        )
    place = 0
    bands: dict[Key, Tensor] = {}
    for key in pyr_keys:
        plane = planes[:, :, place]
        place += 1
        if isinstance(key, str):
            plane = plane.real
        elif pairs:
            plane = torch.complex(plane, planes[:, :, place])
            place += 1
        bands[key] = plane
    return stack_orientations(bands)


def _first(pair: tuple[int, Tensor]) -> int:
    return pair[0]
