"""Updates of plots of outputs, for films."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from stimsynth.plots.gates import several_axes
from stimsynth.plots.outputs.parts import Output, item_of, named_parts, output_parts
from stimsynth.plots.outputs.stems import update_stem
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import takes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@takes(axes=several_axes)
def update_plot(
    axes: "Axes | Sequence[Axes]",
    data: Output,
    model: nn.Module | None = None,
    batch_idx: int = 0,
) -> "list[Artist]":
    """Change the numbers that a plot shows, and return the artists that changed.

    Parameters
    ----------
    axes
        Axes made by `plot_representation`; or axes with stems, lines, points or images of your own: one with
        an artist for each channel or label, or a list with one artist each.
    data
        New data: (batch, channel, n) for stems and lines, (batch, channel, height, width) for images,
        (batch, channel, n, 2) for points; or a dictionary, whose keys are labels of artists, or in the order
        of the axes.
    model
        A model whose method `update_plot` is used, if it has one.
    batch_idx
        Number of the image in the batch.

    Raises
    ------
    InputError
        (a ValueError) if the data do not fit the plot.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth.plots import clean_stem_plot
    >>> ax = clean_stem_plot(np.array([0.0, 2.0]))
    >>> changed = update_plot(ax, np.array([[[1.0, 3.0]]]))
    >>> len(changed)
    2
    """
    own = getattr(model, "update_plot", None)
    if own is not None:
        return list(own(axes, data, batch_idx=batch_idx))
    every: list[Any] = list(axes)  # type: ignore[arg-type]
    artists = [_artists(ax) for ax in every]
    if len(every) == 1 and len(artists[0]) > 1:
        pairs = _by_label(artists[0], data, batch_idx)
    else:
        if not all(len(found) == 1 for found in artists):
            raise InputError(
                "each of several axes must show one thing; for more, give the model an update_plot"
            )
        first = [found[0] for found in artists]
        values = _in_order(first, named_parts(model, data), batch_idx)
        if len(values) != len(first):
            raise InputError(f"the plot has {len(first)} parts; the data have {len(values)}")
        pairs = list(zip(first, values, strict=True))
    return [changed for artist, values in pairs for changed in _set(artist, values)]


def _artists(ax: "Axes") -> list[Any]:
    """Return what axes show: stems, or else images, points, or lines."""
    stems = [container for container in ax.containers if hasattr(container, "stemlines")]
    points = [
        one for one in ax.collections if hasattr(one, "get_paths") and np.size(one.get_offsets())
    ]
    return stems or list(ax.images) or points or list(ax.lines)


def _in_order(artists: list[Any], data: Any, batch_idx: int) -> list[np.ndarray]:
    """Return the new values of artists, each on axes of its own."""
    if not any(hasattr(one, "set_offsets") for one in artists):
        colored = len(artists) == 1 and _pixels_of(artists[0]).ndim == 3
        return [part.values for part in output_parts(data, batch_idx, as_rgb=colored)]
    if isinstance(data, Mapping):
        return [channel for x in data.values() for channel in item_of(x, batch_idx)]
    return list(item_of(data, batch_idx))


def _by_label(artists: list[Any], data: Any, batch_idx: int) -> list[tuple[Any, np.ndarray]]:
    """Return the artists of one axes with their new values: by label, or in the order of channels."""
    if isinstance(data, Mapping):
        # matplotlib makes texts of labels, also of numbers.
        labels = {str(artist.get_label()): artist for artist in artists}
        missing = [name for name in data if str(name) not in labels]
        if missing:
            raise InputError(f"the plot has no label {missing[0]!r}; it has {', '.join(labels)}")
        return [(labels[str(name)], item_of(x, batch_idx).squeeze(0)) for name, x in data.items()]
    channels = item_of(data, batch_idx)
    if len(channels) != len(artists):
        raise InputError(
            f"the plot has {len(artists)} parts; the data have {len(channels)} channels"
        )
    return list(zip(artists, channels, strict=True))


def _pixels_of(artist: Any) -> np.ndarray:
    return np.asarray(artist.get_array()) if hasattr(artist, "get_clim") else np.empty(0)


def _set(artist: Any, values: np.ndarray) -> "list[Artist]":
    """Change what an artist shows, and return the artists to draw again."""
    if hasattr(artist, "stemlines"):
        update_stem(artist, values)
        return [artist.stemlines, artist.markerline]
    if hasattr(artist, "set_offsets"):
        artist.set_offsets(values)
    elif hasattr(artist, "set_ydata"):
        artist.set_ydata(values.ravel())
    else:
        if values.ndim < 2:
            raise InputError(
                "the plot shows an image (batch, channel, height, width); the data have values of shape "
                f"{values.shape} for it"
            )
        artist.set_data(values)
    return [artist]
