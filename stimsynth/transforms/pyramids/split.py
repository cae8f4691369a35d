"""Linear map from images to the levels of a steerable pyramid, and its transpose."""

# For automatic differentiation the whole map is one operation, and its derivative is the transpose, written
# out: torch would store, and sum again, the results of about a hundred small operations.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stimsynth.numerics.caching import Tables
from stimsynth.numerics.custom_gradients import CustomGradient
from stimsynth.transforms.pyramids.layout import PyramidLevel, ResidualLevel
from stimsynth.transforms.spectra import Size, columns_counted, crop_spectrum, paired, weigh

_TABLES: Mapping[ResidualLevel, str] = {"residual_highpass": "high", "residual_lowpass": "low"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Splitting:
    """Linear map from images of one type to the coefficients of a steerable pyramid.

    Attributes
    ----------
    tables
        Transfer functions of residuals, ``"high"`` and ``"low"``, `paired`; of bands, ``"bands 0"``, …,
        as `torch.view_as_real` of complex ones; and the tables that `splitting_tables` adds.
    sizes
        (height, width) of each level.
    order
        Order of the derivative; the transfer functions of bands are imaginary if it is odd, else real.
    is_complex
        Whether bands are complex; their transfer functions then have the layout of `torch.fft.fft2`,
        else of `torch.fft.rfft2`.
    norm
        Normalization of the Fourier transforms, ``"ortho"`` or ``"backward"``.
    """

    tables: Tables
    sizes: Mapping[PyramidLevel, Size]
    order: int
    is_complex: bool
    norm: str

    def split(self, images: Tensor, levels: Sequence[PyramidLevel]) -> dict[PyramidLevel, Tensor]:
        """Return the coefficients, by level, of images (b, c, h, w) on some levels."""
        # A compiler derives its own derivatives, but cannot look into a custom autograd function.
        split = _apart if torch.compiler.is_compiling() else _Apart.apply
        return dict(zip(levels, split(self, levels, images), strict=True))

    @property
    def norm_back(self) -> str:
        """Normalization of the inverse transforms that are the transposes of transforms with `norm`."""
        return "ortho" if self.norm == "ortho" else "forward"

    def spectrum(self, maps: Tensor, norm: str) -> Tensor:
        """Return the Fourier transform of maps in the layout of the bands' transfer functions."""
        return (torch.fft.fft2 if self.is_complex else torch.fft.rfft2)(maps, norm=norm)

    def shape(self, level: PyramidLevel) -> Size:
        """Return the shape of a level's spectrum: a half spectrum for real levels, else a whole one."""
        height, width = self.sizes[level]
        whole = self.is_complex and isinstance(level, int)
        return height, width if whole else width // 2 + 1

    def crop(self, spectrum: Tensor, level: PyramidLevel) -> Tensor:
        """Return the spectrum (b, c, h_s, w_s) of a level, cropped from the next finer scale's."""
        shape, places = self.shape(level), self.tables.get(f"places {level}")
        if places is None:
            return spectrum[..., : shape[1]]
        index = places.expand(*spectrum.shape[:2], -1)
        return spectrum.flatten(2).gather(-1, index).unflatten(-1, shape)

    def add_crop(self, spectrum: Tensor, level: PyramidLevel, part: Tensor) -> None:
        """Add a level's spectrum to the next finer scale's, in place: the transpose of `crop`."""
        places = self.tables.get(f"places {level}")
        if places is None:
            spectrum[..., : part.shape[-1]] += part
        else:
            index = places.expand(*spectrum.shape[:2], -1)
            spectrum.flatten(2).scatter_add_(-1, index, part.flatten(2))


def splitting_tables(
    tables: Tables, sizes: Mapping[PyramidLevel, Size], is_complex: bool, order: int
) -> Tables:
    """Return the tables of a `Splitting`: transfer functions, indices for cropping, transposed weights.

    ``"places s"`` holds the flat indices of level s in the spectrum of the next finer scale, if it is a
    part of it; ``"high transposed"`` and ``"low transposed"`` the weights of residuals in the transpose.
    """
    finer = sizes["residual_highpass"]
    found = dict(tables)
    for level, size in sizes.items():
        if size != finer:
            columns = finer[1] if is_complex else finer[1] // 2 + 1
            grid = torch.arange(finer[0] * columns).view(finer[0], columns)
            half = not is_complex or isinstance(level, str)
            source = grid[:, : finer[1] // 2 + 1] if half else grid
            found[f"places {level}"] = crop_spectrum(source, size, half=half).flatten()
        finer = size
    for name, level in (("high", "residual_highpass"), ("low", "residual_lowpass")):
        # A half spectrum that is added to a whole one, of which the real part is taken, counts twice.
        count = columns_counted(sizes[level][1]) if is_complex else 1
        found[f"{name} transposed"] = paired((-1) ** order * tables[name][..., 0] * count)
    return found


def _apart(
    splitting: Splitting, levels: Sequence[PyramidLevel], images: Tensor
) -> tuple[Tensor, ...]:
    spectrum = splitting.spectrum(images, splitting.norm)
    # All crops before the first band, each from the one before: bands displace the spectrum from the cache.
    parts: dict[PyramidLevel, Tensor] = {}
    for level in splitting.sizes:
        parts[level] = splitting.crop(spectrum, level)
        if isinstance(level, int):
            spectrum = parts[level]
    return tuple(
        _bands(splitting, level, parts[level])
        if isinstance(level, int)
        else _residual(splitting, level, parts[level])
        for level in levels
    )


def _joined(
    splitting: Splitting, levels: Sequence[PyramidLevel], coefficients: Sequence[Tensor]
) -> Tensor:
    """Return the transpose of the pyramid: images (b, c, h, w) from coefficients on some levels."""
    # The transpose uses complex conjugates; functions of an odd order are imaginary, so the sign of the
    # sum is changed at the end.
    given = dict(zip(levels, coefficients, strict=True))

    def zeros(size: Size) -> Tensor:
        some = coefficients[0]
        shape = (*some.shape[:2], size[0], size[1] if splitting.is_complex else size[1] // 2 + 1)
        return some.new_zeros(shape, dtype=some.real.dtype.to_complex())

    coarser: tuple[PyramidLevel, Tensor] | None = None
    for level in reversed([level for level in splitting.sizes if level != "residual_highpass"]):
        own = _back(splitting, level, given[level]) if level in given else None
        if coarser is not None:
            own = zeros(splitting.sizes[level]) if own is None else own
            splitting.add_crop(own, *coarser)
        coarser = None if own is None else (level, own)
    size = splitting.sizes["residual_highpass"]
    if coarser is not None and coarser[0] == 0:  # sees the whole spectrum
        spectrum = coarser[1]
    else:
        spectrum = zeros(size)
        if coarser is not None:
            splitting.add_crop(spectrum, *coarser)
    if "residual_highpass" in given:
        high = _back(splitting, "residual_highpass", given["residual_highpass"])
        splitting.add_crop(spectrum, "residual_highpass", high)
    if splitting.is_complex:
        image = torch.fft.ifft2(spectrum, norm=splitting.norm_back).real
    else:
        image = torch.fft.irfft2(spectrum, s=size, norm=splitting.norm_back)
    return image.neg() if splitting.order % 2 else image


def _bands(splitting: Splitting, level: int, spectrum: Tensor) -> Tensor:
    bands = spectrum.unsqueeze(2) * torch.view_as_complex(splitting.tables[f"bands {level}"])
    if splitting.is_complex:
        return torch.fft.ifft2(bands, norm=splitting.norm)
    return torch.fft.irfft2(bands, s=splitting.sizes[level], norm=splitting.norm)


def _residual(splitting: Splitting, level: ResidualLevel, spectrum: Tensor) -> Tensor:
    weighed = weigh(spectrum, splitting.tables[_TABLES[level]])
    return torch.fft.irfft2(weighed, s=splitting.sizes[level], norm=splitting.norm)


def _back(splitting: Splitting, level: PyramidLevel, values: Tensor) -> Tensor:
    if isinstance(level, int):
        spectra = splitting.spectrum(values, splitting.norm_back)
        return spectra.mul_(torch.view_as_complex(splitting.tables[f"bands {level}"])).sum(dim=2)
    spectrum = torch.fft.rfft2(values, norm=splitting.norm_back)
    return weigh(spectrum, splitting.tables[f"{_TABLES[level]} transposed"])


class _Apart(CustomGradient):
    generate_vmap_rule = False  # torch has none for levels, a list, in forward mode

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        splitting: Splitting,
        levels: Sequence[PyramidLevel],
        images: Tensor,
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        flat = _one_batch(images, in_dims[2], info.batch_size)
        found = _Apart.apply(splitting, levels, flat)
        return tuple(maps.unflatten(0, (info.batch_size, -1)) for maps in found), (0,) * len(found)

    @staticmethod
    def forward(
        splitting: Splitting, levels: Sequence[PyramidLevel], images: Tensor
    ) -> tuple[Tensor, ...]:
        return _apart(splitting, levels, images)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.splitting, ctx.levels, _ = inputs
        ctx.set_materialize_grads(False)  # levels without gradients cost nothing

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[None, None, Tensor | None]:
        given = [(k, g) for k, g in zip(ctx.levels, grads, strict=True) if g is not None]
        if not given:
            return None, None, None
        levels, coefficients = zip(*given, strict=True)
        return None, None, _Joined.apply(ctx.splitting, levels, *coefficients)

    @staticmethod
    def jvp(ctx: Any, _splitting: None, _levels: None, tangent: Tensor) -> tuple[Tensor, ...]:
        return _Apart.apply(ctx.splitting, ctx.levels, tangent)


class _Joined(CustomGradient):
    generate_vmap_rule = False

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        splitting: Splitting,
        levels: Sequence[PyramidLevel],
        *coefficients: Tensor,
    ) -> tuple[Tensor, int]:
        given = zip(coefficients, in_dims[2:], strict=True)
        flat = [_one_batch(maps, place, info.batch_size) for maps, place in given]
        images = _Joined.apply(splitting, levels, *flat)
        return images.unflatten(0, (info.batch_size, -1)), 0

    @staticmethod
    def forward(
        splitting: Splitting, levels: Sequence[PyramidLevel], *coefficients: Tensor
    ) -> Tensor:
        return _joined(splitting, levels, coefficients)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.splitting, ctx.levels, *_ = inputs

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        return None, None, *_Apart.apply(ctx.splitting, ctx.levels, grad)

    @staticmethod
    def jvp(ctx: Any, _splitting: None, _levels: None, *tangents: Tensor) -> Tensor:
        return _Joined.apply(ctx.splitting, ctx.levels, *tangents)


def _one_batch(maps: Tensor, place: int | None, count: int) -> Tensor:
    """Return maps that `vmap` vectorizes along the axis `place` (or not at all) as (count * b, …)."""
    each = maps.expand(count, *maps.shape) if place is None else maps.movedim(place, 0)
    return each.flatten(0, 1)
