"""Tasks: phases, timings, keys, guess rate, and instructions."""
