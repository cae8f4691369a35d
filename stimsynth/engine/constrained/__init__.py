"""Descent with terms that are held at their values."""
