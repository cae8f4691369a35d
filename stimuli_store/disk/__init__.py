"""Files that are complete or absent: the atomic writer, locks, archives of arrays."""
