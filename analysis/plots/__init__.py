"""Plots of results: functions that take arrays and names and return a matplotlib `Figure`."""
