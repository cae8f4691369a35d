"""Lists of single pictures made from batches of tensors: images, channels, colours, complex parts."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from stimsynth.images.arrays import to_numpy
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.whole import whole

Pictures = Tensor | np.ndarray | Sequence[Tensor | np.ndarray]
_CHANNELS = (1, 3, 4)
Parts = tuple[tuple[str, np.ndarray], ...]


@dataclass(frozen=True, kw_only=True)
class Single:
    """A single picture or video: its values, and the name of a complex part.

    Attributes
    ----------
    values
        Real; shape (…, height, width), or (…, height, width, 3 or 4) for colours.
    part
        Name of the complex part; empty for real values.
    colored
        Whether the last axis holds colours.
    frame
        Height and width of each frame, if it is a sheet of several.
    """

    values: np.ndarray
    part: str = ""
    colored: bool = False
    frame: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        shape = self.values.shape[:-1] if self.colored else self.values.shape
        return shape[-2], shape[-1]


def single_pictures(
    given: Pictures,
    *,
    dims: tuple[str, ...] = ("batch", "channel", "height", "width"),
    plot_complex: str = "rectangular",
    batch_idx: int | None = None,
    channel_idx: int | None = None,
    as_rgb: bool = False,
) -> list[Single]:
    """Return the pictures of a tensor, or of each tensor of a list, one by one.

    Parameters
    ----------
    given
        Tensor or list of tensors. One with only height and width is one picture.
    dims
        Names of a tensor's dimensions; the first two are chosen from, the others are kept.
    plot_complex
        ``"rectangular"``, ``"polar"`` or ``"logpolar"``: the two parts of complex values.
    batch_idx, channel_idx
        Number in the batch, and of the channel; None for all.
    as_rgb
        Whether channels are red, green, blue, and opacity if there is a fourth.

    Raises
    ------
    InputError
        If a tensor cannot be shown so.
    """
    if as_rgb and channel_idx is not None:
        raise InputError("as_rgb shows all channels together; leave out channel_idx or as_rgb")
    tensors = list(given) if isinstance(given, list | tuple) else [given]
    if not tensors:
        raise InputError("there is nothing to show; give a tensor, or a list with at least one")
    return [
        single
        for tensor in tensors
        for values in _chosen(_values(tensor, dims), dims, batch_idx, channel_idx, as_rgb)
        for single in _parts(values, plot_complex, as_rgb)
    ]


def _values(tensor: Any, dims: tuple[str, ...]) -> np.ndarray:
    """Return a tensor as an array with all dimensions."""
    if not isinstance(tensor, Tensor | np.ndarray):
        raise WrongType(
            f"pictures are tensors or arrays ({', '.join(dims)}), or a list of such; not {tensor!r:.60}"
        )
    array = to_numpy(tensor)
    if array.ndim == len(dims) - 2:
        array = array[None, None]
    if array.ndim != len(dims) or 0 in array.shape:
        raise InputError(
            f"pictures must have shape ({', '.join(dims)}) or ({', '.join(dims[2:])}), with no dimension of "
            f"0; not {array.shape}{_way_out(array.shape, dims, isinstance(tensor, Tensor))}"
        )
    if array.dtype.kind not in "biufc":
        raise InputError(f"pictures must be numbers; not of dtype {array.dtype}")
    small = array.dtype.kind in "biu" or array.dtype == np.float16
    return array.astype(np.float64) if small else array


def _way_out(shape: tuple[int, ...], dims: tuple[str, ...], is_tensor: bool) -> str:
    """Return how to turn one image with its channels last or first into a batch; empty for other shapes."""
    if len(shape) != 3 or len(dims) != 4:
        return ""
    if shape[0] in _CHANNELS:
        return ": image[None] makes (channel, height, width) a batch"
    turned = "permute" if is_tensor else "transpose"
    last = f": image.{turned}(2, 0, 1)[None] turns (height, width, channel) into a batch"
    return last if shape[2] in _CHANNELS else ""


def _chosen(
    array: np.ndarray,
    dims: tuple[str, ...],
    batch_idx: int | None,
    channel_idx: int | None,
    as_rgb: bool,
) -> Iterator[np.ndarray]:
    if batch_idx is not None:
        array = array[[_place(batch_idx, "batch_idx", len(array))]]
    if channel_idx is not None:
        array = array[:, [_place(channel_idx, "channel_idx", array.shape[1])]]
    batch, channels = array.shape[:2]
    if as_rgb:
        if channels not in (3, 4):
            raise InputError(
                f"as_rgb needs 3 channels, or 4 with the opacity; these have {channels}"
            )
        yield from np.moveaxis(array, 1, -1)
    elif batch > 1 and channels > 1:
        raise InputError(
            f"{batch} images with {channels} channels each cannot all be shown; give batch_idx or "
            "channel_idx, or as_rgb=True for colours"
        )
    else:
        yield from array.reshape(batch * channels, *array.shape[2:])


def _place(number: Any, name: str, count: int) -> int:
    number = whole(number, name)
    if not -count <= number < count:
        raise InputError(f"{name} must be from 0 to {count - 1}; there is no {number}")
    return number


def _parts(values: np.ndarray, plot_complex: str, as_rgb: bool) -> Iterator[Single]:
    if not np.iscomplexobj(values):
        yield Single(values=values, colored=as_rgb)
        return
    if as_rgb:
        raise InputError("complex values have no colours; leave out as_rgb")
    for part, real in complex_parts(values, plot_complex):
        yield Single(values=real, part=part)


def complex_parts(values: np.ndarray, plot_complex: str) -> Parts:
    """Return the two parts of complex values with their names.

    Parameters
    ----------
    values
        Complex, any shape.
    plot_complex
        ``"rectangular"``, ``"polar"`` or ``"logpolar"``; another word gives a warning and the first.

    Examples
    --------
    >>> [(name, x.round(2).tolist()) for name, x in complex_parts(np.array([4j]), "logpolar")]
    [('log2 amplitude', [2.0]), ('phase', [1.57])]
    """
    if plot_complex not in _COMPLEX:
        warnings.warn(
            f"plot_complex must be one of {', '.join(_COMPLEX)}; {plot_complex!r} is none of them, so "
            "that the real and imaginary parts are shown",
            stacklevel=2,
        )
    return _COMPLEX.get(plot_complex, _rectangular)(values)


def _rectangular(z: np.ndarray) -> Parts:
    return ("real", z.real), ("imaginary", z.imag)


def _polar(z: np.ndarray) -> Parts:
    return ("amplitude", np.abs(z)), ("phase", np.angle(z))


def _log_polar(z: np.ndarray) -> Parts:
    size = np.abs(z)
    least = size[size > 0].min(initial=np.inf)  # an amplitude of 0 is shown like the least above 0
    floor = least if np.isfinite(least) else 1.0
    return ("log2 amplitude", np.log2(np.maximum(size, floor))), ("phase", np.angle(z))


_COMPLEX: dict[str, Callable[[np.ndarray], Parts]] = {
    "rectangular": _rectangular,
    "polar": _polar,
    "logpolar": _log_polar,
}
