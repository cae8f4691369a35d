"""Plots of images, filters and syntheses.

Each returns matplotlib axes, or the figure if there are several. A notebook shows them when a cell ends
with the call, or by ``display``; ``%matplotlib inline`` and pyplot are not needed.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.plots.banks import display_bank
    from stimsynth.plots.film import Film, convert_anim_to_html
    from stimsynth.plots.filters import filter_figure
    from stimsynth.plots.histograms import histogram
    from stimsynth.plots.mad import plot_MAD_results
    from stimsynth.plots.outputs.representation import plot_representation
    from stimsynth.plots.outputs.stems import (
        clean_stem_plot,
        clean_up_axes,
        rescale_ylim,
        update_stem,
    )
    from stimsynth.plots.outputs.texture import plot_statistics
    from stimsynth.plots.outputs.updates import update_plot
    from stimsynth.plots.pictures import imshow
    from stimsynth.plots.pyramids import pyrshow
    from stimsynth.plots.syntheses.eigendistortion import (
        display_eigendistortion,
        display_eigendistortion_all,
    )
    from stimsynth.plots.syntheses.geodesic import plot_deviation_from_line
    from stimsynth.plots.syntheses.mad_sets import (
        display_mad_image_all,
        display_mad_set,
        plot_loss_all,
    )
    from stimsynth.plots.syntheses.single import (
        display_image,
        display_mad_image,
        display_metamer,
        plot_loss,
        plot_pixel_values,
        plot_representation_error,
    )
    from stimsynth.plots.syntheses.status import animate, plot_synthesis_status
    from stimsynth.plots.videos import animshow
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
