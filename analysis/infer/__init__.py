"""Likelihoods, their maximization, profiles and intervals."""
