"""Files that are whole or absent: the atomic writer, locks, archives of tensors."""
