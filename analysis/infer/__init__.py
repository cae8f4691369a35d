"""Likelihoods and intervals."""
