"""Distances between images and between model outputs."""

from stimsynth.metrics.nlpd import nlpd, normalized_laplacian_pyramid
from stimsynth.metrics.pixel import l2_norm, mse, penalize_range
from stimsynth.metrics.ssim import ms_ssim, ssim, ssim_map

__all__ = [
    "l2_norm",
    "ms_ssim",
    "mse",
    "nlpd",
    "normalized_laplacian_pyramid",
    "penalize_range",
    "ssim",
    "ssim_map",
]
