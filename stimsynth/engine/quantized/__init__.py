"""Optimization on a grid of levels, such as the 8-bit levels of a screen."""
