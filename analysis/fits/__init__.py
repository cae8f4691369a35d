"""Fits of thresholds and of critical scaling, and the bootstrap that checks them."""
