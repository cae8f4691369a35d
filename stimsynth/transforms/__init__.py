"""Canonical computations on images: filters, convolutions, statistics."""
