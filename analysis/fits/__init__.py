"""Fits of psychometric functions and of critical scaling, and the bootstrap of a threshold."""
