"""Front ends show their filters."""

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ShowsFilters(nn.Module):
    """A model whose parts are filters with kernels `filt` (channels, 1, height, width)."""

    def display_filters(self, zoom: float = 5.0, **kwargs: Any) -> "Figure":
        """Return a figure of the kernels: a column for every filter, a row for every channel.

        Parameters
        ----------
        zoom
            Display pixels for a pixel of a kernel, a whole number.
        kwargs
            More arguments of `stimsynth.plots.filters.filter_figure`, such as `vrange` and `cmap`.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        from stimsynth.images.arrays import to_numpy
        from stimsynth.plots.filters import filter_figure

        kernels = {
            name.replace("_", "-"): to_numpy(filt)[:, 0]
            for name, part in self.named_children()
            if isinstance(filt := getattr(part, "filt", None), Tensor)
        }
        return filter_figure(kernels, zoom=zoom, **kwargs)
