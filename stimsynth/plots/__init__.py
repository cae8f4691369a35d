"""Pictures of images, filters and syntheses: functions of arrays that return a matplotlib figure."""

from stimsynth.plots.competition import display_mad_image, display_mad_image_all, plot_loss_all
from stimsynth.plots.eigendistortion import display_eigendistortion
from stimsynth.plots.filters import filter_figure
from stimsynth.plots.mad import plot_MAD_results
from stimsynth.plots.texture import plot_statistics

__all__ = [
    "display_eigendistortion",
    "display_mad_image",
    "display_mad_image_all",
    "filter_figure",
    "plot_MAD_results",
    "plot_loss_all",
    "plot_statistics",
]
