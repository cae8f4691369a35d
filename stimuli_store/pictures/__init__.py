"""Stimuli of a bank as files that other programs read."""
