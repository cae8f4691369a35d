"""Steerable pyramid, computed in the frequency domain."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from stimsynth.numerics.caching import ExactTables, Tables
from stimsynth.numerics.numbers import real_number
from stimsynth.transforms.pyramids.layout import (
    Coefficients,
    PyramidLevel,
    pack_coefficients,
    stack_orientations,
    unpack_coefficients,
)
from stimsynth.transforms.pyramids.masks import PyramidMasks, pyramid_masks
from stimsynth.transforms.pyramids.split import Splitting, splitting_tables
from stimsynth.transforms.pyramids.steering import steering_weights
from stimsynth.transforms.spectra import Size, pad_spectrum, paired, weigh
from stimsynth.validate.images import checked_tensor, image_size, real_images
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, a_yes_or_no, briefly
from stimuli_store.tools.whole import whole, wholes

MAX_ORDER = 15


class SteerablePyramidFreq(ExactTables):
    r"""Steerable pyramid: coefficients by scale and orientation, from which the image is reconstructed.

    Coefficients of scale s and orientation b are the image under the filter whose transfer function is
    :math:`(-i)^{K-1}\,L(r)\cdots L(r+s)\,H(r+s+1)\,A_b(\theta)` (H, L and A: module `masks` of this folder),
    with circular boundaries. Functions are evaluated in float64 at the true frequencies of the samples, so
    reconstruction and, in a tight frame, Parseval's identity are exact up to rounding for images of every
    size, including odd ones.

    Parameters
    ----------
    image_shape
        (height, width) of the images.
    height
        Number of scales, at most ``floor(log2(min(image_shape))) - 2``; ``"auto"`` for this number.
    order
        Order of the Gaussian derivative that the filters follow, 0 to 15; there are order + 1 orientations.
    twidth
        Width of the transition between scales in octaves, positive; fractions are allowed.
    is_complex
        Whether coefficients are complex: the imaginary parts are then the responses of filters in
        quadrature (90° phase shift). Needs an order of 1 or more (a filter without orientation has no
        quadrature partner).
    downsample
        Whether each scale has half as many rows and columns as the one before. If not, all have the
        image's size, and the energy of each band stays the same.
    tight_frame
        Whether the sum of squared coefficients equals the image's sum of squares. If not, the scaling is
        the one of matlabPyrTools and pyrtools.

    Attributes
    ----------
    num_scales, num_orientations
        Number of scales and of orientations.
    scales
        Names of all levels from coarse to fine: ``"residual_lowpass"``, integers, ``"residual_highpass"``.
    pyr_size
        (height, width) of each level's coefficients.
    fft_norm
        Normalization of the Fourier transforms: ``"ortho"`` in a tight frame, else ``"backward"``.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    E. P. Simoncelli & W. T. Freeman (1995), "The steerable pyramid: a flexible architecture for
    multi-scale derivative computation", IEEE International Conference on Image Processing 3, 444–447.

    Examples
    --------
    >>> pyramid = SteerablePyramidFreq((33, 40), height=2).double()
    >>> image = torch.rand(1, 1, 33, 40, dtype=torch.float64)
    >>> coefficients = pyramid(image)
    >>> {level: tuple(c.shape[2:]) for level, c in coefficients.items()}
    {'residual_highpass': (33, 40), 0: (4, 33, 40), 1: (4, 17, 20), 'residual_lowpass': (9, 10)}
    >>> bool((pyramid.recon_pyr(coefficients) - image).abs().max() < 1e-12)
    True
    """

    def __init__(
        self,
        image_shape: Size,
        height: Literal["auto"] | int = "auto",
        order: int = 3,
        twidth: float = 1,
        is_complex: bool = False,
        downsample: bool = True,
        tight_frame: bool = False,
    ) -> None:
        shape = image_size(image_shape, 4)
        is_complex = a_yes_or_no(is_complex, "is_complex")
        downsample = a_yes_or_no(downsample, "downsample")
        tight_frame = a_yes_or_no(tight_frame, "tight_frame")
        num_scales = _height(height, shape)
        order = _order(order, is_complex)
        octaves = real_number(twidth, "twidth, a number of octaves,")
        if not octaves > 0:
            raise InputError(f"twidth must be a positive number of octaves; not {briefly(twidth)}")

        def masks(one_sided: bool) -> PyramidMasks:
            return pyramid_masks(
                shape, num_scales, order, octaves, one_sided=one_sided, downsample=downsample
            )

        # The real parts alone reconstruct an image, so reconstruction needs half the spectrum.
        joined = masks(False)
        apart = masks(True) if is_complex else joined
        gains = _gains(num_scales, is_complex, downsample, tight_frame)
        sizes: dict[PyramidLevel, Size] = {
            "residual_highpass": shape,
            **dict(enumerate(apart.sizes)),
        }
        sizes["residual_lowpass"] = sizes.pop(num_scales)
        fused = _fused(apart, joined, gains, order)
        super().__init__(splitting_tables(fused, sizes, is_complex, order))
        self.image_shape = shape
        self.num_scales = num_scales
        self.order = order
        self.num_orientations = order + 1
        self.is_complex = is_complex
        self.downsample = downsample
        self.tight_frame = tight_frame
        self.fft_norm = "ortho" if tight_frame else "backward"
        self.scales: list[PyramidLevel] = [
            "residual_lowpass",
            *reversed(range(num_scales)),
            "residual_highpass",
        ]
        self.pyr_size = sizes

    def forward(self, x: Tensor, scales: Sequence[PyramidLevel] | None = None) -> Coefficients:
        """Return the coefficients of images (b, c, h, w) by level.

        Parameters
        ----------
        x
            Real images (b, c, h, w); channels are treated independently.
        scales
            Levels to compute, out of the attribute `scales`, in any order; None for all.

        Returns
        -------
        dict
            From fine to coarse: ``"residual_highpass"`` (b, c, h, w), each scale 0, 1, … as one tensor
            (b, c, orientations, h_s, w_s), ``"residual_lowpass"`` (b, c, h_n, w_n).
            `split_orientations` gives a view with (scale, orientation) as keys.

        Raises
        ------
        InputError
            If the images have another size or a level is unknown.
        """
        real_images(x, "this pyramid", size=self.image_shape)
        wanted = self._levels(scales)
        splitting = Splitting(
            tables=self.tables_for(x),
            sizes=self.pyr_size,
            order=self.order,
            is_complex=self.is_complex,
            norm=self.fft_norm,
        )
        return splitting.split(x, [level for level in reversed(self.scales) if level in wanted])

    def recon_pyr(
        self,
        pyr_coeffs: Mapping[Any, Tensor],
        levels: Literal["all"] | Sequence[PyramidLevel] = "all",
        bands: Literal["all"] | Sequence[int] = "all",
    ) -> Tensor:
        """Return the image (b, c, h, w) reconstructed from coefficients, or from some of them.

        Parameters
        ----------
        pyr_coeffs
            Coefficients as returned by `forward` or by `split_orientations`.
        levels
            Levels to use, out of the attribute `scales`; ``"all"`` for all.
        bands
            Orientations to use on each scale, 0 to num_orientations - 1; ``"all"`` for all.

        Raises
        ------
        InputError
            If a level or a band is unknown, a level to use has no coefficients, or coefficients have
            another shape than this pyramid's.
        """
        coefficients = self._stacked(pyr_coeffs)
        wanted = self._levels(None if isinstance(levels, str) and levels == "all" else levels)
        missing = [level for level in self.scales if level in wanted and level not in coefficients]
        if missing:
            raise InputError(
                f"reconstruction needs the coefficients of {', '.join(map(str, missing))}; the given "
                f"ones are {', '.join(map(str, coefficients))}"
            )
        chosen = self._orientations(bands)
        some = next(iter(coefficients.values()))
        tables = self.tables_for(some)

        def spectrum_of(values: Tensor) -> Tensor:
            return torch.fft.rfft2(values.real, norm=self.fft_norm)

        size = self.pyr_size["residual_lowpass"]
        shape = (*some.shape[:2], size[0], size[1] // 2 + 1)
        total = torch.zeros(shape, dtype=some.real.dtype.to_complex(), device=some.device)
        if "residual_lowpass" in wanted:
            total = weigh(spectrum_of(coefficients["residual_lowpass"]), tables["low back"])
        for scale in reversed(range(self.num_scales)):
            total = pad_spectrum(total, size, self.pyr_size[scale], half=True)
            size = self.pyr_size[scale]
            if scale in wanted:
                spectra = spectrum_of(coefficients[scale][:, :, chosen])
                joined = weigh(spectra, tables[f"bands back {scale}"][chosen]).sum(dim=2)
                total = total + 1j**self.order * joined
        if "residual_highpass" in wanted:
            high = spectrum_of(coefficients["residual_highpass"])
            total = total + weigh(high, tables["high"])
        return torch.fft.irfft2(total, s=self.image_shape, norm=self.fft_norm)

    def steer_coeffs(
        self,
        pyr_coeffs: Mapping[Any, Tensor],
        angles: float | Sequence[float] | Tensor,
        even_phase: bool = True,
    ) -> tuple[Coefficients, dict[int, Tensor]]:
        """Return coefficients at other orientations, as weighted sums of the given ones, and the weights.

        Parameters
        ----------
        pyr_coeffs
            Coefficients of a real pyramid, as returned by `forward` or by `split_orientations`.
        angles
            Orientations in radians, one number or several.
        even_phase
            Whether the filters' harmonics are cosines (else sines) about their orientations.

        Returns
        -------
        resteered_coeffs : dict
            For each scale a tensor (b, c, angles, h_s, w_s); no residuals.
        resteering_weights : dict
            For each scale the weights (orientations, angles).

        Raises
        ------
        InputError
            If the pyramid is complex, or the coefficients have another shape than this pyramid's.
        """
        if self.is_complex:
            raise InputError("only a real pyramid can be steered; make one with is_complex=False")
        coefficients = self._stacked(pyr_coeffs)
        steered: Coefficients = {}
        weights = {}
        for scale in (key for key in coefficients if isinstance(key, int)):
            bands = coefficients[scale]
            weights[scale] = steering_weights(
                torch.as_tensor(angles, dtype=bands.dtype, device=bands.device).reshape(-1),
                self.num_orientations,
                even_phase=even_phase,
            ).T
            steered[scale] = torch.einsum("bcohw,oa->bcahw", bands, weights[scale])
        return steered, weights

    convert_pyr_to_tensor = staticmethod(pack_coefficients)
    convert_tensor_to_pyr = staticmethod(unpack_coefficients)

    def _stacked(self, pyr_coeffs: Mapping[Any, Tensor]) -> Coefficients:
        """Return coefficients by scale, if this pyramid can have made them."""
        coefficients = stack_orientations(pyr_coeffs)
        for level, values in coefficients.items():
            checked_tensor(values, "this pyramid", "(batch, channel, …)", kind="any", fourier=True)
            size = self.pyr_size.get(level)
            each = (self.num_orientations,) if isinstance(level, int) else ()
            if size and tuple(values.shape[2:]) != (*each, *size):
                raise InputError(
                    f"this pyramid takes coefficients of {level} of shape (batch, channel, "
                    f"{', '.join(map(str, (*each, *size)))}); not {tuple(values.shape)}"
                )
        return coefficients

    def _levels(
        self, levels: Sequence[PyramidLevel] | PyramidLevel | None
    ) -> Sequence[PyramidLevel]:
        if levels is None:
            return self.scales
        given = [levels] if isinstance(levels, int | str) else a_list(levels, "levels")
        chosen: list[Any] = [
            one if isinstance(one, str) else whole(one, "a level") for one in given
        ]
        unknown = [level for level in chosen if level not in self.scales]
        if unknown or not chosen:
            raise InputError(
                f"this pyramid has the levels {', '.join(map(str, self.scales))}; not {briefly(levels)}"
            )
        return chosen

    def _orientations(self, bands: Literal["all"] | Sequence[int]) -> list[int]:
        if isinstance(bands, str) and bands == "all":
            return list(range(self.num_orientations))
        chosen = wholes(bands, "bands")
        if not chosen or not all(b in range(self.num_orientations) for b in chosen):
            raise InputError(
                f"bands must be orientations from 0 to {self.num_orientations - 1}; not {briefly(bands)}"
            )
        return sorted(set(chosen))


def _gains(count: int, is_complex: bool, downsample: bool, tight_frame: bool) -> list[float]:
    """Return the gain of each scale's bands, then the gain of the low-pass residual."""
    # At full size a band has more samples than after downsampling, by this factor per axis.
    growth = 1.0 if downsample or tight_frame else 2.0
    # Two parts in quadrature have twice the energy of one.
    part = 1 / math.sqrt(2) if is_complex and tight_frame else 1.0
    return [*(part * growth**scale for scale in range(count)), growth**count]


