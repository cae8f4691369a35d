"""Psychometric functions, their parameters, and the model of choices from distances."""
