"""Texture model of Portilla and Simoncelli."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.linalg import vecdot

from stimsynth.models.displays import ShowsStatistics
from stimsynth.models.texture.bands import (
    Band,
    ScaleImages,
    scale_sizes,
    split_bands,
    texture_tables,
    thinned,
)
from stimsynth.models.texture.layout import StatisticsPlan, TextureScale, texture_layout
from stimsynth.models.texture.pieces import Pieces
from stimsynth.models.texture.statistics import (
    central_autocorrelation,
    map_norms,
    map_products,
    noise_power,
    pixel_statistics,
)
from stimsynth.numerics.caching import ExactTables, made_outside_transforms
from stimsynth.transforms.modulus import double_phase
from stimsynth.transforms.spectra import Size, crop_spectrum, weigh
from stimsynth.validate.images import image_size, kept_image, real_images, unbatched_too
from stimsynth.validate.inputs import as_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, as_float, briefly
from stimuli_store.tools.whole import whole


class PortillaSimoncelli(ExactTables, ShowsStatistics):
    r"""Texture model of Portilla and Simoncelli: moments and correlations of pixels and of pyramid bands.

    A complex steerable pyramid splits the image into bands. The statistics are moments of the pixels and of
    low-passed images, and correlations: of neighbouring low-passed pixels; of neighbouring magnitudes in
    a band; of magnitudes between orientations and between scales; and of bands with the next coarser
    ones after doubling their phase. Correlations lie between -1 and 1; correlations that are always 1 are
    replaced by standard deviations; the vector has no redundant entries.

    Values and gradients are finite for every image (in float32, of amplitudes between 1e-8 and 1e6): for a
    constant map correlations are 0, the skew is 0 and the kurtosis is 3.

    Parameters
    ----------
    image_shape
        (height, width) of the images, each divisible by ``2 ** n_scales``.
    n_scales, n_orientations
        Numbers of scales N and orientations K of the pyramid.
    spatial_corr_width
        Width M of the neighbourhoods, odd: 7 as in the paper; 9 is common too.
    leave_out
        Names of groups of statistics (keys of `convert_to_dict`) to set to 0, so that they do not
        constrain synthesis; the vector keeps its length.
    magnitude_means
        Whether to add the means of the bands' magnitudes, which the other statistics nearly determine.
    mask, target
        Where the boolean mask (1, 1, h, w) is true, pixels are taken from the target (1, c, h, w) instead
        of the image: synthesis then extends the texture of the target.
    mixture
        Weights of textures to mix: a batch of as many images as weights gives the weighted mean of their
        statistics, a batch of another size the statistics of each image.

    Attributes
    ----------
    scales
        Names of the scales for coarse-to-fine synthesis: ``"pixel_statistics"``,
        ``"residual_lowpass"``, N - 1, …, 0, ``"residual_highpass"``.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint statistics of complex
    wavelet coefficients", International Journal of Computer Vision 40(1), 49–71.

    Examples
    --------
    >>> model = PortillaSimoncelli((64, 64), n_scales=3)
    >>> model(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 1, 529])
    """

    def __init__(
        self,
        image_shape: Size,
        n_scales: int = 4,
        n_orientations: int = 4,
        spatial_corr_width: int = 7,
        *,
        leave_out: Sequence[str] = (),
        magnitude_means: bool = False,
        mask: Tensor | None = None,
        target: Tensor | None = None,
        mixture: Sequence[float] | None = None,
    ) -> None:
        shape, n_scales, n_orientations, spatial_corr_width = _checked(
            image_shape, n_scales, n_orientations, spatial_corr_width
        )
        super().__init__(texture_tables(shape, n_scales, n_orientations, spatial_corr_width))
        self.image_shape = shape
        self.n_scales = n_scales
        self.n_orientations = n_orientations
        self.spatial_corr_width = spatial_corr_width
        self.scales: list[TextureScale] = [
            "pixel_statistics",
            "residual_lowpass",
            *reversed(range(n_scales)),
            "residual_highpass",
        ]
        self.layout = texture_layout(n_scales, n_orientations, spatial_corr_width, magnitude_means)
        self.leave_out = self.layout.checked_names(
            [leave_out] if isinstance(leave_out, str) else leave_out
        )
        mask, target = _kept_mask(mask, target, shape)
        self.register_buffer("mask", mask)
        self.register_buffer("target", target)
        self._plans: dict[object, StatisticsPlan] = {}
        self.mixture = None if mixture is None else _shares(mixture)

    mask: Tensor | None
    target: Tensor | None

    @unbatched_too
    def forward(self, image: Tensor, scales: Sequence[TextureScale] | None = None) -> Tensor:
        """Return the texture statistics of images (b, c, h, w), shape (b, c, n).

        Parameters
        ----------
        image
            Real images (b, c, h, w) of `image_shape`; channels are analysed independently.
        scales
            Scales whose statistics are computed, out of the attribute `scales`; None for all.

        Returns
        -------
        Tensor
            Shape (b, c, n).

        Raises
        ------
        InputError
            If the images have another size or type, or a scale is unknown.
        """
        image = self._masked(image)
        wanted = self.known_scales(scales)
        images = image.flatten(0, 1)
        noise = noise_power(images)
        spectrum = torch.fft.fft2(images)
        parts = self.parts(spectrum, noise, wanted)
        pieces = self.pieces_of(images, spectrum, noise, parts, wanted)
        representation = self.gather(pieces).unflatten(0, image.shape[:2])
        if self.mixture is not None and len(image) == len(self.mixture):
            shares = representation.new_tensor(self.mixture)
            return torch.einsum("b,bcn->cn", shares, representation).unsqueeze(0)
        return representation

    def parts(
        self, spectrum: Tensor, noise: Tensor, scales: Collection[TextureScale]
    ) -> Iterator[ScaleImages]:
        """Yield the images of each wanted scale from which its statistics are computed, from fine to coarse.

        `spectrum` (m, h, w) is the spectrum of each image; `noise` (m,) the power that may be due to
        rounding.
        """
        tables = self.tables_for(spectrum)
        parent: Band | None = None
        for place, size in enumerate(scale_sizes(self.image_shape, self.n_scales)):
            spectrum = crop_spectrum(spectrum, size)
            name: TextureScale = place if place < self.n_scales else "residual_lowpass"
            if name not in scales:
                parent = None
                continue
            low = weigh(spectrum[..., : size[1] // 2 + 1], tables[f"low {place}"])
            derivative = (-1j) ** (self.n_orientations - 1) * spectrum
            band = parent and thinned(parent)
            if band is None and f"bands {place}" in tables:
                band = split_bands(derivative, tables[f"bands {place}"])
            masks = tables.get(f"parents {place}")
            parent = None if masks is None else split_bands(derivative, masks)
            # Amplitudes grow by 4 with every downsampling by 2.
            least = 4.0**place * (size[0] * size[1] * noise).sqrt().unsqueeze(-1)
            pixels = torch.fft.irfft2(low, s=size)
            yield ScaleImages(
                place=place,
                scale=name,
                least=least,
                low=low,
                pixels=pixels,
                band=band,
                parent=parent,
            )

    def convert_to_dict(self, representation_tensor: Tensor) -> dict[str, Tensor]:
        """Return a representation of all scales as arrays by name, NaN where a statistic is redundant.

        The last axis runs over scales, from fine to coarse. With M = `spatial_corr_width` and K
        orientations: ``pixel_statistics`` (b, c, 6), ``auto_correlation_magnitude`` (b, c, M, M, K, N),
        ``skew_reconstructed``, ``kurtosis_reconstructed`` and ``std_reconstructed`` (b, c, N+1),
        ``auto_correlation_reconstructed`` (b, c, M, M, N+1), ``cross_orientation_correlation_magnitude``
        (b, c, K, K, N), ``magnitude_std`` (b, c, K, N), ``cross_scale_correlation_magnitude``
        (b, c, K, K, N-1), ``cross_scale_correlation_real`` (b, c, K, 2K, N-1), ``var_highpass_residual``
        (b, c, 1).

        Raises
        ------
        InputError
            If the vector is not of all scales.
        """
        return self.layout.to_dict(representation_tensor)

    def convert_to_tensor(self, representation_dict: Mapping[str, Tensor]) -> Tensor:
        """Return a dictionary of `convert_to_dict` as a representation (b, c, n)."""
        if not isinstance(representation_dict, Mapping):
            raise InputError(
                "convert_to_tensor takes a dictionary of statistics; not "
                f"{type(representation_dict).__name__}"
            )
        return self.layout.to_tensor(representation_dict)

    def remove_scales(
        self, representation_tensor: Tensor, scales_to_keep: Collection[TextureScale]
    ) -> Tensor:
        """Return a representation of all scales without the statistics of scales not in `scales_to_keep`."""
        keep = self.known_scales(scales_to_keep)
        tags = self.layout.scales()
        if representation_tensor.shape[-1] != len(tags):
            raise InputError(
                f"remove_scales takes a representation of all {len(tags)} statistics; this one "
                f"has {representation_tensor.shape[-1]}"
            )
        chosen = torch.tensor([tag in keep for tag in tags], device=representation_tensor.device)
        return representation_tensor[..., chosen]

    def known_scales(self, scales: Collection[TextureScale] | None) -> Collection[TextureScale]:
        """Return `scales` (all of this model's for None), after checking that they are known."""
        if scales is None:
            return self.scales
        if isinstance(scales, int | str):
            scales = [scales]
        unknown = [scale for scale in scales if scale not in self.scales]
        if unknown or not scales:
            raise InputError(
                f"this model has the scales {', '.join(map(str, self.scales))}; not {briefly(scales)}"
            )
        return scales

    def _masked(self, image: Tensor) -> Tensor:
        """Return checked images, with the target's pixels where the mask is true."""
        real_images(image, "this model", size=self.image_shape)
        if self.mask is None or self.target is None:
            return image
        return torch.where(self.mask, self.target.to(image), image)

    def pieces_of(
        self,
        images: Tensor,
        spectrum: Tensor,
        noise: Tensor,
        parts: Iterable[ScaleImages],
        wanted: Collection[TextureScale],
    ) -> Pieces:
        """Return the sums and norms of images (m, h, w) from which their statistics are gathered."""
        pieces = Pieces()
        if "pixel_statistics" in wanted:
            found = pixel_statistics(images, noise)
            pieces.sums["pixels", "pixel_statistics"] = found
        if "residual_highpass" in wanted:
            half = torch.view_as_real(spectrum[..., : self.image_shape[1] // 2 + 1])
            power = (half.square() * self.tables_for(images)["high power"]).sum((-1, -2, -3))
            pieces.sums["high", "residual_highpass"] = power.unsqueeze(-1)
        for part in parts:
            self._add_low_pass(pieces, part)
            if part.band is not None:
                self._add_bands(pieces, part, part.band)
                if part.parent is not None:
                    _add_parents(pieces, part, part.band, part.parent)
        return pieces

    def _add_low_pass(self, pieces: Pieces, part: ScaleImages) -> None:
        scale = part.scale
        pixels = part.pixels.flatten(1)
        square = pixels * pixels
        pieces.sums["third", scale] = vecdot(square, pixels).unsqueeze(-1)
        pieces.sums["fourth", scale] = vecdot(square, square).unsqueeze(-1)
        pieces.sums["low lags", scale] = self._lags(part.low, part.place)
        pieces.add_norms("low", scale, map_norms(part.pixels.unsqueeze(1)), part.least)

    def _add_bands(self, pieces: Pieces, part: ScaleImages, band: Band) -> None:
        scale = part.place
        pieces.sums["lags", scale] = self._lags(torch.fft.rfft2(band.magnitude), scale)
        pieces.sums["pairs", scale] = map_products(band.magnitude, band.magnitude)
        pieces.sums["means", scale] = band.mean.flatten(1)
        pieces.add_norms("magnitude", scale, map_norms(band.magnitude), part.least)

    def _lags(self, spectrum: Tensor, place: int) -> Tensor:
        """Return central autocorrelations (m, …) of maps, from half spectra (m, …, h, w//2 + 1)."""
        tables = self.tables_for(spectrum)
        left, right = tables[f"left {place}"], tables[f"right {place}"]
        maps = spectrum.reshape(-1, *spectrum.shape[-2:])
        return central_autocorrelation(maps, left, right).view(len(spectrum), -1)

    def gather(self, pieces: Pieces) -> Tensor:
        """Return the statistics (m, n) gathered from pieces."""
        sums, inverses = pieces.joined()
        key = (tuple(pieces.sums), sums.device)
        if key not in self._plans:
            pixels: dict[TextureScale, int] = {"pixel_statistics": 1, "residual_highpass": 1}
            for place, (height, width) in enumerate(scale_sizes(self.image_shape, self.n_scales)):
                pixels[place if place < self.n_scales else "residual_lowpass"] = height * width
            lengths, device = pieces.lengths(), sums.device
            self._plans[key] = made_outside_transforms(
                lambda: self.layout.plan(*lengths, pixels, self.leave_out).to(device)
            )
        return self._plans[key].gather(sums, inverses)


def _add_parents(pieces: Pieces, part: ScaleImages, band: Band, parent: Band) -> None:
    """Add the products of bands with the next coarser scale's, of magnitudes and with doubled phase."""
    scale, least = part.place, part.least
    pieces.sums["parents", scale] = map_products(band.magnitude, parent.magnitude)
    doubled = double_phase(parent.real, parent.imaginary, parent.length)
    phases = [map_products(band.real, map_) for map_ in doubled]
    pieces.sums["phases", scale] = torch.cat(phases, dim=-1)
    pieces.add_norms("parent", scale, map_norms(parent.magnitude), least)
    pieces.add_norms("real", scale, map_norms(band.real), least)
    pieces.add_norms("doubled", scale, torch.cat([map_norms(m) for m in doubled], dim=-1), least)


def _checked(
    shape: Size, n_scales: int, n_orientations: int, width: int
) -> tuple[Size, int, int, int]:
    """Return the shape of images and the numbers of the pyramid as plain ints, if they fit together."""
    size, n_scales = image_size(shape, 8), whole(n_scales, "n_scales")
    n_orientations = whole(n_orientations, "n_orientations")
    width = whole(width, "spatial_corr_width")
    most = int(math.log2(min(size))) - 2
    if n_scales not in range(1, most + 1):
        raise InputError(
            f"n_scales must be from 1 to {most} for images of {size[0]}x{size[1]}; not {briefly(n_scales)}"
        )
    if size[0] % 2**n_scales or size[1] % 2**n_scales:
        raise InputError(
            f"with {n_scales} scales the sides of images must be divisible by {2**n_scales}; "
            f"{size[0]}x{size[1]} is not: crop or pad the images"
        )
    if n_orientations not in range(2, 17):
        raise InputError(f"n_orientations must be from 2 to 16; not {briefly(n_orientations)}")
    smallest = min(size) >> n_scales
    if width not in range(1, smallest + 1, 2):
        raise InputError(
            f"spatial_corr_width must be an odd number, at most {smallest}, the side of the coarsest scale "
            f"of {size[0]}x{size[1]} images; not {briefly(width)}"
        )
    return size, n_scales, n_orientations, width


def _kept_mask(
    mask: Tensor | None, target: Tensor | None, shape: Size
) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Return copies of mask and target after checking them; (None, None) without a mask."""
    if mask is None and target is None:
        return None, None
    if mask is None or target is None:
        raise InputError(
            "mask and target must be given together: where the mask is true, pixels are the target's"
        )
    mask, target = as_tensor(mask, "a mask"), kept_image(target, "a target")
    fits = all(t.dim() == 4 and tuple(t.shape[-2:]) == shape for t in (mask, target))
    if mask.dtype != torch.bool or not fits:
        raise InputError(
            f"mask must be boolean, and mask and target of shape (1, channel, {shape[0]}, {shape[1]}); "
            f"not {mask.dtype} {tuple(mask.shape)} and {tuple(target.shape)}"
        )
    return mask.clone(), target


def _shares(mixture: Sequence[float]) -> tuple[float, ...]:
    """Return positive weights divided by their sum."""
    weights = [as_float(one) or 0.0 for one in a_list(mixture, "mixture")]
    if not weights or not all(0 < weight < math.inf for weight in weights):
        raise InputError(
            f"mixture must be a list of positive weights, one for each texture; not {briefly(mixture)}"
        )
    return tuple(weight / sum(weights) for weight in weights)
