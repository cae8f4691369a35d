"""Synthesis methods: the classes that vision scientists type."""
