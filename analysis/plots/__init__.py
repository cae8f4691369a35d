"""Pictures of results. Every function takes arrays and names, and returns a matplotlib `Figure`."""
