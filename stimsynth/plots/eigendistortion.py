"""Pictures of eigendistortions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from stimsynth.plots.checks import check_axes, check_kind, check_place
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimsynth.validate.inputs import finite_number, is_whole
from stimuli_store.errors import InputError, WrongType, unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Distortions(Protocol):
    """What is shown of: an `Eigendistortion`, or anything with these three tensors."""

    @property
    def image(self) -> Tensor:
        """Shape (batch, channel, height, width)."""

    @property
    def eigendistortions(self) -> Tensor:
        """Shape (n, channel, height, width), or (batch, n, channel, height, width)."""

    @property
    def eigenindex(self) -> Tensor:
        """Rank of each of the n, shape (n,)."""


def _as_it_is(image: Tensor) -> Tensor:
    return image


_COMPLEX: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "rectangular": lambda z: (z.real, z.imag),
    "polar": lambda z: (z.abs(), z.angle()),
    "logpolar": lambda z: (torch.log2(z.abs()), z.angle()),
}


def display_eigendistortion(
    eigendistortion: Distortions,
    eigenindex: int = 0,
    alpha: float = 5.0,
    process_image: Callable[[Tensor], Tensor] = _as_it_is,
    ax: "Axes | None" = None,
    plot_complex: Literal["rectangular", "polar", "logpolar"] = "rectangular",
    *,
    batch_idx: int = 0,
    as_rgb: bool = False,
    zoom: float = 1.0,
    vrange: str | Range = (0.0, 1.0),
    title: str | None = None,
    **kwargs: Any,
) -> "Figure":
    """Show an image with one of its eigendistortions added to it.

    Parameters
    ----------
    eigendistortion
        An `Eigendistortion` after `synthesize`, or anything with its tensors `image`, `eigendistortions`
        and `eigenindex`.
    eigenindex
        Rank of the distortion among all n eigenvalues: 0 for the most noticeable one, -1 or n - 1 for
        the least.
    alpha
        Factor of the distortion, which is of unit norm.
    process_image
        Function of image + alpha * distortion, (1, channel, height, width), that undoes what the model's
        input went through (a z-score, for example). Its result is clamped to [0, 1].
    ax
        Where to draw; None for a new figure.
    plot_complex
        What to show of a complex result, side by side and not clamped: real and imaginary part, magnitude
        and phase (``"polar"``), or log2 magnitude and phase (``"logpolar"``).
    batch_idx
        Which image of a batch.
    as_rgb
        Show three channels as red, green and blue. If False, channels are averaged.
    zoom
        Display pixels for a pixel, of a new figure.
    vrange
        See `stimsynth.plots.ranges.display_ranges`.
    title
        Title of the picture; None for the rank and alpha.
    kwargs
        More arguments of `matplotlib.axes.Axes.imshow`.

    Returns
    -------
    Figure
        The figure, or that of `ax`.

    Raises
    ------
    InputError
        If that distortion was not synthesized, or an argument makes no sense.
    MissingExtra
        If matplotlib is not installed.
    """
    check_kind(eigendistortion, ("eigenindex", "eigendistortions"), "Eigendistortion")
    check_axes(ax)
    alpha = finite_number(alpha, "alpha, the norm of the distortion that is added,")
    if not callable(process_image):
        raise WrongType(f"process_image is a function of an image; not {process_image!r}")
    count = len(eigendistortion.image)
    if not is_whole(batch_idx, 0) or batch_idx >= count:
        raise InputError(
            f"there are {count} images in the batch; there is no batch_idx {batch_idx}"
        )
    image = eigendistortion.image[batch_idx]
    chosen = _choose(eigendistortion, eigenindex, batch_idx)
    shown = process_image((image + alpha * chosen)[None])[0].detach()
    if shown.is_complex():
        if plot_complex not in _COMPLEX:
            raise unknown_name("plot_complex", plot_complex, list(_COMPLEX))
        parts = _COMPLEX[plot_complex](shown)
        pixels = np.concatenate([_pixels(part, as_rgb) for part in parts], axis=1)
    else:
        pixels = _pixels(shown.clamp(0, 1), as_rgb)
    (limits,) = display_ranges([pixels], vrange)
    name = f"eigendistortion {eigenindex}, alpha {alpha:g}" if title is None else title
    panel = Panel(pixels=pixels, title=name, shown=limits)
    if ax is None:
        return panel_figure([[panel]], zoom=zoom, **kwargs)
    style = {"cmap": "gray", "interpolation": "nearest", "vmin": limits[0], "vmax": limits[1]}
    ax.imshow(pixels, **{**style, **kwargs})
    ax.set_title(name)
    ax.set_axis_off()
    return ax.get_figure(root=True)  # type: ignore[return-value]


def _choose(eigendistortion: Distortions, eigenindex: int, batch_idx: int) -> Tensor:
    """Return the distortion of this rank, shape (channel, height, width)."""
    count = eigendistortion.image[0].numel()
    ranks = eigendistortion.eigenindex.tolist()
    check_place(eigenindex, "eigenindex")
    if not -count <= eigenindex < count or eigenindex % count not in ranks:
        raise InputError(
            f"eigenindex is the rank of a synthesized eigendistortion, one of {ranks} (-1 is {count - 1}); "
            f"not {eigenindex}"
            if ranks
            else "no eigendistortions yet; call synthesize() first"
        )
    every = eigendistortion.eigendistortions
    mine = every[batch_idx] if every.dim() == 5 else every
    return mine[ranks.index(eigenindex % count)]


def _pixels(shown: Tensor, as_rgb: bool) -> np.ndarray:
    """Return (height, width), or (height, width, 3), from (channel, height, width)."""
    if as_rgb:
        if len(shown) != 3:
            raise InputError(f"as_rgb takes three channels; this image has {len(shown)}")
        return shown.permute(1, 2, 0).cpu().numpy()
    return shown.mean(dim=0).cpu().numpy()
