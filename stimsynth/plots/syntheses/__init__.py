"""Plots of syntheses: their images, losses and films."""
