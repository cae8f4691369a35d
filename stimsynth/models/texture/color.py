"""Colour texture model: statistics of decorrelated channels, and correlations between channels."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from stimsynth.models.texture.bands import ScaleImages
from stimsynth.models.texture.layout import Group, Layout, TextureScale, TextureScales
from stimsynth.models.texture.pieces import Pieces
from stimsynth.models.texture.portilla_simoncelli import PortillaSimoncelli
from stimsynth.models.texture.statistics import map_norms, map_products, noise_power
from stimsynth.numerics.reductions import centred
from stimsynth.transforms.spectra import Size
from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import real_images, unbatched_too
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

_OPPONENT = (
    torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]], dtype=torch.float64)
    / torch.tensor([[3.0], [2.0], [6.0]], dtype=torch.float64).sqrt()
)


def decorrelating_basis(image: Tensor) -> Tensor:
    """Return orthonormal directions in colour space along which an image's channels are uncorrelated.

    Parameters
    ----------
    image
        Colour image(s) (b, 3, h, w); the pixels of all images are pooled.

    Returns
    -------
    Tensor
        Shape (3, 3): rows are directions, from the largest variance to the smallest, each with a
        positive sum (or a positive first component if the sum is 0).

    Raises
    ------
    InputError
        If the image is not real, or does not have three channels.

    Examples
    --------
    >>> image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> basis = decorrelating_basis(image)
    >>> bool(torch.allclose(basis @ basis.T, torch.eye(3), atol=1e-5))
    True
    """
    real_images(image, "a basis of colours", channels=3, fourier=False)
    pixels = image.detach().double().movedim(1, 0).flatten(1)
    _, directions = torch.linalg.eigh(torch.cov(pixels))
    basis = directions.flip(1).T
    total = basis.sum(dim=1, keepdim=True)
    sign = torch.where(total.abs() > 1e-6, total, basis[:, :1]).sign()
    return (basis * torch.where(sign == 0, 1.0, sign)).to(image.dtype)


class ColorPortillaSimoncelli(nn.Module):
    r"""Texture model for colour images: statistics of decorrelated channels and their correlations.

    Colours are converted to three decorrelated channels. The representation holds the statistics of
    `PortillaSimoncelli` for each channel, and correlations between channels: of pixels, of low-passed
    images, and at each scale, for all pairs of orientations, of magnitudes and of real parts of bands.

    Parameters
    ----------
    image_shape, n_scales, n_orientations, spatial_corr_width
        As for `PortillaSimoncelli`.
    basis
        Directions of the channels in RGB, rows of an orthonormal matrix (3, 3): `decorrelating_basis` of
        the target for exactly uncorrelated channels. None for luminance, red minus blue, and red plus blue
        minus green, which are nearly uncorrelated in natural images (Ohta et al. 1980).

    Attributes
    ----------
    scales
        As for `PortillaSimoncelli`.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), International Journal of Computer Vision 40(1), 49–71, section
    6, and their published extension to colour; Y. Ohta, T. Kanade & T. Sakai (1980), "Color information
    for region segmentation", Computer Graphics and Image Processing 13(3), 222–241.

    Examples
    --------
    >>> model = ColorPortillaSimoncelli((64, 64), n_scales=3)
    >>> model(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 1, 1890])
    """

    def __init__(
        self,
        image_shape: Size,
        n_scales: int = 4,
        n_orientations: int = 4,
        spatial_corr_width: int = 7,
        *,
        basis: Tensor | Sequence[Sequence[float]] | None = None,
    ) -> None:
        super().__init__()
        self.texture = PortillaSimoncelli(image_shape, n_scales, n_orientations, spatial_corr_width)
        self.scales = self.texture.scales
        exact = _OPPONENT if basis is None else some_numbers(basis, "basis", dtype=torch.float64)
        if exact.shape != (3, 3) or not torch.allclose(
            exact @ exact.T, torch.eye(3, dtype=torch.float64), atol=1e-5
        ):
            raise InputError(
                f"basis must be an orthonormal matrix (3, 3) with directions as rows; not {briefly(basis)}"
            )
        self.register_buffer("basis", exact.clone())  # kept in float64 for all types of images
        self.layout = _shared_layout(self.texture.n_scales, self.texture.n_orientations)

    basis: Tensor

    @unbatched_too
    def forward(self, image: Tensor, scales: Sequence[TextureScale] | None = None) -> Tensor:
        """Return the statistics of colour images (b, 3, h, w), shape (b, 1, n).

        Parameters
        ----------
        image
            Colour images.
        scales
            Scales whose statistics are computed, out of the attribute `scales`; None for all.
        """
        wanted = self.texture.known_scales(scales)
        images = self._channels(image).flatten(0, 1)
        # Rounding errors of a channel are relative to the whole image.
        noise = noise_power(image.flatten(1, 2)).repeat_interleave(3)
        spectrum = torch.fft.fft2(images)
        shared = Pieces()

        def watched() -> Iterator[ScaleImages]:
            for part in self.texture.parts(spectrum, noise, wanted):
                _add_shared(shared, part)
                yield part

        pieces = self.texture.pieces_of(images, spectrum, noise, watched(), wanted)
        if "pixel_statistics" in wanted:
            _add_pixels(shared, images, noise)
        own = self.texture.gather(pieces).reshape(len(image), 1, -1)
        if not shared.sums:
            return own
        plan = self.layout.plan(*shared.lengths(), dict.fromkeys(self.scales, 1))
        return torch.cat([own, plan.to(image.device).gather(*shared.joined()).unsqueeze(1)], dim=-1)

    def convert_to_dict(self, representation_tensor: Tensor) -> dict[str, Tensor]:
        """Return a representation of all scales as arrays by name, NaN where a statistic is redundant.

        They are the arrays of `PortillaSimoncelli` with three channels and, with K orientations and N scales,
        ``cross_channel_correlation_pixels`` (b, 1, 3, 3, 1), ``cross_channel_correlation_reconstructed``
        (b, 1, 3, 3, N+1), ``cross_channel_correlation_magnitude`` and ``cross_channel_correlation_real``
        (b, 1, 3, K, 3, K, N).
        """
        own, shared = self._split(representation_tensor)
        return {**self.texture.convert_to_dict(own), **self.layout.to_dict(shared)}

    def convert_to_tensor(self, representation_dict: Mapping[str, Tensor]) -> Tensor:
        """Return a dictionary of `convert_to_dict` as a representation (b, 1, n)."""
        own = self.texture.convert_to_tensor(representation_dict)
        shared = self.layout.to_tensor(representation_dict)
        return torch.cat([own.flatten(1).unsqueeze(1), shared], dim=-1)

    def remove_scales(
        self, representation_tensor: Tensor, scales_to_keep: Collection[TextureScale]
    ) -> Tensor:
        """Return a representation of all scales without the statistics of scales not in `scales_to_keep`."""
        keep = self.texture.known_scales(scales_to_keep)
        own, shared = self._split(representation_tensor)
        kept = self.texture.remove_scales(own, keep).flatten(1).unsqueeze(1)
        chosen = torch.tensor([scale in keep for scale in self.layout.scales()])
        return torch.cat([kept, shared[..., chosen.to(shared.device)]], dim=-1)

    def _channels(self, image: Tensor) -> Tensor:
        real_images(image, "this model", channels=3, size=self.texture.image_shape)
        return torch.einsum("ij,bjhw->bihw", self.basis.to(image), image)

    def _split(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        """Return the statistics of the three channels (b, 3, n) and those between channels (b, 1, m)."""
        own = 3 * len(self.texture.layout.scales())
        whole = own + len(self.layout.scales())
        if representation.dim() != 3 or representation.shape[-1] != whole:
            raise InputError(
                f"a representation of all scales must have shape (batch, 1, {whole}); not "
                f"{tuple(representation.shape)}"
            )
        return representation[:, 0, :own].unflatten(-1, (3, -1)), representation[..., own:]


def _add_shared(shared: Pieces, part: ScaleImages) -> None:
    """Add the products of all pairs of channels at one scale to the pieces."""
    least = part.least.view(-1, 3)
    _add_products(shared, "low", part.scale, part.pixels.unflatten(0, (-1, 3)), least)
    if part.band is not None:
        for kind, maps in (("magnitude", part.band.magnitude), ("real", part.band.real)):
            both = maps.unflatten(0, (-1, 3)).flatten(1, 2)
            each = least.repeat_interleave(maps.shape[1], dim=1)
            _add_products(shared, kind, part.scale, both, each)


def _add_pixels(shared: Pieces, images: Tensor, noise: Tensor) -> None:
    away, _ = centred(images)
    least = (images.shape[-2] * images.shape[-1] * noise).sqrt().view(-1, 3)
    _add_products(shared, "pixels", "pixel_statistics", away.unflatten(0, (-1, 3)), least)


def _add_products(
    pieces: Pieces, kind: str, scale: TextureScale, maps: Tensor, least: Tensor
) -> None:
    pieces.sums[f"{kind} map_products", scale] = map_products(maps, maps)
    pieces.add_norms(kind, scale, map_norms(maps), least)


def _shared_layout(n_scales: int, n_orientations: int) -> Layout:
    """Return the layout of correlations between channels, with each pair of channels once."""
    bands: TextureScales = tuple(range(n_scales))

    def group(name: str, kind: str, per_channel: int, scales: TextureScales) -> Group:
        count = 3 * per_channel
        first = torch.arange(count).repeat_interleave(count)
        second = torch.arange(count).repeat(count)
        kept = (second // per_channel < first // per_channel).nonzero().squeeze(-1)
        shape = (3, 3) if per_channel == 1 else (3, per_channel, 3, per_channel)
        return Group(
            name=f"cross_channel_correlation_{name}",
            shape=shape,
            kept=kept,
            scales=scales,
            sums=f"{kind} map_products",
            entries=kept,
            norms=((kind, first[kept]), (kind, second[kept])),
        )

    return Layout(
        groups=(
            group("pixels", "pixels", 1, ("pixel_statistics",)),
            group("reconstructed", "low", 1, (*bands, "residual_lowpass")),
            group("magnitude", "magnitude", n_orientations, bands),
            group("real", "real", n_orientations, bands),
        )
    )
