"""Figures of models: filters of front ends, statistics of textures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from torch import Tensor, nn

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.filters import filter_figure
from stimsynth.plots.outputs.texture import plot_statistics, update_statistics
from stimuli_store.errors import unknown_name

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class ShowsFilters(nn.Module):
    """Base of models whose parts are filters with kernels `filt` (channels, 1, height, width)."""

    def display_filters(self, zoom: float = 5.0, **kwargs: Any) -> "Figure":
        """Return a figure of the kernels: a column for every filter, a row for every channel.

        Parameters
        ----------
        zoom
            Display pixels per pixel of a kernel, a whole number.
        kwargs
            Further arguments of `stimsynth.plots.filters.filter_figure`, such as `vrange` and `cmap`.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        kernels = {
            name.replace("_", "-"): to_numpy(filt)[:, 0]
            for name, part in self.named_children()
            if isinstance(filt := getattr(part, "filt", None), Tensor)
        }
        return filter_figure(kernels, zoom=zoom, **kwargs)


class _Statistics(Protocol):
    def convert_to_dict(self, representation_tensor: Tensor) -> Mapping[str, Tensor]: ...

    def convert_to_tensor(self, representation_dict: Mapping[str, Tensor]) -> Tensor: ...


class ShowsStatistics:
    """Base of models whose representation `convert_to_dict` turns into a dictionary of statistics."""

    def plot_representation(
        self: _Statistics,
        data: Tensor | Mapping[str, Tensor],
        ax: "Axes | None" = None,
        figsize: tuple[float, float] = (15, 15),
        ylim: tuple[float, float] | Literal[False] | None = None,
        batch_idx: int = 0,
        title: str | None = None,
    ) -> "tuple[Figure, list[Axes]]":
        """Plot a representation of all scales as stems, one panel for each group of statistics.

        Parameters and returns are as for `stimsynth.plots.plot_statistics`; `data` is a vector or its
        dictionary form, with all of the model's groups and no other (else an InputError).
        """
        statistics = _as_dict(self, data)
        return plot_statistics(statistics, ax, figsize, ylim, batch_idx, title)

    def update_plot(
        self: _Statistics,
        axes: "list[Axes]",
        data: Tensor | Mapping[str, Tensor],
        batch_idx: int = 0,
    ) -> "list[Artist]":
        """Update the stems of `plot_representation` with new data, and return the changed artists."""
        return update_statistics(axes, _as_dict(self, data), batch_idx)


def _as_dict(model: _Statistics, data: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if isinstance(data, Tensor):
        return model.convert_to_dict(data)
    known = list(
        model.convert_to_dict(model.convert_to_tensor(data))
    )  # raises where one is missing
    for name in data:
        if name not in known:
            raise unknown_name("group of statistics", name, known)
    return data
