"""The report of a data set: results, findings, one HTML page."""
