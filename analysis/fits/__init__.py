"""Fits of thresholds and of critical scaling."""
