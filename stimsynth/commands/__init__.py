"""The commands ``build``, ``demo`` and ``doctor``."""
