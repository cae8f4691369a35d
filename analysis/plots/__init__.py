"""Plots of results: functions ``(result, ax=None)`` that return matplotlib axes.

A notebook shows them when a cell ends with the call, or by ``display``; ``%matplotlib inline`` and pyplot
are not needed. ``ax.figure.savefig(path)`` writes the figure.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from analysis.plots.distortions import plot_distortion_ratios
    from analysis.plots.dprimes import plot_dprime
    from analysis.plots.fits import plot_fit
    from analysis.plots.ranking import plot_ranking
    from analysis.plots.residuals import plot_residuals
    from analysis.plots.scaling import plot_scaling
    from analysis.plots.stimuli import Tile, display_stimuli
    from analysis.plots.thresholds import plot_thresholds
    from analysis.plots.timing import plot_response_times, plot_timing
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
