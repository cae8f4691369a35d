"""Courses: which trial comes next, as a pure function of what was answered so far."""
