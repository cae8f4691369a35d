"""Maximum-differentiation competitions: which of two models people contradict less."""
