"""Extreme eigenvectors of products with a matrix."""
