"""Plot of the deviation of paths from the straight line."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.plots.blank import own_axes
from stimsynth.plots.checks import check_kind
from stimsynth.plots.legends import ABOVE_PX, legend_above
from stimsynth.transforms.sequences import as_vectors, deviation_from_line
from stimsynth.validate.images import kept_image
from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _Path(Protocol):
    @property
    def model(self) -> nn.Module: ...

    @property
    def pixelfade(self) -> Tensor: ...

    @property
    def geodesic(self) -> Tensor: ...


def plot_deviation_from_line(
    geodesic: _Path, natural_video: Tensor | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Plot paths of model outputs: distance from the line between their ends against distance along it.

    The paths are the pixelfade, the geodesic and, for comparison, a natural sequence, with a mark for every
    frame. If the model straightens the change between the ends, the geodesic follows the natural sequence,
    and the pixelfade deviates more. If the outputs lie on a curved surface (for instance, because they are
    normalized), no path is straight.

    Parameters
    ----------
    geodesic
        A `stimsynth.Geodesic`, or anything with its `model`, `pixelfade` and `geodesic`.
    natural_video
        Frames of a natural sequence from one image to the other, shape (frames, channel, height, width).
    ax
        Axes to draw on; None for a new figure.

    Returns
    -------
    Axes
        The axes, in units of the distance between the outputs for a path's ends.

    Raises
    ------
    InputError
        (a ValueError) if the video is not a sequence of such frames, or the model's outputs for the ends of
        a path are equal.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> corner = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).view(3, 1, 1, 2)
    >>> path = SimpleNamespace(model=nn.Identity(), pixelfade=corner[[0, 2]], geodesic=corner)
    >>> ax = plot_deviation_from_line(path)
    >>> [line.get_label() for line in ax.lines], ax.lines[1].get_ydata().round(3).tolist()
    (['pixelfade', 'geodesic'], [0.0, 0.5, 0.0])
    """
    check_kind(geodesic, ("pixelfade", "geodesic"), "Geodesic")
    check_axes(ax)
    paths = {"pixelfade": (geodesic.pixelfade, "o-"), "geodesic": (geodesic.geodesic, "s-")}
    if natural_video is not None:
        frame = geodesic.pixelfade.shape[1:]
        natural_video = kept_image(natural_video, "a natural_video", like=geodesic.pixelfade)
        if natural_video.shape[1:] != frame:
            raise InputError(
                f"natural_video must have shape (frames, {', '.join(map(str, frame))}), as the geodesic; "
                f"not {tuple(natural_video.shape)}"
            )
        paths["natural video"] = (natural_video, "^-")
    ax = own_axes("constrained") if ax is None else ax
    for name, (frames, style) in paths.items():
        with torch.no_grad():
            along, away = deviation_from_line(as_vectors(geodesic.model(frames)))
        ax.plot(_array(along), _array(away), style, label=name, markersize=4)
    ax.set(
        xlabel="Distance along the line between the ends (of its length)",
        ylabel="Distance from that line (of its length)",
    )
    ax.set_title("Deviation from straight line", pad=ABOVE_PX, fontsize="medium")
    legend_above(ax)
    return ax


def _array(x: Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()
