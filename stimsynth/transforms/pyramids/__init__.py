"""Steerable and Laplacian pyramids."""
