"""Constrained descent: minimize an objective while other terms keep their values."""
