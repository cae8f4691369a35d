"""What all synthesis classes share: the resumable run, files, snapshots, moves, verdicts."""
