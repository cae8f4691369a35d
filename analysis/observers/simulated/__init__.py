"""Simulated observers: their answers, their calibration, and their true thresholds."""
