"""Search for modes and intervals of psychometric functions, many data sets at once."""
