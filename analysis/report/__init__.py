"""Report of a data set: results, findings, provenance, one HTML page."""
