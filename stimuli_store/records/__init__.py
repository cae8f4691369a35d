"""Records that machines exchange, and their conversion to JSON and back."""
