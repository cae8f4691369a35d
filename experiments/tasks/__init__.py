"""Task definitions: phases, timings, keys, guess rate, and what a participant is told."""
