"""Legends beside the data, never over them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABOVE_PX = 20  # room for a legend between axes and their title


def legend_above(axes: "Axes") -> None:
    """Draw the legend of axes in a row above them, below a title that is `ABOVE_PX` higher."""
    _, labels = axes.get_legend_handles_labels()
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(labels),
        fontsize=8,
        frameon=False,
        borderaxespad=0.2,
    )
