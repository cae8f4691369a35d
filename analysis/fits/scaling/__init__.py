"""Critical scaling: the fit to counts by level, and its result."""
