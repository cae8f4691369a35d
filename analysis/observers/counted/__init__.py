"""Sensitivity d' with its interval from counts: of right answers, or of hits and false alarms."""
