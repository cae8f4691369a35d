"""Arithmetic that knows only torch: reductions, caching, custom gradients, linearized products."""
