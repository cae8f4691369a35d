"""Shapes of psychometric functions and the parameters that people report."""
