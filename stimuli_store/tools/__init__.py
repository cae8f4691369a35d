"""Tools that several packages use: HTML, progress bars, versions."""
