"""Windows that grow with eccentricity: raised cosines or Gaussians in polar angle and log eccentricity.

The windows follow J. Freeman & E. P. Simoncelli (2011), "Metamers of the ventral stream", Nature
Neuroscience 14, 1195–1201 (online methods). Each is a product of a function of log eccentricity and a
function of polar angle, so all have the same shape, and their size grows with the distance from fixation.
Metamer experiments vary `scaling`, the ratio of size to eccentricity.
"""

# A pixel lies in a few windows only (2 × 2 raised cosines), so averaging is one product with a sparse
# matrix (`transforms.averages`), whose cost does not grow with the number of windows.

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from stimsynth.numerics.caching import cached_tensors
from stimsynth.transforms.averages import Averages, make_averages
from stimsynth.validate.gates import a_device, a_dtype, two_numbers
from stimsynth.validate.images import image_size
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import (
    a_number,
    a_positive,
    check_fields,
    like,
    one_of,
    optional,
    takes,
)
from stimuli_store.tools.whole import pair

WINDOW_TYPES = ("raised_cosine", "gaussian")
_TRANSITION = 0.5  # width, in spacings, over which a raised cosine falls from one to zero
_OVERLAP = {"raised_cosine": 1.0, "gaussian": 1.5}  # full width at half height, in spacings
_STD = _OVERLAP["gaussian"] / math.sqrt(8 * math.log(2))  # of a Gaussian, in spacings
_REACH = 3  # neighbours on each side for which a Gaussian is computed: 4.7 standard deviations


@dataclass(frozen=True, kw_only=True)
class LogPolar:
    r"""Layout of windows that grow with eccentricity, on an image of (height, width) pixels.

    Rings are centred on eccentricities :math:`e_k = e_0 \exp((k + 1/2) d)`, evenly spaced in log
    eccentricity. A raised cosine crosses half its height halfway to the next ring's centre, so its full
    radial width at half height is :math:`2 e_k \sinh(d / 2)`; hence :math:`d = 2 \sinh^{-1}(s / 2)` for
    a scaling s, exactly. The number of rings is the one that fits best between `min_ecc` and `max_ecc`.
    The number of windows around the circle is the whole number that fits `aspect` best;
    `effective_aspect` is the resulting value.

    Pixels nearer than `min_ecc` are the fovea, which no window covers. The outermost ring contains all
    pixels further out.

    Parameters
    ----------
    image_shape
        (height, width) in pixels.
    ppd
        Pixels per degree of visual angle.
    scaling
        Radial full width at half height of a window, divided by the eccentricity of its centre.
    min_ecc
        Radius of the fovea in degrees.
    max_ecc
        Outer limit of the rings, in degrees of eccentricity; None for the most distant pixel.
    fixation
        Point of fixation as (row, column) in pixels, where (0, 0) is the centre of the first pixel; None
        for the centre of the image.
    window_type
        ``"raised_cosine"``, flat in the middle half as in Freeman & Simoncelli (2011), or
        ``"gaussian"``, with 1.5 windows per width at half height, divided by their sum. The width of
        Gaussians agrees with `scaling` to 1 %.
    aspect
        Ratio of radial to tangential width.

    Raises
    ------
    InputError
        If an argument is out of range, or no ring fits.

    Examples
    --------
    >>> windows = LogPolar(image_shape=(256, 256), ppd=32, scaling=0.5)
    >>> windows.n_rings, windows.n_angles, round(windows.effective_aspect, 3)
    (5, 25, 1.989)
    """

    image_shape: tuple[int, int]
    ppd: float
    scaling: float = 0.5
    min_ecc: float = 0.5
    max_ecc: float | None = None
    fixation: tuple[float, float] | None = None
    window_type: str = "raised_cosine"
    aspect: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_shape", image_size(self.image_shape, 1))
        if self.fixation is not None:
            object.__setattr__(
                self, "fixation", two_numbers(self.fixation, "fixation, (row, column),")
            )
        check_fields(
            self,
            window_type=one_of(*WINDOW_TYPES),
            max_ecc=optional(a_number),
            **dict.fromkeys(("ppd", "scaling", "min_ecc", "aspect"), a_positive),
        )
        if self.max_ecc is not None and not self.min_ecc < self.max_ecc < math.inf:
            raise InputError(
                f"max_ecc must be above min_ecc, {self.min_ecc:g} degrees; not {self.max_ecc}"
            )
        if not self.min_ecc < self.extent:
            raise InputError(
                f"a fovea of {self.min_ecc:g} degrees covers the whole image, which extends to "
                f"{self.extent:.3g} degrees at {self.ppd:g} pixels per degree; lower min_ecc"
            )
        if self._rings_that_fit < 0.5:
            raise InputError(
                f"no ring of windows with a scaling of {self.scaling:g} fits between "
                f"{self.min_ecc:g} and {self.outer_ecc:.3g} degrees; lower scaling or min_ecc"
            )

    @property
    def fixated(self) -> tuple[float, float]:
        """Fixation as (row, column) in pixels, by default the centre of the image."""
        height, width = self.image_shape
        return self.fixation or ((height - 1) / 2, (width - 1) / 2)

    @property
    def extent(self) -> float:
        """Eccentricity of the most distant pixel, in degrees."""
        away = (
            max(abs(at), abs(n - 1 - at))
            for n, at in zip(self.image_shape, self.fixated, strict=True)
        )
        return math.hypot(*away) / self.ppd

    @property
    def outer_ecc(self) -> float:
        """Outer limit of the rings, in degrees of eccentricity."""
        return self.extent if self.max_ecc is None else self.max_ecc

    @property
    def spacing(self) -> float:
        """Distance between neighbouring rings in log eccentricity."""
        return 2 * math.asinh(self.scaling / 2) / _OVERLAP[self.window_type]

    @property
    def _rings_that_fit(self) -> float:
        return math.log(self.outer_ecc / self.min_ecc) / self.spacing

    @property
    def n_rings(self) -> int:
        """Number of rings."""
        return max(1, round(self._rings_that_fit))

    @property
    def n_angles(self) -> int:
        """Number of windows around the circle."""
        width = self.scaling / self.aspect
        return max(1, round(2 * math.pi * _OVERLAP[self.window_type] / width))

    @property
    def angular_width(self) -> float:
        """Full width of a window at half height along the circle, in radians."""
        return 2 * math.pi * _OVERLAP[self.window_type] / self.n_angles

    @property
    def effective_aspect(self) -> float:
        """Ratio of radial to tangential width, with a whole number of windows around the circle."""
        return self.scaling / self.angular_width

    @cached_property
    def ring_ecc(self) -> tuple[float, ...]:
        """Eccentricities of the rings' centres, in degrees."""
        return tuple(self.min_ecc * math.exp((k + 0.5) * self.spacing) for k in range(self.n_rings))