def _fused(apart: PyramidMasks, joined: PyramidMasks, gains: Sequence[float], order: int) -> Tables:
    """Return the tables of transfer functions for analysis (`apart`) and for reconstruction (`joined`)."""
    *factors, rest = gains
    tables = {
        "high": paired(joined.high),
        "low": paired(rest * joined.low),
        "low back": paired(joined.low / rest),
    }
    for scale, factor in enumerate(factors):
        # The phase shift of a derivative of this order is a part of its transfer function.
        derivative = (-1j) ** order * factor * apart.bands[scale]
        tables[f"bands {scale}"] = torch.view_as_real(derivative)
        tables[f"bands back {scale}"] = paired(joined.bands[scale] / factor)
    return tables


def _height(height: Literal["auto"] | int, shape: Size) -> int:
    most = int(math.log2(min(shape))) - 2
    if isinstance(height, str) and height == "auto":
        return most
    height = whole(height, "height")
    if height not in range(most + 1):
        raise InputError(
            f'height must be "auto" or a number of scales from 0 to {most} for images of '
            f"{shape[0]}x{shape[1]}; not {height}"
        )
    return height


def _order(order: int, is_complex: bool) -> int:
    order = whole(order, "order")
    if order not in range(int(is_complex), MAX_ORDER + 1):
        raise InputError(
            f"order must be a whole number from {int(is_complex)} to {MAX_ORDER} for a "
            f"{'complex' if is_complex else 'real'} pyramid; not {order}"
        )
    return order
