"""The course of a trial on a surface, and the timing of its phases."""
