"""Transforms of images: pyramids, filters, resampling, statistics, phases, sequences."""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from stimsynth.transforms.filters import circular_gaussian2d, gaussian1d
    from stimsynth.transforms.fourier_resampling import autocorrelation, expand, shrink
    from stimsynth.transforms.gain_control import (
        local_gain_control,
        local_gain_control_dict,
        local_gain_release,
        local_gain_release_dict,
        polar_to_rectangular_dict,
        rectangular_to_polar_dict,
    )
    from stimsynth.transforms.log_polar import LogPolar, window_averages
    from stimsynth.transforms.masks import interpolate1d, make_disk, raised_cosine
    from stimsynth.transforms.padding import same_padding
    from stimsynth.transforms.polar import (
        modulate_phase,
        polar_to_rectangular,
        rectangular_to_polar,
    )
    from stimsynth.transforms.pyramids.laplacian import LaplacianPyramid
    from stimsynth.transforms.pyramids.layout import split_orientations, stack_orientations
    from stimsynth.transforms.pyramids.steerable import SteerablePyramidFreq
    from stimsynth.transforms.pyramids.steering import harmonic_matrix, steer, steering_weights
    from stimsynth.transforms.resampling import (
        blur_downsample,
        correlate_downsample,
        upsample_blur,
        upsample_convolve,
    )
    from stimsynth.transforms.sequences import (
        deviation_from_line,
        discrete_curvature,
        make_straight_line,
        sample_brownian_bridge,
        translation_sequence,
    )
    from stimsynth.transforms.signal import add_noise, center_crop, maximum, minimum, rescale
    from stimsynth.transforms.statistics import kurtosis, skew, variance
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
