"""Code shared by the synthesis classes: the resumable run, files, snapshots, device moves, verdicts."""
