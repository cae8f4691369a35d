"""Tables of trials: reading, checking, counting."""
