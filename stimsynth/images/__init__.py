"""Images: bundled photographs, image files, generated patterns, and data sets to download."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.images.arrays import convert_float_to_int, to_numpy
    from stimsynth.images.downloads import DOWNLOADS, Download
    from stimsynth.images.elements import isotrigon, scattered_shapes
    from stimsynth.images.fetch import fetch_data
    from stimsynth.images.files import load_images, save, save_images
    from stimsynth.images.noise import pink_noise, uniform_noise
    from stimsynth.images.patterns import bars, checkerboard, grating, plaid
    from stimsynth.images.pictures import Picture, bundled, get, get_path, load, load_picture
    from stimsynth.images.polar_grids import polar_angle, polar_radius
    from stimsynth.images.synthetic import STIMULI, make_synthetic_stimuli
    from stimsynth.images.textures import dead_leaves, voronoi
    from stimsynth.images.tid2013 import RatedImages, load_tid2013
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
