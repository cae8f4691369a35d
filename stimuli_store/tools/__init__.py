"""What several packages show and tell with: HTML, progress bars, versions."""
