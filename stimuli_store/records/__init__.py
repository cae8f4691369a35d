"""Records that cross between machines, and how they become JSON and back."""
