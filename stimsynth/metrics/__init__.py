"""Distances between images and between model outputs."""

from stimsynth.metrics.pixel import l2_norm, mse, penalize_range

__all__ = ["l2_norm", "mse", "penalize_range"]
