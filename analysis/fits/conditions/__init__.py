"""Conditions compared: contrasts of a quantity between fits, and nested models of all answers."""
