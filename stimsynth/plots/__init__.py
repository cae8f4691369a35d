"""Plots of images, filters and syntheses.

Each returns matplotlib axes, or the figure if there are several. A notebook shows them when a cell ends
with the call, or by ``display``; ``%matplotlib inline`` and pyplot are not needed.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.plots.competition import display_mad_image, display_mad_image_all, plot_loss_all
    from stimsynth.plots.eigendistortion import display_eigendistortion
    from stimsynth.plots.film import Film, convert_anim_to_html
    from stimsynth.plots.filters import filter_figure
    from stimsynth.plots.mad import plot_MAD_results
    from stimsynth.plots.pictures import imshow
    from stimsynth.plots.pyramids import pyrshow
    from stimsynth.plots.texture import plot_statistics
    from stimsynth.plots.videos import animshow
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
