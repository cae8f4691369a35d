"""Synthesis methods: metamers, eigendistortions, geodesics, MAD competitions and optimized images."""
