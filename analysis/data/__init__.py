"""Trials as tables: reading, checking, counting."""
