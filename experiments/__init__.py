"""The booth: designs, trials, sessions, and the screens (or simulated people) they run on."""
