"""Steerable and Laplacian pyramids, and the steering of filters."""
