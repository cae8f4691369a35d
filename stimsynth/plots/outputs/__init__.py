"""Plots of the outputs of models."""
