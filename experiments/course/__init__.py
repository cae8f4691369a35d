"""Courses: the next trial, as a pure function of the records so far."""
