"""Extreme eigenvectors of symmetric matrices that are given by products."""
