"""The page of the report: its sections, each a function that returns HTML."""
