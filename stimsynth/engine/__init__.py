"""Optimization of batches of independent problems: problems, methods, the loop. Independent of images and
models.
"""
