"""Booth that shows trials with PsychoPy; only this package imports psychopy, and only on use."""