@takes(
    layout=like("a LogPolar", "image_shape", "fixated"),
    dtype=a_dtype,
    device=a_device,
    grid=optional(pair),
)
@cached_tensors(maxsize=64)
def window_averages(
    layout: LogPolar,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    grid: tuple[int, int] | None = None,
) -> Averages:
    """Return the windows of a log-polar layout as weighted averages of pixels.

    Window k of ring r is number ``r * n_angles + k``; its centre is at polar angle
    ``(k + 1/2) * 2π / n_angles``, counted from the right of fixation downwards. Windows sum to one at
    every pixel outside the fovea. A window whose weights in the image sum to less than 0.1 is left out,
    and the others at its pixels are scaled up.

    Parameters
    ----------
    layout
        Layout of the windows.
    dtype, device
        Type and device of the maps to average.
    grid
        (height, width) of the maps, whose samples lie evenly on the image from its first pixel on, as
        in a pyramid; None for the image's own size.

    Raises
    ------
    InputError
        If all samples lie in the fovea.

    Examples
    --------
    >>> windows = window_averages(LogPolar(image_shape=(64, 64), ppd=16))
    >>> windows.means(torch.ones(1, 3, 64, 64)).shape
    torch.Size([1, 3, 75])
    """
    shape = layout.image_shape if grid is None else pair(grid, "grid")
    rows, columns = (
        torch.arange(n, dtype=torch.float64) * (whole / n) - at
        for n, whole, at in zip(shape, layout.image_shape, layout.fixated, strict=True)
    )
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    eccentricity = torch.hypot(down, right).flatten() / layout.ppd
    outside = (eccentricity >= layout.min_ecc).nonzero().squeeze(1)
    if not len(outside):
        raise InputError(
            f"all {shape[0]}x{shape[1]} samples lie in the fovea; lower min_ecc or n_scales"
        )
    angle = torch.atan2(down, right).flatten()[outside] / (2 * math.pi)
    ring = torch.log(eccentricity[outside] / layout.min_ecc) / layout.spacing - 0.5
    windows, weights = _meet(layout, ring, angle)
    pixels = outside.expand_as(windows)
    return make_averages(
        (windows.flatten(), pixels.flatten(), weights.flatten()), shape, dtype, device
    )


def _meet(layout: LogPolar, ring: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return the indices and weights of the windows at each pixel, each of shape (k, pixels).

    `ring` (pixels,) is the place in units of rings from the first ring's centre, `angle` is in turns.
    """
    kind = layout.window_type
    rings, radial = _neighbours(ring.clamp(0, layout.n_rings - 1), kind)
    radial = torch.where((rings >= 0) & (rings < layout.n_rings), radial, 0)
    radial = radial / radial.sum(dim=0)
    angles, angular = _neighbours(angle * layout.n_angles - 0.5, kind)
    windows = rings.unsqueeze(1) * layout.n_angles + angles.unsqueeze(0) % layout.n_angles
    return windows.flatten(0, 1), (radial.unsqueeze(1) * angular.unsqueeze(0)).flatten(0, 1)


def _neighbours(place: Tensor, window_type: str) -> tuple[Tensor, Tensor]:
    """Return the indices and weights of the windows at each place along one axis, each (k, pixels).

    Window i is centred on place i; the weights of a place sum to one.
    """
    before = torch.floor(place)
    if window_type == "raised_cosine":
        phase = ((place - before - 0.5) / _TRANSITION + 0.5).clamp(0, 1)
        after = torch.sin(math.pi / 2 * phase) ** 2
        return torch.stack([before, before + 1]).long(), torch.stack([1 - after, after])
    offsets = torch.arange(1 - _REACH, _REACH + 1, dtype=place.dtype).unsqueeze(1)
    weights = torch.exp(-((place - before - offsets) ** 2) / (2 * _STD**2))
    return (before + offsets).long(), weights / weights.sum(dim=0)
