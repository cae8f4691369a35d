"""Distances between images and between model outputs."""

from stimsynth.metrics.laplacian_distance import NLP, nlpd, normalized_laplacian_pyramid
from stimsynth.metrics.model_distance import model_distance
from stimsynth.metrics.pixel import mse
from stimsynth.metrics.structural_similarity import ms_ssim, ssim, ssim_map

__all__ = [
    "NLP",
    "model_distance",
    "ms_ssim",
    "mse",
    "nlpd",
    "normalized_laplacian_pyramid",
    "ssim",
    "ssim_map",
]
