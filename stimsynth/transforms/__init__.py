"""Canonical computations on images: filters, convolutions, statistics."""

from stimsynth.transforms.laplacian_pyramid import LaplacianPyramid
from stimsynth.transforms.pyramid_layout import split_orientations, stack_orientations
from stimsynth.transforms.steerable_pyramid import SteerablePyramidFreq

__all__ = [
    "LaplacianPyramid",
    "SteerablePyramidFreq",
    "split_orientations",
    "stack_orientations",
]
