"""Actions of the command ``stimsynth bank``."""
