"""Stem plots of texture statistics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from torch import Tensor

from stimsynth.plots.checks import check_size
from stimsynth.plots.gates import a_title, drawing_axes, named_arrays, some_limits
from stimsynth.plots.outputs.grid import grid_in_place, margined_axes
from stimsynth.plots.outputs.stems import update_stem
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Statistics = Mapping[str, Tensor]

# Panels of single values, and panels of Euclidean norms over positions or pairs.
_TOGETHER = {
    "pixels+var_highpass": ("pixel_statistics", "var_highpass_residual"),
    "std+skew+kurtosis recon": (
        "std_reconstructed",
        "skew_reconstructed",
        "kurtosis_reconstructed",
    ),
    "magnitude_std": ("magnitude_std",),
    "magnitude_means": ("magnitude_means",),
}
_NORMS = (
    "auto_correlation_reconstructed",
    "auto_correlation_magnitude",
    "cross_orientation_correlation_magnitude",
    "cross_scale_correlation_magnitude",
    "cross_scale_correlation_real",
)


def statistics_panels(statistics: Statistics, batch_idx: int = 0) -> dict[str, np.ndarray]:
    """Return the values of each panel, from the statistics of one image, averaged over channels.

    Correlations are summarized by the Euclidean norm over their first two axes.
    """
    item, count = whole(batch_idx, "batch_idx"), min(len(array) for array in statistics.values())
    if not -count <= item < count:
        raise InputError(f"the batch has {count} images; there is no batch_idx {item}")
    mean = {
        name: array[item].detach().mean(dim=0).cpu().numpy()
        for name, array in statistics.items()
        if array.numel()
    }
    panels = {
        title: np.concatenate([mean[name].ravel() for name in names])
        for title, names in _TOGETHER.items()
        if all(name in mean for name in names)
    }
    for name in _NORMS:
        if name in mean:
            panels[name] = np.sqrt(np.nansum(mean[name] ** 2, axis=(0, 1))).ravel()
    return panels


@takes(statistics=named_arrays, ax=drawing_axes, ylim=some_limits, title=optional(a_title))
def plot_statistics(
    statistics: Statistics,
    ax: "Axes | None" = None,
    figsize: tuple[float, float] = (15, 15),
    ylim: tuple[float, float] | Literal[False] | None = None,
    batch_idx: int = 0,
    title: str | None = None,
) -> "tuple[Figure, list[Axes]]":
    """Plot texture statistics as stems, with a panel for each group; a notebook shows the figure.

    Parameters
    ----------
    statistics
        Arrays by name, as returned by `PortillaSimoncelli.convert_to_dict`.
    ax
        Axes to draw on, which are divided into panels. None for a new figure.
    figsize
        Size of a new figure in inches.
    ylim
        Range of all panels; None for a range that fits each panel and includes 0; False for matplotlib's.
    batch_idx
        Number of the image in its batch; its channels are averaged.
    title
        Title of the figure.

    Returns
    -------
    figure
        The figure.
    axes
        Its panels.

    Raises
    ------
    InputError
        (a ValueError) if `figsize` is no size.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> from stimsynth import PortillaSimoncelli, images
    >>> model = PortillaSimoncelli((32, 32), n_scales=2)
    >>> figure, axes = plot_statistics(model.convert_to_dict(model(images.load("grass", size=32))))
    >>> len(axes) > 1
    True
    """
    check_size(figsize)
    panels = statistics_panels(statistics, batch_idx)
    place = margined_axes(figsize) if ax is None else ax
    names = [name.replace("_", " ") for name in panels]
    axes = grid_in_place(place, names, title=title or "")
    for panel, values in zip(axes, panels.values(), strict=True):
        stems = panel.stem(values, basefmt="-")
        stems.baseline.set(color=panel.spines["left"].get_edgecolor(), linewidth=0.6)
        panel.set_xticks([])
        panel.margins(x=0.1)
        if ylim is not False:
            panel.set_ylim(*(_limits(values) if ylim is None else ylim))
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple((place.figure, axes))


def update_statistics(
    axes: "list[Axes]", statistics: Statistics, batch_idx: int = 0
) -> "list[Artist]":
    """Update the stems of `plot_statistics` with new values, and return the changed artists.

    Returns
    -------
    list
        The artists that changed: markers and lines of each panel.

    Raises
    ------
    InputError
        If the axes do not belong to these statistics.
    """
    panels = statistics_panels(statistics, batch_idx)
    drawn = [panel for panel in axes if panel.containers]
    if len(drawn) != len(panels):
        raise InputError(
            f"these statistics need {len(panels)} panels of stems; {len(drawn)} were given"
        )
    artists: list[Artist] = []
    for panel, values in zip(drawn, panels.values(), strict=True):
        stems: Any = update_stem(panel.containers[0], values)  # type: ignore[arg-type]
        artists += [stems.markerline, stems.stemlines]
    return artists


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.1 * (high - low) or 1.0
    return (low - room if low < 0 else 0.0), high + room
