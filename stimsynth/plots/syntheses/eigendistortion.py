"""Plots of eigendistortions."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimsynth.plots.checks import check_kind, check_options
from stimsynth.plots.gates import a_title, drawing_axes, drawn_with
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimuli_store.errors import InputError, WrongType, unknown_name
from stimuli_store.tools.gates import a_function, a_list, a_yes_or_no, briefly, optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Distortions(Protocol):
    """Interface of objects to plot: an `Eigendistortion`, or anything with these three tensors."""

    @property
    def image(self) -> Tensor:
        """Image, shape (batch, channel, height, width)."""

    @property
    def eigendistortions(self) -> Tensor:
        """Eigendistortions, shape (n, channel, height, width) or (batch, n, channel, height, width)."""

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


@takes(ax=drawing_axes, process_image=a_function, as_rgb=a_yes_or_no, title=optional(a_title))
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
) -> "Axes":
    """Draw an image with one of its eigendistortions added.

    Parameters
    ----------
    eigendistortion
        An `Eigendistortion` after `synthesize`, or anything with its tensors `image`, `eigendistortions`
        and `eigenindex`.
    eigenindex
        Rank of the distortion among all n eigenvalues: 0 for the most noticeable one, -1 or n - 1 for
        the least.
    alpha
        Factor of the distortion, whose norm is 1.
    process_image
        Function of image + alpha * distortion, (1, channel, height, width), that undoes the preprocessing
        of the model's input (a z-score, for example). Its result is clamped to [0, 1].
    ax
        Axes to draw on; None for a new figure.
    plot_complex
        Two parts of a complex result, shown side by side and not clamped: real and imaginary part,
        magnitude and phase (``"polar"``), or log2 magnitude and phase (``"logpolar"``).
    batch_idx
        Number of the image in its batch.
    as_rgb
        Show three channels as red, green and blue. If False, channels are averaged.
    zoom
        Display pixels per image pixel in a new figure.
    vrange
        See `stimsynth.plots.ranges.display_ranges`.
    title
        Title of the picture; None for the rank and alpha.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Returns
    -------
    Axes
        Those of the picture; the figure is ``ax.figure``.

    Raises
    ------
    InputError
        If this distortion was not synthesized, or an argument is not valid.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> from stimsynth import Eigendistortion, Gaussian, images, remove_grad
    >>> eig = Eigendistortion(images.load("camera", size=8), remove_grad(Gaussian(3)))
    Initializing Eigendistortion -- Input dim: 64 | Output dim: 64
    >>> eig.synthesize(k=1)
    >>> ax = display_eigendistortion(eig, eigenindex=0, alpha=2.0)
    >>> len(ax.images)
    1
    """
    check_kind(eigendistortion, ("eigenindex", "eigendistortions"), "Eigendistortion")
    alpha = real_number(alpha, "alpha, the norm of the distortion that is added,")
    check_options(kwargs, "imshow", display_eigendistortion)
    batch_idx = _item(eigendistortion, batch_idx)
    image = eigendistortion.image[batch_idx]
    chosen = _choose(eigendistortion, eigenindex, batch_idx)
    shown = _processed(process_image, image + alpha * chosen)
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
        return panel_figure([[panel]], zoom=zoom, **kwargs).axes[0]
    style = {"cmap": "gray", "interpolation": "nearest", "vmin": limits[0], "vmax": limits[1]}
    with drawn_with(kwargs):
        ax.imshow(pixels, **{**style, **kwargs})
    ax.set_title(name)
    ax.set_axis_off()
    return ax


@takes(eigenindex=optional(a_list), process_image=a_function, as_rgb=a_yes_or_no)
def display_eigendistortion_all(
    eigendistortion: Distortions,
    eigenindex: Sequence[int] | None = None,
    alpha: float | Sequence[float] = 5.0,
    process_image: Callable[[Tensor], Tensor] = _as_it_is,
    *,
    batch_idx: int = 0,
    as_rgb: bool = False,
    zoom: float = 1.0,
    vrange: str | Range = (0.0, 1.0),
    **kwargs: Any,
) -> "Figure":
    """Draw the image with each of its eigendistortions added, and below them the distortions alone.

    Parameters
    ----------
    eigendistortion, process_image, batch_idx, as_rgb, zoom, vrange, kwargs
        As for `display_eigendistortion`.
    eigenindex
        Ranks of the distortions; None for all that were synthesized.
    alpha
        Amplitude of all, or a list with one for each.

    Returns
    -------
    Figure
        A column for the image and one for each distortion; blue is negative and red positive.

    Raises
    ------
    InputError
        If a distortion was not synthesized, or an argument is not valid.

    Examples
    --------
    >>> from stimsynth import Eigendistortion, Gaussian, images, remove_grad
    >>> eig = Eigendistortion(images.load("camera", size=32), remove_grad(Gaussian(7, std=2.0)))
    Initializing Eigendistortion -- Input dim: 1024 | Output dim: 1024
    >>> eig.synthesize()
    >>> figure = display_eigendistortion_all(eig, alpha=[3, 4])
    >>> [" ".join(axes.get_title().split()) for axes in figure.axes[:3]]
    ['image', 'eigendistortion 0, alpha 3', 'eigendistortion 1023, alpha 4']
    """
    check_kind(eigendistortion, ("eigenindex", "eigendistortions"), "Eigendistortion")
    check_options(kwargs, "imshow", display_eigendistortion_all)
    ranks = list(eigendistortion.eigenindex.tolist() if eigenindex is None else eigenindex)
    several = isinstance(alpha, Sequence) and not isinstance(alpha, str)
    amplitudes = list(alpha) if several else [alpha] * len(ranks)  # type: ignore[arg-type]
    if not ranks:
        raise InputError("eigenindex is empty; give the ranks of distortions, or None for all")
    if len(amplitudes) != len(ranks):
        raise InputError(
            f"alpha needs one amplitude for each of {len(ranks)} distortions; not {briefly(alpha)}"
        )
    batch_idx = _item(eigendistortion, batch_idx)
    chosen = [_choose(eigendistortion, rank, batch_idx) for rank in ranks]
    image = eigendistortion.image[batch_idx]
    sums = [(image, "image")]
    for rank, amount, one in zip(ranks, amplitudes, chosen, strict=True):
        factor = real_number(amount, "alpha, the norm of the distortion that is added,")
        sums.append((image + factor * one, f"eigendistortion {rank}, alpha {factor:g}"))
    shown = [_pixels(_processed(process_image, x).clamp(0, 1), as_rgb) for x, _ in sums]
    top = [
        Panel(pixels=pixels, title=title, shown=limits)
        for pixels, (_, title), limits in zip(
            shown, sums, display_ranges(shown, vrange), strict=True
        )
    ]
    alone = [one.detach().mean(dim=0).cpu().numpy() for one in chosen]
    below = [
        Panel(pixels=pixels, title=f"±{limits[1]:.2g}", shown=limits, cmap="RdBu_r")
        for pixels, limits in zip(alone, display_ranges(alone, "indep0"), strict=True)
    ]
    # NaN is not drawn: the paper is seen, in dark styles too.
    gap = Panel(pixels=np.full_like(alone[0], np.nan), title="", shown=(0.0, 1.0))
    return panel_figure([top, [gap, *below]], zoom=zoom, **kwargs)


def _item(eigendistortion: Distortions, batch_idx: int) -> int:
    """Return the number of an image, after checking that there is one."""
    count = len(eigendistortion.image)
    batch_idx = whole(batch_idx, "batch_idx", 0)
    if batch_idx >= count:
        raise InputError(f"the batch has {count} images; there is no batch_idx {batch_idx}")
    return batch_idx


def _processed(process_image: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Return what the user's function makes of an image, both (channel, height, width)."""
    shown = process_image(image[None])
    if not isinstance(shown, Tensor) or shown.dim() != 4 or len(shown) != 1:
        raise WrongType(
            "process_image must return a tensor (1, channel, height, width) for such an image; not "
            f"{briefly(tuple(shown.shape) if isinstance(shown, Tensor) else shown)}"
        )
    return shown[0].detach()


def _choose(eigendistortion: Distortions, eigenindex: int, batch_idx: int) -> Tensor:
    """Return the eigendistortion of a rank, shape (channel, height, width)."""
    count = eigendistortion.image[0].numel()
    ranks = eigendistortion.eigenindex.tolist()
    eigenindex = whole(eigenindex, "eigenindex")
    if not -count <= eigenindex < count or eigenindex % count not in ranks:
        raise InputError(
            "eigenindex must be the rank of a synthesized eigendistortion, one of "
            f"{briefly(ranks)} (-1 is {count - 1}); not {eigenindex}"
            if ranks
            else "there are no eigendistortions yet; call synthesize() first"
        )
    every = eigendistortion.eigendistortions
    mine = every[batch_idx] if every.dim() == 5 else every
    return mine[ranks.index(eigenindex % count)]


def _pixels(shown: Tensor, as_rgb: bool) -> np.ndarray:
    """Return an image (channel, height, width) as array (height, width), or (height, width, 3) for RGB."""
    if as_rgb:
        if len(shown) != 3:
            raise InputError(f"as_rgb needs three channels; this image has {len(shown)}")
        return shown.permute(1, 2, 0).cpu().numpy()
    return shown.mean(dim=0).cpu().numpy()
