"""Readers: from answers to thresholds, and from thresholds to which model agrees with people.

`psychometric`, `sdt` and `observers` need numpy and scipy only, so the booth may import them;
tables and plots (pandas, matplotlib) load where they are used.
"""
