"""Likelihoods, their maximum, and intervals."""
