"""Descent on the levels that a screen can show."""
