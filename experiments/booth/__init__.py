"""The PsychoPy adapter. Nothing outside this package imports psychopy, and here only on use."""
